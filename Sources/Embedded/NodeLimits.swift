/// What an embedded node holds at most.
public struct NodeLimits: Sendable, Equatable {
    /// Bytes of all documents with what is kept beside each; a write beyond is refused.
    public var documentBytes: Int
    /// Bytes of a request's body; one that is longer gets status 413.
    public var bodyBytes: Int
    /// Scrolls that are open at once (`search.max_open_scroll_context`).
    public var openScrolls: Int

    public init(documentBytes: Int = 1 << 30, bodyBytes: Int = 100 << 20, openScrolls: Int = 500) {
        self.documentBytes = documentBytes
        self.bodyBytes = bodyBytes
        self.openScrolls = openScrolls
    }
}

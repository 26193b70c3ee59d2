/// The limits of an embedded node.
public struct NodeLimits: Sendable, Equatable {
    /// Bytes of all documents and their index entries. A write beyond this limit is refused.
    public var documentBytes: Int
    /// Bytes of a request body. A longer one gets status 413.
    public var bodyBytes: Int
    /// Scrolls that may be open at once (`search.max_open_scroll_context`).
    public var openScrolls: Int

    public init(documentBytes: Int = 1 << 30, bodyBytes: Int = 100 << 20, openScrolls: Int = 500) {
        self.documentBytes = documentBytes
        self.bodyBytes = bodyBytes
        self.openScrolls = openScrolls
    }
}

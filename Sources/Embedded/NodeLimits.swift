/// The limits of an embedded node.
package struct NodeLimits: Sendable, Equatable {
    /// Bytes of all documents and their index entries. A write beyond this limit is refused.
    package var documentBytes: Int
    /// Bytes of a request body. A longer one gets status 413.
    package var bodyBytes: Int
    /// Scrolls that may be open at once (`search.max_open_scroll_context`).
    package var openScrolls: Int

    package init(documentBytes: Int = 1 << 30, bodyBytes: Int = 100 << 20, openScrolls: Int = 500) {
        self.documentBytes = documentBytes
        self.bodyBytes = bodyBytes
        self.openScrolls = openScrolls
    }
}

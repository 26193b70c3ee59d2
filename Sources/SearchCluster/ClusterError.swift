import JSONText

/// What went wrong between Crossfade and a cluster. Never holds credentials or document content.
public struct ClusterError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable, CaseIterable {
        /// No connection: refused, reset, no such host, no route.
        case unreachable
        /// The connection or the answer took too long.
        case timedOut = "timed_out"
        /// Certificate or handshake.
        case tls
        /// 401.
        case unauthorized
        /// 403 that is not a block of the index.
        case forbidden
        /// 404: no such index, alias or document.
        case notFound = "not_found"
        /// 400 and other answers that the same request will get again.
        case badRequest = "bad_request"
        /// The index is closed: somebody has to open it.
        case indexClosed = "index_closed"
        /// 409, or a compare-and-set that lost.
        case conflict
        /// 413, or a body beyond what the server takes.
        case tooLarge = "too_large"
        /// 429, 5xx, blocks: the cluster cannot now, and may later.
        case unavailable
        /// An answer that cannot be understood, or that is not whole.
        case malformedAnswer = "malformed_answer"
        /// The server's product or version, or something it lacks.
        case unsupported
        /// The scroll context is gone; the slice must be read again from its start.
        case scrollExpired = "scroll_expired"
        /// A document has no `_source`.
        case noSource = "no_source"
        /// Only some shards answered: what came would be fewer documents than there are.
        case partialAnswer = "partial_answer"
        /// The endpoint as given cannot be used.
        case configuration
        /// The transport was closed while the request was under way.
        case closed
    }

    public var code: Code
    /// What happened, to what, and what to do.
    public var message: String
    /// The node's URL, without credentials.
    public var node: String?
    public var index: String?
    /// HTTP status; nil when there was no answer.
    public var status: Int?
    /// The server's error type, e.g. `version_conflict_engine_exception`; on 1.x a Java class name.
    public var serverType: String?
    /// The server's or curl's own words, shortened.
    public var underlying: String?
    /// Whether the same request may succeed later.
    public var retriable: Bool
    /// Whether not even a connection was made: the request cannot have been executed.
    public var neverConnected = false

    public init(
        _ code: Code, _ message: String, node: String? = nil, index: String? = nil, status: Int? = nil,
        serverType: String? = nil, underlying: String? = nil, retriable: Bool? = nil
    ) {
        self.code = code
        self.message = message
        self.node = node
        self.index = index
        self.status = status
        self.serverType = serverType
        self.underlying = underlying.map { ClusterError.shortened($0) }
        self.retriable = retriable ?? ClusterError.usuallyRetriable(code)
    }

    public var description: String {
        var text = "\(code.rawValue): \(message)"
        if let node { text += " [node \(node)]" }
        if let index, !message.contains(index) { text += " [index \(index)]" }
        if let status { text += " [HTTP \(status)]" }
        if let serverType { text += " [\(serverType)]" }
        if let underlying { text += ": \(underlying)" }
        return text
    }

    /// The same error, said of this index.
    func about(index: String) -> ClusterError {
        var copy = self
        copy.index = index
        return copy
    }

    static func shortened(_ text: String, limit: Int = 400) -> String {
        guard text.utf8.count > limit else { return text }
        return String(text.prefix(limit)) + "..."
    }

    private static func usuallyRetriable(_ code: Code) -> Bool {
        switch code {
        case .unreachable, .timedOut, .unavailable, .scrollExpired, .partialAnswer, .malformedAnswer: true
        case .tls, .unauthorized, .forbidden, .notFound, .badRequest, .indexClosed, .conflict, .tooLarge, .unsupported,
            .noSource,
            .configuration, .closed:
            false
        }
    }
}

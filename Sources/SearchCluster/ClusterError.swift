import JSONText

/// A request to a cluster that failed. It never holds credentials or the content of documents.
package struct ClusterError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// No connection, or it broke: refused, reset, no such host, no route.
        case unreachable
        /// The connection or the answer took too long.
        case timedOut = "timed_out"
        /// The certificate or the TLS handshake failed.
        case tls
        /// 401.
        case unauthorized
        /// 403, unless it says that the index is blocked.
        case forbidden
        /// 404: there is no such index, alias or document.
        case notFound = "not_found"
        /// 400, and other answers that the same request would get again.
        case badRequest = "bad_request"
        /// The index is closed. Somebody has to open it.
        case indexClosed = "index_closed"
        /// 409: the index exists already, or somebody else has changed the document.
        case conflict
        /// 413, or an answer that is longer than the limit.
        case tooLarge = "too_large"
        /// 408, 429, 5xx or a block: the cluster cannot do it now. Later it may.
        case unavailable
        /// The answer is not whole, or cannot be understood.
        case malformedAnswer = "malformed_answer"
        /// The answer is the server's own, but the stored text of a document in it makes it unreadable.
        case unreadableDocument = "unreadable_document"
        /// Crossfade does not support the server's product or version.
        case unsupported
        /// The scroll context is gone. The slice must be read again from its start.
        case scrollExpired = "scroll_expired"
        /// A document has no `_source`.
        case noSource = "no_source"
        /// Only some shards answered, so documents would be missing.
        case partialAnswer = "partial_answer"
        /// The endpoint cannot be used as it is given, or curl refused a request.
        case configuration
        /// The transport was closed while the request was under way.
        case closed
    }

    package var code: Code
    /// What happened, to which index or node, and what to do about it.
    package var message: String
    /// The node's URL, without credentials.
    package var node: String?
    package var index: String?
    /// HTTP status; nil when there was no answer.
    package var status: Int?
    /// The server's error type, e.g. `version_conflict_engine_exception`; on 1.x a Java class name.
    package var serverType: String?
    /// The words of the server or of curl, shortened. Credentials are taken out.
    package var underlying: String?
    /// Whether the same request may succeed later.
    package var retriable: Bool
    /// Whether no connection was made, so that the server cannot have executed the request.
    package var neverConnected = false

    package init(
        _ code: Code, _ message: String, node: String? = nil, index: String? = nil, status: Int? = nil,
        serverType: String? = nil, underlying: String? = nil, retriable: Bool? = nil
    ) {
        (self.code, self.message, self.node, self.index, self.status) = (code, message, node, index, status)
        self.serverType = serverType
        self.underlying = underlying.map { ClusterError.shortened($0) }
        self.retriable = retriable ?? ClusterError.usuallyRetriable(code)
    }

    /// Whether the index, or the whole cluster, is blocked by somebody or by a full disk.
    package var isBlock: Bool {
        serverType == "cluster_block_exception" || serverType == "ClusterBlockException"
    }

    package var description: String {
        var text = "\(code.rawValue): \(message)"
        if let node { text += " [node \(node)]" }
        if let index, !message.contains(index) { text += " [index \(index)]" }
        if let status { text += " [HTTP \(status)]" }
        if let serverType { text += " [\(serverType)]" }
        if let underlying { text += ": \(underlying)" }
        return text
    }

    /// The same error, but about this index.
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
            .unreadableDocument, .noSource, .configuration, .closed:
            false
        }
    }
}

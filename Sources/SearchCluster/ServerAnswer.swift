import JSONText

// Answers turned into values or errors.
extension ClusterError {
    /// The error that an answer of status 400 or above is; nil below. `doing` completes "... failed".
    public init?(answer: HTTPResponse, from transport: HTTPTransport, doing: String, index: String? = nil) {
        guard answer.status >= 300 else { return nil }
        let node = transport.nodes.indices.contains(answer.node) ? transport.nodes[answer.node] : nil
        let told = ServerReason(body: answer.body.bytes)
        let code = ClusterError.code(status: answer.status, type: told.type, reason: told.reason)
        let advice = ClusterError.advice(code, status: answer.status)
        self.init(
            code, "\(doing) failed\(advice)", node: node, index: index, status: answer.status, serverType: told.type,
            underlying: told.reason)
    }

    static func code(status: Int, type: String?, reason: String? = nil) -> Code {
        if let type {
            if ServerReason.isIndexClosed(type, reason) { return .indexClosed }
            if ServerReason.isScrollExpired(type) { return .scrollExpired }
            if type == "cluster_block_exception" || type == "ClusterBlockException" { return .unavailable }
        }
        switch status {
        case 401: return .unauthorized
        case 403: return .forbidden
        case 404: return .notFound
        case 409: return .conflict
        case 413: return .tooLarge
        case 408, 429, 500...: return .unavailable
        case 300..<400: return .malformedAnswer
        default: return .badRequest
        }
    }

    private static func advice(_ code: Code, status: Int) -> String {
        switch code {
        case .unauthorized: "; check the user and password or the API key"
        case .indexClosed: "; the index is closed: open it (POST /INDEX/_open) and try again"
        case .forbidden: "; the credentials lack a privilege for it"
        case .tooLarge: "; it is larger than the server takes (http.max_content_length)"
        case .unavailable: "; the cluster cannot take it now"
        case .malformedAnswer: "; the server redirects, give its final URL"
        case .scrollExpired: "; the scroll context is gone, the slice is to be read again"
        default: ""
        }
    }
}

/// What a server says went wrong.
struct ServerReason {
    var type: String?
    var reason: String?

    /// `{"error": {"type", "reason"}}` since 2.0, `{"error": "SomeException[why]"}` before, or any text.
    init(body: Bytes) {
        guard let answer = try? JSONValue(parsing: body) else {
            reason = body.isEmpty ? nil : String(repairing: Bytes(rebasing: body.prefix(300)))
            return
        }
        guard let error = answer["error"] else {
            // Searches of 1.x answer with the failures of their shards.
            if let failure = answer["_shards"]?["failures"]?[0] { read(shardFailure: failure) }
            return
        }
        if let text = error.string {
            read(exceptionText: text)
        } else {
            type = error["type"]?.string
            reason = error["reason"]?.string
            // "all shards failed" is nobody's reason: the first shard's is.
            if let root = error["root_cause"]?[0] ?? error["failed_shards"]?[0]?["reason"], root["type"]?.string != nil,
                type == "search_phase_execution_exception"
            {
                type = root["type"]?.string
                reason = root["reason"]?.string
            }
        }
    }

    init(shardFailure: JSONValue) { read(shardFailure: shardFailure) }

    private mutating func read(shardFailure: JSONValue) {
        if let reason = shardFailure["reason"]?["type"]?.string {
            type = reason
            self.reason = shardFailure["reason"]?["reason"]?.string
        } else if let text = shardFailure["reason"]?.string {
            read(exceptionText: text)
        }
    }

    /// `OuterException[message]; nested: ...`: the type is the innermost known one, or the first.
    private mutating func read(exceptionText text: String) {
        reason = text
        type = String(text.prefix { $0 != "[" && $0 != ":" && $0 != ";" && $0 != " " })
        if text.contains("SearchContextMissingException") { type = "SearchContextMissingException" }
        if text.contains("ClusterBlockException") { type = "ClusterBlockException" }
    }

    /// An exception of its own; 1.x and some calls of later versions name a block, 4, of a closed index.
    static func isIndexClosed(_ type: String, _ reason: String?) -> Bool {
        if type == "index_closed_exception" || type == "IndexClosedException" { return true }
        let isBlock = type == "cluster_block_exception" || type == "ClusterBlockException"
        return isBlock && reason?.contains("/4/index closed") == true
    }

    static func isScrollExpired(_ type: String) -> Bool {
        type == "search_context_missing_exception" || type == "SearchContextMissingException"
    }
}

extension HTTPTransport {
    /// One cold call: the answer as a tree, an error for every status from 300 on.
    func call(_ request: HTTPRequest, doing: String, index: String? = nil) throws(ClusterError) -> JSONValue {
        let answer = try perform(request)
        defer { recycle(answer.body) }
        if let error = ClusterError(answer: answer, from: self, doing: doing, index: index) { throw error }
        return try tree(answer, doing: doing, index: index)
    }

    /// The same where 404 is an answer too: nil.
    func callIfPresent(_ request: HTTPRequest, doing: String, index: String? = nil) throws(ClusterError) -> JSONValue? {
        do throws(ClusterError) {
            return try call(request, doing: doing, index: index)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    func tree(_ answer: HTTPResponse, doing: String, index: String?) throws(ClusterError) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(parsing: answer.body.bytes)
        } catch {
            throw ClusterError(
                .malformedAnswer, "\(doing) got an answer that is not JSON; is a proxy in between?",
                node: nodes.indices.contains(answer.node) ? nodes[answer.node] : nil, index: index,
                status: answer.status, underlying: "\(error)")
        }
    }
}

import JSONText

// Turns answers into values or errors.
extension ClusterError {
    /// The error for an answer of status 300 or above; nil for others. `doing` is the start of the message "...
    /// failed". Credentials that the answer may repeat are taken out.
    package init?(answer: HTTPResponse, from transport: HTTPTransport, doing: String, index: String? = nil) {
        guard answer.status >= 300 else { return nil }
        let node = transport.nodes.indices.contains(answer.node) ? transport.nodes[answer.node] : nil
        let told = ServerReason(body: answer.body.bytes)
        let code = ClusterError.code(status: answer.status, type: told.type, reason: told.reason)
        let advice = ClusterError.advice(code, status: answer.status)
        self.init(
            code, "\(doing) failed\(advice)", node: node, index: index, status: answer.status,
            serverType: told.type.map { transport.quote($0) },
            underlying: told.reason.map { transport.quote($0, limit: told.isWholeBody ? 300 : 4000) })
    }

    /// An answer without what every version of the server says there.
    static func foreignAnswer(_ doing: String, _ what: String, index: String?) -> ClusterError {
        ClusterError(
            .malformedAnswer, "\(doing) got an answer that \(what); is a proxy in between?", index: index)
    }

    static func code(status: Int, type: String?, reason: String? = nil) -> Code {
        if let type {
            if ServerReason.isIndexClosed(type, reason) { return .indexClosed }
            if ServerReason.isScrollExpired(type) { return .scrollExpired }
            if type == "cluster_block_exception" || type == "ClusterBlockException" { return .unavailable }
        }
        if status >= 500, let type, ServerReason.isLasting(type, reason) { return .badRequest }
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

extension HTTPTransport {
    /// What a server wrote, as it may be shown, logged and kept: without our credentials, which a proxy may repeat, and
    /// at most `limit` characters long. It is cut after that, because a part of a password is one, too.
    package func quote(_ text: String, limit: Int = 4000) -> String {
        let clean = redactor.redact(text)
        return clean.count > limit ? clean.prefix(limit) + "…" : clean
    }

    /// The same of an answer, or of a part of one.
    package func quote(_ bytes: Bytes, limit: Int = 4000) -> String {
        quote(String(repairing: Bytes(rebasing: bytes.prefix(1 << 16))), limit: limit)
    }

    /// Sends a request, waits, and gives the answer as a JSON value. Throws for every status from 300 on.
    func call(_ request: HTTPRequest, doing: String, index: String? = nil) throws(ClusterError) -> JSONValue {
        let answer = try perform(request)
        defer { recycle(answer.body) }
        if let error = ClusterError(answer: answer, from: self, doing: doing, index: index) { throw error }
        return try tree(answer, doing: doing, index: index)
    }

    /// The same, but nil for 404.
    func callIfPresent(_ request: HTTPRequest, doing: String, index: String? = nil) throws(ClusterError) -> JSONValue? {
        do throws(ClusterError) {
            return try call(request, doing: doing, index: index)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    /// The same for a change of the cluster, which every version acknowledges when it is done. An answer without that
    /// is not the server's, whatever its status.
    func change(_ request: HTTPRequest, doing: String, index: String? = nil) throws(ClusterError) {
        let answer = try call(request, doing: doing, index: index)
        guard let isDone = answer["acknowledged"]?.bool else {
            throw ClusterError.foreignAnswer(doing, "does not say that it is done", index: index)
        }
        guard isDone else {
            throw ClusterError(
                .unavailable, "\(doing) did not reach every node within 30 s; try again when all answer", index: index)
        }
    }

    /// The part of an answer that tells of one index by its name. An answer about other indices alone is one about an
    /// alias: nil, unless `isNamed` says that the index is none.
    func part(
        _ answer: JSONValue, of index: String, doing: String, isNamed: Bool = true
    ) throws(ClusterError) -> JSONValue? {
        if let part = answer.object?[index] { return part }
        guard isNamed || answer.object?.isEmpty != false else { return nil }
        throw ClusterError.foreignAnswer(doing, "does not name it", index: index)
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

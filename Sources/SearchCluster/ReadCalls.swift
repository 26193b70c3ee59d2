import JSONText

/// The only requests that a reader can make. The case decides the method and the path, so a reader cannot write,
/// whatever its arguments are.
enum ReadCall: Sendable {
    case index(String)
    /// Describes the closed indices that a pattern matches.
    case closed(String)
    /// Describes the open indices that a pattern matches, hidden ones among them.
    case openAndHidden(String)
    case search(index: String, parameters: String)
    case scroll(keepAlive: String, plainText: Bool)
    case clearScroll(plainText: Bool)
    case multiGet(index: String, type: String?)
    case count(index: String)
    /// Makes what was written visible to searches. It changes no document.
    case refresh(index: String)
    case refreshStats(index: String)
    /// What each copy of each shard holds.
    case shardStats(index: String)
    case settings(index: String)
    /// The stored text of one document, and nothing else.
    case storedSource(index: String, type: String?, id: String, routing: String?)
    /// The limits that the cluster sets to those who read.
    case clusterSettings
    /// What a name stands for: indices, aliases, data streams.
    case resolve(String)

    func request(body: HTTPRequest.Body, timeoutSeconds: Double = 60) -> HTTPRequest {
        switch self {
        case .index(let name):
            HTTPRequest(.get, "/" + RequestPath.segment(name), timeoutSeconds: timeoutSeconds)
        case .closed(let name):
            HTTPRequest(
                .get, "/" + RequestPath.segment(name) + "?expand_wildcards=closed", timeoutSeconds: timeoutSeconds)
        case .openAndHidden(let name):
            HTTPRequest(
                .get, "/" + RequestPath.segment(name) + "?expand_wildcards=open,hidden", timeoutSeconds: timeoutSeconds)
        case .search(let index, let parameters):
            HTTPRequest(
                .post, "/\(RequestPath.segment(index))/_search\(parameters)", body: body, timeoutSeconds: timeoutSeconds
            )
        case .scroll(let keepAlive, let plainText):
            // Without fail-over: the server may have read the page already, and a second request would skip it.
            HTTPRequest(
                .post, plainText ? "/_search/scroll?scroll=\(keepAlive)" : "/_search/scroll", body: body,
                contentType: plainText ? .text : .json, timeoutSeconds: timeoutSeconds, failsOver: false)
        case .clearScroll(let plainText):
            HTTPRequest(
                .delete, "/_search/scroll", body: body, contentType: plainText ? .text : .json,
                timeoutSeconds: timeoutSeconds)
        case .multiGet(let index, let type):
            HTTPRequest(
                .post, "/\(RequestPath.segment(index))\(type.map { "/" + RequestPath.segment($0) } ?? "")/_mget",
                body: body, timeoutSeconds: timeoutSeconds, failsOver: true)
        case .storedSource(let index, let type, let id, let routing):
            HTTPRequest(
                .get,
                "/\(RequestPath.segment(index))/"
                    + (type.map { "\(RequestPath.query($0))/\(RequestPath.query(id))/_source" }
                        ?? "_source/\(RequestPath.query(id))")
                    + (routing.map { "?routing=\(RequestPath.query($0))" } ?? ""), timeoutSeconds: timeoutSeconds)
        case .resolve(let name):
            HTTPRequest(.get, "/_resolve/index/" + RequestPath.segment(name), timeoutSeconds: timeoutSeconds)
        case .clusterSettings:
            HTTPRequest(
                .get, "/_cluster/settings?include_defaults=true&filter_path=*.search.max_keep_alive,*.cluster.blocks",
                timeoutSeconds: timeoutSeconds)
        case .count(let index):
            HTTPRequest(
                .post, "/\(RequestPath.segment(index))/_count", body: body, timeoutSeconds: timeoutSeconds,
                failsOver: true)
        case .refresh(let index):
            HTTPRequest(
                .post, "/\(RequestPath.segment(index))/_refresh", timeoutSeconds: timeoutSeconds, failsOver: true)
        case .refreshStats(let index):
            HTTPRequest(
                .get, "/\(RequestPath.segment(index))/_stats/refresh?level=shards", timeoutSeconds: timeoutSeconds)
        case .shardStats(let index):
            HTTPRequest(
                .get, "/\(RequestPath.segment(index))/_stats/docs,indexing?level=shards", timeoutSeconds: timeoutSeconds
            )
        case .settings(let index):
            HTTPRequest(
                .get, "/\(RequestPath.segment(index))/_settings?include_defaults=true", timeoutSeconds: timeoutSeconds)
        }
    }
}

/// A transport that takes only ``ReadCall``s.
struct ReadOnlyTransport: Sendable {
    private let transport: HTTPTransport

    init(_ transport: HTTPTransport) { self.transport = transport }

    var nodes: [String] { transport.nodes }

    func quote(_ bytes: Bytes) -> String { transport.quote(bytes) }
    func quote(_ text: String) -> String { transport.quote(text) }

    func tree(
        _ call: ReadCall, body: HTTPRequest.Body = .none, timeoutSeconds: Double = 60, doing: String,
        index: String? = nil
    ) throws(ClusterError) -> JSONValue {
        let request = call.request(body: body, timeoutSeconds: timeoutSeconds)
        return try transport.call(request, doing: doing, index: index)
    }

    /// Sends the request and waits. Throws for every status from 300 on.
    func bytes(
        _ call: ReadCall, body: HTTPRequest.Body, timeoutSeconds: Double, answerBytes: Int? = nil, doing: String,
        index: String
    ) throws(ClusterError) -> HTTPResponse {
        var request = call.request(body: body, timeoutSeconds: timeoutSeconds)
        request.answerBytes = answerBytes
        let answer = try transport.perform(request)
        try check(answer, doing: doing, index: index)
        return answer
    }

    /// An answer that was sent for before. Throws for every status from 300 on.
    func take(
        _ result: Result<HTTPResponse, ClusterError>, doing: String, index: String
    ) throws(ClusterError) -> HTTPResponse {
        let answer = try result.get()
        try check(answer, doing: doing, index: index)
        return answer
    }

    func submit(
        _ call: ReadCall, body: HTTPRequest.Body, timeoutSeconds: Double, answerBytes: Int? = nil,
        completion: @escaping @Sendable (Result<HTTPResponse, ClusterError>) -> Void
    ) {
        var request = call.request(body: body, timeoutSeconds: timeoutSeconds)
        request.answerBytes = answerBytes
        transport.submit(request, completion: completion)
    }

    func check(_ answer: HTTPResponse, doing: String, index: String) throws(ClusterError) {
        guard let error = ClusterError(answer: answer, from: transport, doing: doing, index: index) else { return }
        recycle(answer.body)
        throw error
    }

    func recycle(_ buffer: ByteBuffer) { transport.recycle(buffer) }
}

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
    /// What Elasticsearch's lifecycle management does with an index, and a policy of it.
    case lifecycle(index: String)
    case lifecyclePolicy(String)
    /// The same of OpenSearch.
    case stateManagement(index: String)
    case statePolicy(String)

    private var path: String {
        switch self {
        case .index(let name): "/" + RequestPath.segment(name)
        case .closed(let name): "/" + RequestPath.segment(name) + "?expand_wildcards=closed"
        case .openAndHidden(let name): "/" + RequestPath.segment(name) + "?expand_wildcards=open,hidden"
        case .resolve(let name): "/_resolve/index/" + RequestPath.segment(name)
        case .lifecycle(let index): "/\(RequestPath.segment(index))/_ilm/explain"
        case .lifecyclePolicy(let name): "/_ilm/policy/" + RequestPath.segment(name)
        case .stateManagement(let index): "/_plugins/_ism/explain/" + RequestPath.segment(index)
        case .statePolicy(let id): "/_plugins/_ism/policies/" + RequestPath.segment(id)
        case .clusterSettings:
            "/_cluster/settings?include_defaults=true&filter_path=*.search.max_keep_alive,*.cluster.blocks"
        case .refreshStats(let index): "/\(RequestPath.segment(index))/_stats/refresh?level=shards"
        case .shardStats(let index): "/\(RequestPath.segment(index))/_stats/docs,indexing?level=shards"
        case .settings(let index): "/\(RequestPath.segment(index))/_settings?include_defaults=true"
        case .storedSource(let index, let type, let id, let routing):
            "/\(RequestPath.segment(index))/"
                + (type.map { "\(RequestPath.query($0))/\(RequestPath.query(id))/_source" }
                    ?? "_source/\(RequestPath.query(id))")
                + (routing.map { "?routing=\(RequestPath.query($0))" } ?? "")
        case .search(let index, let parameters): "/\(RequestPath.segment(index))/_search\(parameters)"
        case .scroll(let keepAlive, let plainText):
            plainText ? "/_search/scroll?scroll=\(keepAlive)" : "/_search/scroll"
        case .clearScroll: "/_search/scroll"
        case .multiGet(let index, let type):
            "/\(RequestPath.segment(index))\(type.map { "/" + RequestPath.segment($0) } ?? "")/_mget"
        case .count(let index): "/\(RequestPath.segment(index))/_count"
        case .refresh(let index): "/\(RequestPath.segment(index))/_refresh"
        }
    }

    func request(body: HTTPRequest.Body, timeoutSeconds: Double = 60) -> HTTPRequest {
        switch self {
        case .search: HTTPRequest(.post, path, body: body, timeoutSeconds: timeoutSeconds)
        case .scroll(_, let plainText):
            // Without fail-over: the server may have read the page already, and a second request would skip it.
            HTTPRequest(
                .post, path, body: body, contentType: plainText ? .text : .json, timeoutSeconds: timeoutSeconds,
                failsOver: false)
        case .clearScroll(let plainText):
            HTTPRequest(
                .delete, path, body: body, contentType: plainText ? .text : .json, timeoutSeconds: timeoutSeconds)
        case .multiGet, .count:
            HTTPRequest(.post, path, body: body, timeoutSeconds: timeoutSeconds, failsOver: true)
        case .refresh: HTTPRequest(.post, path, timeoutSeconds: timeoutSeconds, failsOver: true)
        case .index, .closed, .openAndHidden, .refreshStats, .shardStats, .settings, .storedSource, .clusterSettings,
            .resolve, .lifecycle, .lifecyclePolicy, .stateManagement, .statePolicy:
            HTTPRequest(.get, path, timeoutSeconds: timeoutSeconds)
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

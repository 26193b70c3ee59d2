import FoundationEssentials
import JSONText

/// What the single nodes of a cluster answer. A node uses a new alias only when it has the master's newest state.
extension Cluster {
    /// `host:port` of the HTTP side of each node, as the nodes publish it, and how many nodes did not say theirs in
    /// time; empty when we may not ask.
    package func publishedAddresses() throws(ClusterError) -> (told: [String], silent: Int64) {
        let request = HTTPRequest(
            .get,
            "/_nodes/http?timeout=5s&filter_path=_nodes.failed,nodes.*.http.publish_address,nodes.*.http_address",
            timeoutSeconds: 10)
        let answer: JSONValue
        do throws(ClusterError) {
            answer = try transport.call(request, doing: "asking for the nodes' addresses")
        } catch {
            guard error.code == .forbidden || error.code == .notFound || error.code == .badRequest else { throw error }
            return ([], 0)
        }
        let told = (answer["nodes"]?.object ?? JSONObject()).compactMap { node in
            node.value["http"]?["publish_address"]?.string ?? node.value["http_address"]?.string
        }
        let silent = answer["_nodes"]?["failed"]?.count ?? 0
        return (Set(told.compactMap(Self.address)).sorted(), silent)
    }

    /// `10.0.0.1:9200` of what nodes publish: `10.0.0.1:9200`, `node-1/10.0.0.1:9200`, `inet[/10.0.0.1:9200]`.
    static func address(_ published: String) -> String? {
        let last = published.split(separator: "/").last.map(String.init) ?? published
        let bare = last.hasSuffix("]") && !last.hasPrefix("[") ? String(last.dropLast()) : last
        return bare.isEmpty || bare.contains("@") ? nil : bare
    }

    /// The indices that a search through `name` reaches when this node is asked, as far as documents tell.
    package func searched(_ name: String, through address: String, seconds: Double) throws(ClusterError) -> Set<String>
    {
        var one = endpoint
        let scheme = endpoint.urls.first?.hasPrefix("https") == true ? "https" : "http"
        one.urls = ["\(scheme)://\(address)"]
        let transport = try HTTPTransport(one)
        defer { transport.close() }
        let aggregation: JSONValue = ["size": 0, "aggs": ["i": ["terms": ["field": "_index", "size": 1000]]]]
        let answer = try transport.call(
            HTTPRequest(
                .post, "/" + RequestPath.segment(name) + "/_search", body: RequestPath.body(aggregation),
                timeoutSeconds: seconds),
            doing: "searching through \(name)", index: name)
        guard let buckets = answer["aggregations"]?["i"]?["buckets"]?.array else {
            throw ClusterError(
                .malformedAnswer, "the answer of \(address) to a search through \(name) is none of a search",
                index: name)
        }
        return Set(buckets.compactMap { $0["key"]?.string })
    }
}

extension ClusterEndpoint {
    /// Whether our credentials may go to an address that the cluster has named. Whoever can change its answers must not
    /// be able to send them anywhere: the recipe has to name the host, or its certificate is checked.
    package func mayAsk(_ address: String) -> Bool {
        if case .none = auth { return true }
        let urls = self.urls.compactMap { URL(string: $0) }
        if urls.allSatisfy({ $0.scheme == "https" }), verifyTLS { return true }
        let host = URL(string: "http://\(address)")?.host
        return host != nil && urls.contains { $0.host == host }
    }
}

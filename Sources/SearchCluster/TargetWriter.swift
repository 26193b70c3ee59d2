import JSONText

/// Manages indices and aliases of a cluster, and writes to it. Only the target gets one.
package final class TargetWriter: Sendable {
    package let transport: HTTPTransport
    package let capabilities: Capabilities
    /// Reads the same cluster.
    package let reader: ClusterReader

    init(transport: HTTPTransport, capabilities: Capabilities) {
        (self.transport, self.capabilities) = (transport, capabilities)
        reader = ClusterReader(transport: transport, capabilities: capabilities)
    }

    // MARK: Indices

    /// Creates an index. `body`: settings, mappings (by type if the server has types) and aliases. Throws `conflict`
    /// when the index exists already.
    package func createIndex(_ name: String, body: JSONValue) throws(ClusterError) {
        do throws(ClusterError) {
            try transport.change(
                HTTPRequest(.put, path(name), body: RequestPath.body(body), timeoutSeconds: 90),
                doing: "creating index \(name)", index: name)
        } catch {
            throw TargetWriter.existsAlready(error) ? conflict(error, "index \(name) exists already") : error
        }
        guard !capabilities.createWaitsForShards else { return }
        let health = try health(name, waitFor: .yellow, seconds: 30)
        guard health.status == .red else { return }
        throw ClusterError(
            .unavailable, "index \(name) was created, but its shards did not start; see the cluster's health",
            index: name)
    }

    /// Deletes one index by its full name; false when there is no such index.
    @discardableResult package func deleteIndex(_ name: String) throws(ClusterError) -> Bool {
        // A pattern would delete many indices.
        guard !name.isEmpty, name != "_all", !name.contains("*"), !name.contains(","), !name.hasPrefix("-") else {
            throw ClusterError(
                .badRequest, "\"\(name)\" is not one index; only a full name can be deleted", index: name)
        }
        do throws(ClusterError) {
            try transport.change(
                HTTPRequest(.delete, path(name), timeoutSeconds: 90), doing: "deleting index \(name)", index: name)
            return true
        } catch {
            guard error.code == .notFound else { throw error }
            return false
        }
    }

    /// Whether there is an index or alias of this name.
    package func indexExists(_ name: String) throws(ClusterError) -> Bool {
        let answer = try transport.perform(HTTPRequest(.head, path(name)))
        defer { transport.recycle(answer.body) }
        if answer.status == 404 { return false }
        if let error = ClusterError(answer: answer, from: transport, doing: "looking for index \(name)", index: name) {
            throw error
        }
        return true
    }

    /// The mapping of an index as the server gives it: by type if there are types, else `{"properties": ...}`.
    package func mapping(_ index: String) throws(ClusterError) -> JSONValue {
        let doing = "reading the mapping of \(index)"
        let answer = try transport.call(HTTPRequest(.get, path(index) + "/_mapping"), doing: doing, index: index)
        return try transport.part(answer, of: index, doing: doing)?["mappings"] ?? .object(JSONObject())
    }

    /// Adds to the mapping of an index. `mapping`: `{"properties": ...}`.
    package func putMapping(_ index: String, _ mapping: JSONValue, type: String? = nil) throws(ClusterError) {
        let suffix =
            capabilities.typed ? "/_mapping/" + RequestPath.segment(type ?? capabilities.documentType) : "/_mapping"
        try transport.change(
            HTTPRequest(.put, path(index) + suffix, body: RequestPath.body(mapping), timeoutSeconds: 90),
            doing: "changing the mapping of \(index)", index: index)
    }

    /// The settings of an index: `{"index": {...}}`.
    package func settings(_ index: String) throws(ClusterError) -> JSONValue {
        let doing = "reading the settings of \(index)"
        let answer = try transport.call(HTTPRequest(.get, path(index) + "/_settings"), doing: doing, index: index)
        return try transport.part(answer, of: index, doing: doing)?["settings"] ?? .object(JSONObject())
    }

    /// Changes dynamic settings, e.g. `{"index": {"refresh_interval": "1s"}}`. Null restores a default (from 5.0).
    package func putSettings(_ index: String, _ settings: JSONValue) throws(ClusterError) {
        try transport.change(
            HTTPRequest(.put, path(index) + "/_settings", body: RequestPath.body(settings), timeoutSeconds: 90),
            doing: "changing the settings of \(index)", index: index)
    }

    /// Makes all writes so far visible to searches.
    package func refresh(_ index: String) throws(ClusterError) {
        let doing = "refreshing \(index)"
        let answer = try transport.call(
            HTTPRequest(.post, path(index) + "/_refresh", timeoutSeconds: 300), doing: doing, index: index)
        guard answer["_shards"] != nil else {
            throw ClusterError.foreignAnswer(doing, "counts no shards", index: index)
        }
    }

    /// How many documents a search finds; see ``ClusterReader/count(_:query:)``.
    package func count(_ index: String, query: JSONValue? = nil) throws(ClusterError) -> Int64 {
        try reader.count(index, query: query)
    }

    // MARK: Bulk

    /// The path of bulk requests. It holds the index and the type, so that no action line needs them. The answer is
    /// filtered: it holds only `took`, `errors` and the `status` and `error` of every item.
    package func bulkPath(_ index: String, type: String? = nil) -> String {
        var text = path(index)
        if capabilities.typed { text += "/" + RequestPath.segment(type ?? capabilities.documentType) }
        return text + "/_bulk?filter_path=took,errors,items.*.status,items.*.error"
    }

    /// A bulk request; see ``BulkBody``. The caller must not touch `body` until the answer is there. The request goes
    /// to one node, once: the caller decides whether to send it again.
    package func bulkRequest(_ path: String, body: ByteBuffer, timeoutSeconds: Double = 120) -> HTTPRequest {
        HTTPRequest(
            .post, path, body: .buffer(body), contentType: .ndjson, timeoutSeconds: timeoutSeconds, failsOver: false,
            acceptsCompression: false)
    }

    // MARK: Paths and errors

    func path(_ index: String) -> String { "/" + RequestPath.segment(index) }

    private static func existsAlready(_ error: ClusterError) -> Bool {
        switch error.serverType {
        case "resource_already_exists_exception", "index_already_exists_exception", "IndexAlreadyExistsException": true
        default: false
        }
    }

    private func conflict(_ error: ClusterError, _ message: String) -> ClusterError {
        ClusterError(
            .conflict, message, node: error.node, index: error.index, status: error.status,
            serverType: error.serverType, underlying: error.underlying)
    }
}

import JSONText

/// Administers and writes a cluster. Only ever made for the target.
public final class TargetWriter: Sendable {
    public let transport: HTTPTransport
    public let capabilities: Capabilities
    /// The target can be read as a source can.
    public let reader: SourceReader

    init(transport: HTTPTransport, capabilities: Capabilities) {
        self.transport = transport
        self.capabilities = capabilities
        reader = SourceReader(transport: transport, capabilities: capabilities)
    }

    // MARK: Indices

    /// Creates an index; `conflict` when it is there already. `body`: settings, mappings (by type where the server has
    /// types), aliases.
    public func createIndex(_ name: String, body: JSONValue) throws(ClusterError) {
        do throws(ClusterError) {
            _ = try transport.call(
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

    /// Deletes one index, by its full name; false when it was not there.
    @discardableResult public func deleteIndex(_ name: String) throws(ClusterError) -> Bool {
        // One careless pattern here would delete a cluster.
        guard !name.isEmpty, name != "_all", !name.contains("*"), !name.contains(","), !name.hasPrefix("-") else {
            throw ClusterError(
                .badRequest, "\"\(name)\" is not one index; only a full name can be deleted", index: name)
        }
        return try transport.callIfPresent(
            HTTPRequest(.delete, path(name), timeoutSeconds: 90), doing: "deleting index \(name)", index: name) != nil
    }

    /// Whether an index or alias of this name is there.
    public func indexExists(_ name: String) throws(ClusterError) -> Bool {
        let answer = try transport.perform(HTTPRequest(.head, path(name)))
        defer { transport.recycle(answer.body) }
        if answer.status == 404 { return false }
        if let error = ClusterError(answer: answer, from: transport, doing: "looking for index \(name)", index: name) {
            throw error
        }
        return true
    }

    /// The index's mapping as the server gives it: by type where there are types, else `{"properties": ...}`.
    public func mapping(_ index: String) throws(ClusterError) -> JSONValue {
        let answer = try transport.call(
            HTTPRequest(.get, path(index) + "/_mapping"), doing: "reading the mapping of \(index)", index: index)
        return answer.object?.first?.value["mappings"] ?? .object(JSONObject())
    }

    /// Adds to the mapping. `mapping`: `{"properties": ...}`.
    public func putMapping(_ index: String, _ mapping: JSONValue, type: String? = nil) throws(ClusterError) {
        let suffix =
            capabilities.typed ? "/_mapping/" + RequestPath.segment(type ?? capabilities.documentType) : "/_mapping"
        _ = try transport.call(
            HTTPRequest(.put, path(index) + suffix, body: RequestPath.body(mapping), timeoutSeconds: 90),
            doing: "changing the mapping of \(index)", index: index)
    }

    /// The index's own settings: `{"index": {...}}`.
    public func settings(_ index: String) throws(ClusterError) -> JSONValue {
        let answer = try transport.call(
            HTTPRequest(.get, path(index) + "/_settings"), doing: "reading the settings of \(index)", index: index)
        return answer.object?.first?.value["settings"] ?? .object(JSONObject())
    }

    /// Changes dynamic settings, e.g. `{"index": {"refresh_interval": "1s"}}`; null restores a default (5.0 on).
    public func putSettings(_ index: String, _ settings: JSONValue) throws(ClusterError) {
        _ = try transport.call(
            HTTPRequest(.put, path(index) + "/_settings", body: RequestPath.body(settings), timeoutSeconds: 90),
            doing: "changing the settings of \(index)", index: index)
    }

    /// Makes what was written visible to searches.
    public func refresh(_ index: String) throws(ClusterError) {
        _ = try transport.call(
            HTTPRequest(.post, path(index) + "/_refresh", timeoutSeconds: 300), doing: "refreshing \(index)",
            index: index)
    }

    /// Documents that a search finds; see ``SourceReader/count(_:query:)``.
    public func count(_ index: String, query: JSONValue? = nil) throws(ClusterError) -> Int64 {
        try reader.count(index, query: query)
    }

    // MARK: Aliases

    /// One atomic `_aliases` request; when it returns, every node goes by it. `actions`:
    /// `[{"add": {...}}, {"remove": {...}}]`.
    public func updateAliases(_ actions: JSONValue) throws(ClusterError) {
        let answer = try transport.call(
            HTTPRequest(.post, "/_aliases", body: RequestPath.body(["actions": actions]), timeoutSeconds: 90),
            doing: "changing aliases")
        guard answer["acknowledged"]?.bool == true else {
            throw ClusterError(
                .unavailable, "the change of aliases did not reach every node within 30 s; try again when all answer")
        }
    }

    /// The index's UUID, which another index of the same name does not have; nil when there is no index of that name.
    public func indexUUID(_ name: String) throws(ClusterError) -> String? {
        let answer = try transport.callIfPresent(
            HTTPRequest(.get, path(name) + "/_settings"), doing: "reading the UUID of \(name)", index: name)
        // An alias of that name is answered for with its index's name.
        return answer?.object?[name]?["settings"]?["index"]?["uuid"]?.string
    }

    /// The aliases of an index with their definitions; empty when there are none or no such index.
    public func aliases(of index: String) throws(ClusterError) -> JSONObject {
        let answer = try transport.callIfPresent(
            HTTPRequest(.get, path(index) + "/_alias"), doing: "reading the aliases of \(index)", index: index)
        return answer?.object?.first?.value["aliases"]?.object ?? JSONObject()
    }

    /// The indices behind an alias with its definition in each; empty when there is no such alias.
    public func indices(behind alias: String) throws(ClusterError) -> [(index: String, definition: JSONValue)] {
        let answer = try transport.callIfPresent(
            HTTPRequest(.get, "/_alias/" + RequestPath.segment(alias)), doing: "looking for alias \(alias)")
        return (answer?.object ?? JSONObject()).compactMap { index, description in
            description["aliases"]?[alias].map { (index, $0) }
        }
    }

    // MARK: Health

    /// How an index or the whole cluster is.
    public struct Health: Sendable, Equatable {
        public enum Status: String, Sendable { case green, yellow, red }

        public var status: Status
        public var activeShards: Int
        public var relocatingShards: Int
        public var initializingShards: Int
        public var unassignedShards: Int
        public var dataNodes: Int
    }

    /// Health of `index`, or of the cluster. With `waitFor`, waits up to `seconds` until it is at least that.
    public func health(
        _ index: String? = nil, waitFor: Health.Status? = nil, seconds: Int = 30
    ) throws(ClusterError) -> Health {
        var address = "/_cluster/health" + (index.map { path($0) } ?? "")
        if let waitFor { address += "?wait_for_status=\(waitFor.rawValue)&timeout=\(seconds)s" }
        let doing = "asking for the cluster's health"
        let answer = try transport.perform(HTTPRequest(.get, address, timeoutSeconds: Double(seconds) + 30))
        defer { transport.recycle(answer.body) }
        // 408: waited in vain; the health is in the answer all the same.
        if answer.status != 408,
            let error = ClusterError(answer: answer, from: transport, doing: doing, index: index)
        {
            throw error
        }
        let told = try transport.tree(answer, doing: doing, index: index)
        guard let status = told["status"]?.string.flatMap({ Health.Status(rawValue: $0) }) else {
            throw ClusterError(.malformedAnswer, "the cluster's health names no status", index: index)
        }
        func number(_ key: String) -> Int { Int(clamping: told[key]?.int ?? 0) }
        return Health(
            status: status, activeShards: number("active_shards"), relocatingShards: number("relocating_shards"),
            initializingShards: number("initializing_shards"), unassignedShards: number("unassigned_shards"),
            dataNodes: number("number_of_data_nodes"))
    }

    // MARK: Bulk

    /// Where bulk requests go: the index (and type) are in the path, so that no action line needs them. The answer is
    /// filtered down to `took`, `errors` and each item's `status` and `error`, successful items included.
    public func bulkPath(_ index: String, type: String? = nil) -> String {
        var text = path(index)
        if capabilities.typed { text += "/" + RequestPath.segment(type ?? capabilities.documentType) }
        return text + "/_bulk?filter_path=took,errors,items.*.status,items.*.error"
    }

    /// A bulk request; `body` is NDJSON and not touched until the answer. Goes to one node, once: whether to send it
    /// again is the caller's decision.
    public func bulkRequest(_ path: String, body: ByteBuffer, timeoutSeconds: Double = 120) -> HTTPRequest {
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

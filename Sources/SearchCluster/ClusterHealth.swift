import JSONText

// The health of the target.
extension TargetWriter {
    /// How an index or the whole cluster is.
    package struct Health: Sendable, Equatable {
        package enum Status: String, Sendable { case green, yellow, red }

        package var status: Status
        package var activeShards: Int
        package var relocatingShards: Int
        package var initializingShards: Int
        package var unassignedShards: Int
        package var dataNodes: Int
    }

    /// The health of `index`; nil: of the whole cluster. `waitFor`: waits up to `seconds` until the status is at least
    /// that.
    package func health(
        _ index: String? = nil, waitFor: Health.Status? = nil, seconds: Int = 30
    ) throws(ClusterError) -> Health {
        var address = "/_cluster/health" + (index.map { path($0) } ?? "")
        if let waitFor { address += "?wait_for_status=\(waitFor.rawValue)&timeout=\(seconds)s" }
        let doing = "asking for the cluster's health"
        let answer = try transport.perform(HTTPRequest(.get, address, timeoutSeconds: Double(seconds) + 30))
        defer { transport.recycle(answer.body) }
        // 408 says that the wait was too short. The answer holds the health all the same.
        if answer.status != 408,
            let error = ClusterError(answer: answer, from: transport, doing: doing, index: index)
        {
            throw error
        }
        let told = try transport.tree(answer, doing: doing, index: index)
        guard let status = told["status"]?.string.flatMap({ Health.Status(rawValue: $0) }) else {
            throw ClusterError(.malformedAnswer, "the cluster's health names no status", index: index)
        }
        func number(_ key: String) -> Int { told[key]?.size ?? 0 }
        return Health(
            status: status, activeShards: number("active_shards"), relocatingShards: number("relocating_shards"),
            initializingShards: number("initializing_shards"), unassignedShards: number("unassigned_shards"),
            dataNodes: number("number_of_data_nodes"))
    }
}

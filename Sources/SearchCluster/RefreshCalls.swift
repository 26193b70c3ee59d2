import Indexing
import JSONText

/// Whether a cluster has made everything visible to searches.
package enum Refreshed: Sendable, Equatable {
    case done
    /// It does not let us, and why.
    case refused(String)
}

/// A search shows an index as it was at its last refresh. A copy needs it as it is.
extension ClusterReader {
    /// Makes everything that was written so far visible to searches, on every shard copy. Throws when it cannot be done
    /// now.
    package func refresh(_ index: String) throws(ClusterError) -> Refreshed {
        let answer: JSONValue
        do throws(ClusterError) {
            answer = try transport.tree(
                .refresh(index: index), timeoutSeconds: 300, doing: "refreshing \(index)", index: index)
        } catch {
            guard Self.isForbidden(error) else { throw error }
            return .refused("\(error)")
        }
        guard let shards = answer["_shards"] else {
            throw ClusterError.foreignAnswer("refreshing \(index)", "counts no shards", index: index)
        }
        let failed = shards["failed"]?.count ?? 0
        guard failed > 0 else { return .done }
        let failure = answer["_shards"]?["failures"]?[0]
        let why = failure?["reason"]?["reason"]?.string ?? failure?["reason"]?.string ?? "no reason given"
        let told = transport.quote(why)
        // 2.x says of a read-only index that its shards failed.
        if failure?["status"]?.string == "FORBIDDEN" || why.contains("FORBIDDEN") { return .refused(told) }
        throw ClusterError(
            .partialAnswer, "\(failed) shards of \(index) could not be refreshed; see its health", index: index,
            underlying: told)
    }

    /// Refused by the server or by a proxy before it: a missing privilege, a read-only index, a path that is not open.
    private static func isForbidden(_ error: ClusterError) -> Bool {
        guard let status = error.status, (400..<500).contains(status), ![408, 429].contains(status) else {
            return false
        }
        return status != 404 || error.serverType?.lowercased().contains("index") != true
    }

    /// How often each shard copy was refreshed since its node started.
    package func refreshCounts(_ index: String) throws(ClusterError) -> [ShardCopy: Int64] {
        let answer = try transport.tree(
            .refreshStats(index: index), timeoutSeconds: 30, doing: "reading the statistics of \(index)", index: index)
        var counts: [ShardCopy: Int64] = [:]
        for (shard, copies) in answer["indices"]?[index]?["shards"]?.object ?? JSONObject() {
            for copy in copies.array ?? [] {
                guard let node = copy["routing"]?["node"]?.string, let count = copy["refresh"]?["total"]?.count else {
                    continue
                }
                counts[ShardCopy(shard: shard, node: node)] = count
            }
        }
        guard !counts.isEmpty else {
            throw ClusterError(.malformedAnswer, "the statistics of \(index) name no shard", index: index)
        }
        return counts
    }

    /// How often the index is refreshed, in milliseconds; nil: never.
    package func refreshInterval(_ index: IndexInfo) -> Int64? {
        let own = index.settings["index"]?["refresh_interval"]
        return Self.interval(own ?? defaultInterval(index.name))
    }

    private func defaultInterval(_ index: String) -> JSONValue? {
        // Versions before 6 do not know their defaults, and credentials may not be allowed to ask.
        let answer = try? transport.tree(.settings(index: index), timeoutSeconds: 30, doing: "reading settings")
        let settings = answer?.object?.first?.value
        return settings?["settings"]?["index"]?["refresh_interval"]
            ?? settings?["defaults"]?["index"]?["refresh_interval"]
    }

    /// nil: never. Without a value, or with one that cannot be read, it is a second.
    static func interval(_ setting: JSONValue?) -> Int64? {
        guard let text = (setting?.string ?? setting?.compared.map { "\($0)" })?.lowercased() else { return 1000 }
        let number = text.prefix { $0.isNumber || $0 == "." || $0 == "-" }
        guard let count = Double(number) else { return 1000 }
        guard count > 0 else { return nil }
        let units: [String: Double] = ["": 1, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        let scale = units[String(text.dropFirst(number.count))] ?? (text.hasSuffix("s") ? 0.001 : 1000)
        return Int64(min(1e12, max(1, count * scale)))
    }

    /// A search of each node that has a copy of the index. From 7.0 on, a shard that is not searched is not refreshed.
    package func wake(_ index: String, _ copies: some Sequence<ShardCopy>) {
        for node in Set(copies.map(\.node)) {
            _ = try? transport.tree(
                .search(index: index, parameters: "?preference=_only_nodes:\(RequestPath.query(node))"),
                body: RequestPath.body(["size": 0]), timeoutSeconds: 60, doing: "searching \(index)", index: index)
        }
        _ = try? transport.tree(
            .search(index: index, parameters: ""), body: RequestPath.body(["size": 0]), timeoutSeconds: 60,
            doing: "searching \(index)", index: index)
    }
}

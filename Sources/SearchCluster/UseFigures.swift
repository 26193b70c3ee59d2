import JSONText

/// How often an index was used since its shards started, all copies together.
package struct UseFigures: Sendable, Equatable {
    /// Queries, scrolls, fetches and gets.
    package var reads: Int64
    /// Documents that were written or deleted.
    package var writes: Int64
    /// Searches, scrolls and points in time that are open now.
    package var open: Int64

    package init(reads: Int64, writes: Int64, open: Int64) {
        (self.reads, self.writes, self.open) = (reads, writes, open)
    }

    /// What was done since earlier figures, in words; nil: nothing. Figures that became smaller are those of shards
    /// that started anew, so nothing is known of the time between.
    package func change(since before: UseFigures) -> String? {
        if reads < before.reads || writes < before.writes { return "its shards were started anew" }
        var done: [String] = []
        if reads > before.reads { done.append("\(reads - before.reads) reads") }
        if writes > before.writes { done.append("\(writes - before.writes) writes") }
        return done.isEmpty ? nil : done.joined(separator: " and ")
    }
}

extension TargetWriter {
    /// How an index was used so far.
    package func use(of index: String) throws(ClusterError) -> UseFigures {
        let answer = try transport.call(
            HTTPRequest(.get, path(index) + "/_stats/search,get,indexing", timeoutSeconds: 60),
            doing: "reading the statistics of \(index)", index: index)
        guard let all = answer["_all"]?["total"], let search = all["search"], let query = search["query_total"]?.count
        else { throw ClusterError(.malformedAnswer, "the statistics of \(index) count no searches", index: index) }
        func sum(_ part: JSONValue?, _ names: [String]) -> Int64 {
            names.reduce(0) { $0 &+ (part?[$1]?.count ?? 0) }
        }
        return UseFigures(
            reads: query &+ sum(search, ["fetch_total", "scroll_total"]) &+ sum(all["get"], ["total"]),
            writes: sum(all["indexing"], ["index_total", "delete_total"]),
            open: max(sum(search, ["open_contexts"]), sum(search, ["query_current"]), sum(search, ["scroll_current"])))
    }

    /// All aliases whose names begin like this, with the index that each stands on.
    package func aliases(beginning prefix: String) throws(ClusterError) -> [(alias: String, index: String)] {
        let answer = try transport.callIfPresent(
            HTTPRequest(.get, "/_alias/" + RequestPath.segment(prefix) + "*"), doing: "looking for aliases \(prefix)*")
        return (answer?.object ?? JSONObject()).flatMap { index, description in
            (description["aliases"]?.object?.keys ?? []).filter { $0.hasPrefix(prefix) }.map { ($0, index) }
        }
    }
}

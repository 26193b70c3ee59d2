import JSONText

// The aliases of the target.
extension TargetWriter {
    /// Changes aliases in one atomic request. When it returns, every node uses the new aliases. `actions`:
    /// `[{"add": {...}}, {"remove": {...}}]`.
    package func updateAliases(_ actions: JSONValue) throws(ClusterError) {
        let answer = try transport.call(
            HTTPRequest(.post, "/_aliases", body: RequestPath.body(["actions": actions]), timeoutSeconds: 90),
            doing: "changing aliases")
        guard answer["acknowledged"]?.bool == true else {
            throw ClusterError(
                .unavailable, "the change of aliases did not reach every node within 30 s; try again when all answer")
        }
    }

    /// The UUID of an index; nil when there is no index of that name. An index that is created anew gets another UUID.
    package func indexUUID(_ name: String) throws(ClusterError) -> String? {
        let answer = try transport.callIfPresent(
            HTTPRequest(.get, path(name) + "/_settings"), doing: "reading the UUID of \(name)", index: name)
        // For an alias the answer holds the name of its index instead.
        return answer?.object?[name]?["settings"]?["index"]?["uuid"]?.string
    }

    /// The definition of each alias of an index, by the name of the alias. Empty when the index has none or does not
    /// exist.
    package func aliases(of index: String) throws(ClusterError) -> JSONObject {
        let answer = try transport.callIfPresent(
            HTTPRequest(.get, path(index) + "/_alias"), doing: "reading the aliases of \(index)", index: index)
        return answer?.object?.first?.value["aliases"]?.object ?? JSONObject()
    }

    /// The indices behind an alias, with the definition of the alias in each. Empty when there is no such alias.
    package func indices(behind alias: String) throws(ClusterError) -> [(index: String, definition: JSONValue)] {
        let answer = try transport.callIfPresent(
            HTTPRequest(.get, "/_alias/" + RequestPath.segment(alias)), doing: "looking for alias \(alias)")
        return (answer?.object ?? JSONObject()).compactMap { index, description in
            description["aliases"]?[alias].map { (index, $0) }
        }
    }
}

extension TargetWriter {
    /// How many changes wait on the master, aliases among them.
    package func pendingTasks() throws(ClusterError) -> Int {
        let answer = try transport.call(
            HTTPRequest(.get, "/_cluster/pending_tasks", timeoutSeconds: 30), doing: "asking for pending tasks")
        return answer["tasks"]?.array?.count ?? 0
    }
}

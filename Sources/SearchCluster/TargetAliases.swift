import JSONText

// The aliases of the target.
extension TargetWriter {
    /// Changes aliases in one atomic request. When it returns, every node uses the new aliases. `actions`:
    /// `[{"add": {...}}, {"remove": {...}}]`.
    package func updateAliases(_ actions: JSONValue) throws(ClusterError) {
        try transport.change(
            HTTPRequest(.post, "/_aliases", body: RequestPath.body(["actions": actions]), timeoutSeconds: 90),
            doing: "changing aliases")
    }

    /// The UUID of an index; nil when there is no index of that name. An index that is created anew gets another UUID.
    package func indexUUID(_ name: String) throws(ClusterError) -> String? {
        let doing = "reading the UUID of \(name)"
        let answer = try transport.callIfPresent(
            HTTPRequest(.get, path(name) + "/_settings"), doing: doing, index: name)
        guard let answer, let part = try transport.part(answer, of: name, doing: doing, isNamed: false) else {
            return nil
        }
        return part["settings"]?["index"]?["uuid"]?.string
    }

    /// The definition of each alias of an index, by the name of the alias. Empty when the index has none or does not
    /// exist.
    package func aliases(of index: String) throws(ClusterError) -> JSONObject {
        let doing = "reading the aliases of \(index)"
        guard
            let answer = try transport.callIfPresent(
                HTTPRequest(.get, path(index) + "/_alias"), doing: doing, index: index)
        else { return JSONObject() }
        _ = try transport.part(answer, of: index, doing: doing, isNamed: false)
        return answer.object?.first?.value["aliases"]?.object ?? JSONObject()
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
        guard let tasks = answer["tasks"]?.array else {
            throw ClusterError.foreignAnswer("asking for pending tasks", "lists none", index: nil)
        }
        return tasks.count
    }
}

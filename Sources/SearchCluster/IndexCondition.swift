import JSONText

/// Whether an index can be read and written.
package struct IndexCondition: Sendable, Equatable {
    package var uuid: String?
    package var isClosed = false
    /// Blocks that somebody, or a full disk, has set: `read`, `write`, `read_only`, `read_only_allow_delete`.
    package var blocks: [String] = []
    /// The policy of Elasticsearch's lifecycle management that manages it.
    package var policy: String?
}

extension ClusterReader {
    /// nil: there is no index of that name.
    package func condition(of index: String) throws(ClusterError) -> IndexCondition? {
        let settings: JSONValue?
        do throws(ClusterError) {
            let answer = try transport.tree(.settings(index: index), doing: "looking at \(index)", index: index)
            guard answer.object?.isEmpty == false else {
                throw ClusterError.foreignAnswer("looking at \(index)", "does not name it", index: index)
            }
            settings = answer.object?[index]?["settings"]?["index"]
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
        // For an alias the answer holds the name of its index instead.
        guard let settings else { return nil }
        var found = IndexCondition(uuid: settings["uuid"]?.string)
        found.policy = settings["lifecycle"]?["name"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        for name in ["read", "write", "read_only", "read_only_allow_delete"] {
            let value = settings["blocks"]?[name]
            if value?.string == "true" || value?.bool == true { found.blocks.append(name) }
        }
        guard !found.blocks.contains("read") else { return found }
        do throws(ClusterError) {
            _ = try count(index, query: nil)
        } catch {
            guard error.code == .indexClosed else { throw error }
            found.isClosed = true
        }
        return found
    }
}

import JSONText
import SearchCluster

/// Crossfade's own aliases of a target index, made together with it.
///
/// The two that writes go through have capital letters, which no index may have: when the target index is deleted, its
/// aliases go with it, and a late write cannot make a new index with a guessed mapping under the name it was sent to.
/// Every version of every server refuses it instead (`invalid_index_name_exception`), which stops the work.
package struct TargetAliases: Sendable {
    package let index: String

    package init(index: String) {
        self.index = index
    }

    /// For whoever looks at the new index before the rollover: without tombstones.
    package var readers: String { "\(index)-crossfade-read" }
    /// Where what comes from the log is written.
    package var log: String { "\(index)-crossfade-WRITE" }
    /// Where copied pages are written: open while a copy is unfinished, else closed (P5 in docs/architecture.md).
    package var copy: String { "\(index)-crossfade-COPY" }

    /// For the request that creates the index. The copy's alias is closed; where an alias cannot be closed, it is not
    /// there yet, which refuses as well.
    package func created(_ capabilities: Capabilities) -> JSONValue {
        var aliases = JSONObject()
        aliases[readers] = ["filter": capabilities.notTombstone]
        aliases[log] = [:]
        if capabilities.writeIndex { aliases[copy] = ["is_write_index": false] }
        return .object(aliases)
    }

    /// Gives an index that is there what it lacks of them; of the copy's alias see ``CopyAlias``. Whether it lacked
    /// any.
    @discardableResult
    package func restore(_ writer: TargetWriter) throws(ClusterError) -> Bool {
        let present = try writer.aliases(of: index)
        var actions: [JSONValue] = []
        if present[readers]?["filter"] == nil {
            actions.append([
                "add": [
                    "index": .string(index), "alias": .string(readers), "filter": writer.capabilities.notTombstone,
                ]
            ])
        }
        if present[log] == nil { actions.append(["add": ["index": .string(index), "alias": .string(log)]]) }
        if !actions.isEmpty { try writer.updateAliases(.array(actions)) }
        return !actions.isEmpty
    }
}

/// Opens and closes the copy's alias on a server. Both can be repeated.
///
/// Closed is `is_write_index: false`. Before 6.4 there is no such thing: there the alias is given a second index, the
/// state's, and the server refuses to write through an alias of two.
package struct CopyAlias {
    package let writer: TargetWriter
    /// The migration's state index.
    package let stateIndex: String

    package init(writer: TargetWriter, stateIndex: String) {
        self.writer = writer
        self.stateIndex = stateIndex
    }

    package func open(_ index: String) throws(ClusterError) { try set(index, open: true) }

    package func close(_ index: String) throws(ClusterError) { try set(index, open: false) }

    private func set(_ index: String, open: Bool) throws(ClusterError) {
        let alias = TargetAliases(index: index).copy
        func action(_ verb: String, _ index: String, _ more: JSONObject = [:]) -> JSONValue {
            var body: JSONObject = ["index": .string(index), "alias": .string(alias)]
            for (key, value) in more { body[key] = value }
            return .object(JSONObject([(verb, .object(body))]))
        }
        if writer.capabilities.writeIndex {
            return try writer.updateAliases([action("add", index, ["is_write_index": .bool(open)])])
        }
        let present = Set(try writer.indices(behind: alias).map(\.index))
        let wanted: Set<String> = open ? [index] : [index, stateIndex]
        // Removing what is not there is an error on some versions.
        let actions =
            wanted.subtracting(present).sorted().map { action("add", $0) }
            + present.subtracting(wanted).sorted().map { action("remove", $0) }
        if !actions.isEmpty { try writer.updateAliases(.array(actions)) }
    }
}

import Cutover
import JSONText
import SearchCluster

/// Crossfade's own aliases of a target index. They are created together with it.
///
/// Writes go through two of them, whose names have capital letters. No index may have such a name. So if the target
/// index is deleted, and its aliases with it, a late write cannot create a new index with a guessed mapping. Every
/// version of every server refuses the write instead (`invalid_index_name_exception`), and that stops the work.
package struct TargetAliases: Sendable {
    package let index: String
    /// What the readers' alias shows besides hiding tombstones; nil: everything.
    private let shown: JSONValue?

    package init(index: String, shown: JSONValue? = nil) {
        (self.index, self.shown) = (index, shown)
    }

    /// The filter of an alias for readers.
    package func filter(_ capabilities: Capabilities) -> JSONValue {
        guard let shown else { return capabilities.notTombstone }
        return ["bool": ["must": [shown, capabilities.notTombstone]]]
    }

    /// Reads the new index before the rollover, without tombstones.
    package var readers: String { "\(index)-crossfade-read" }
    /// Writes that come from the log.
    package var log: String { "\(index)-crossfade-WRITE" }
    /// Writes of copied pages. Open while a copy is unfinished, else closed (P5 in docs/architecture.md).
    package var copy: String { "\(index)-crossfade-COPY" }

    /// The last purge, when nothing else may write any more.
    package var purge: String { "\(index)-crossfade-PURGE" }

    /// The aliases of the request that creates the index. The copy's alias is closed. A server that cannot close an
    /// alias does not get it yet, which refuses writes as well.
    package func created(_ capabilities: Capabilities) -> JSONValue {
        var aliases = JSONObject()
        aliases[readers] = ["filter": filter(capabilities)]
        aliases[log] = [:]
        if capabilities.writeIndex { aliases[copy] = ["is_write_index": false] }
        return .object(aliases)
    }

    /// Adds the aliases that an existing index lacks, except the copy's (see ``CopyAlias``). Returns whether any was
    /// missing.
    @discardableResult
    package func restore(_ writer: TargetWriter) throws(ClusterError) -> Bool {
        let present = try writer.aliases(of: index)
        var actions: [JSONValue] = []
        if present[readers]?["filter"] == nil {
            actions.append(AliasAction.add(readers, index, ["filter": filter(writer.capabilities)]))
        }
        if present[log] == nil { actions.append(AliasAction.add(log, index)) }
        if !actions.isEmpty { try writer.updateAliases(.array(actions)) }
        return !actions.isEmpty
    }
}

/// Opens and closes the copy's alias on a server. Both can be repeated.
///
/// A closed alias has `is_write_index: false`. Versions before 6.4 have no such flag. There the alias gets a second
/// index, the state's, and the server refuses to write through an alias of two indices.
package struct CopyAlias {
    package let writer: TargetWriter
    /// The migration's state index.
    package let stateIndex: String

    package init(writer: TargetWriter, stateIndex: String) {
        (self.writer, self.stateIndex) = (writer, stateIndex)
    }

    package func open(_ index: String) throws(ClusterError) { try set(index, open: true) }

    package func close(_ index: String) throws(ClusterError) { try set(index, open: false) }

    private func set(_ index: String, open: Bool) throws(ClusterError) {
        let alias = TargetAliases(index: index).copy
        if writer.capabilities.writeIndex {
            return try writer.updateAliases([AliasAction.add(alias, index, ["is_write_index": .bool(open)])])
        }
        let present = Set(try writer.indices(behind: alias).map(\.index))
        let wanted: Set<String> = open ? [index] : [index, stateIndex]
        // Some versions refuse to remove an alias that is not there.
        let actions =
            wanted.subtracting(present).sorted().map { AliasAction.add(alias, $0) }
            + present.subtracting(wanted).sorted().map { AliasAction.remove(alias, $0) }
        if !actions.isEmpty { try writer.updateAliases(.array(actions)) }
    }
}

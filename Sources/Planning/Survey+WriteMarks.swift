import Parity
import SearchCluster

extension Survey {
    /// How far the old indices are written by now, by name. Counters of single copies say nothing where sequence
    /// numbers do, which all copies share.
    package func writeMarks() throws(ClusterError) -> [WriteMark] {
        guard let reader = source?.reader else { return [] }
        var marks: [String: WriteMark] = [:]
        for index in entries.flatMap(\.source) where marks[index.name] == nil {
            var mark = WriteMark(index: index.name, uuid: index.uuid, shards: [:])
            for copy in try reader.copies(index.name) {
                if let number = copy.sequence {
                    guard case .sequence(let other) = mark.shards[copy.shard], other >= number else {
                        mark.shards[copy.shard] = .sequence(number)
                        continue
                    }
                } else if copy.isPrimary, let written = copy.written {
                    mark.shards[copy.shard] = .written(written, node: copy.node)
                }
            }
            marks[index.name] = mark
        }
        return marks.values.sorted { $0.index < $1.index }
    }

    /// All aliases of the old indices.
    package var sourceAliases: Set<String> { Set(entries.flatMap(\.source).flatMap { $0.aliases.map(\.key) }) }

    /// The UUIDs of the old indices, by name, as far as the server says them.
    package var sourceUUIDs: [String: String] {
        Dictionary(entries.flatMap(\.source).compactMap { info in info.uuid.map { (info.name, $0) } }) { one, _ in one }
    }
}

import SearchCluster

/// Blocks of the state index, with which no work can begin, no reader move and nothing be undone.
package struct StateBlock: Sendable, Equatable {
    package let index: String
    /// As the server names them, without `index.blocks.`.
    package let blocks: [String]
    /// Of the whole cluster.
    package let cluster: [ClusterBlock]

    /// nil: nothing blocks it.
    package init?(index: String, blocks: [String], cluster: [ClusterBlock] = []) {
        guard !blocks.isEmpty || !cluster.isEmpty else { return nil }
        (self.index, self.blocks, self.cluster) = (index, blocks, cluster)
    }

    package var words: String {
        var names = Set(cluster.map(\.setting)).sorted().map { "\($0): the whole cluster" }
        if !blocks.isEmpty {
            let why = isByDisk ? ": a server sets that when a disk of its nodes is nearly full" : ""
            names.append(blocks.map { "index.blocks.\($0)" }.joined(separator: ", ") + why)
        }
        return "the state index \(index) takes no writes (\(names.joined(separator: "; ")))"
    }

    /// What a person has to do. In a blocked cluster no index is released, and its server takes no other request
    /// than one that takes off one such setting.
    package var mend: String {
        var steps = isByDisk ? ["make room on the disks of the data nodes"] : []
        steps += cluster.map { "PUT /_cluster/settings {\"\($0.scope.rawValue)\": {\"\($0.setting)\": null}}" }
        if !blocks.isEmpty {
            let settings = blocks.map { "\"blocks.\($0)\": false" }.joined(separator: ", ")
            steps.append("PUT /\(index)/_settings {\"index\": {\(settings)}}")
        }
        return steps.joined(separator: ", then ")
    }

    private var isByDisk: Bool { blocks.contains("read_only_allow_delete") }
}

extension StateStore {
    /// nil: nothing blocks the state index, or that cannot be asked now.
    package func block() -> StateBlock? {
        StateBlock(
            index: index, blocks: ((try? reader.condition(of: index)) ?? nil)?.blocks ?? [],
            cluster: (try? reader.clusterBlocks()) ?? [])
    }

    /// The error of a write that the server has refused because of a block, with what to do.
    func explained(_ error: ClusterError) -> ClusterError {
        guard error.isBlock, let block = block() else { return error }
        var told = error
        told.message = "\(block.words). Nothing was changed. To go on: \(block.mend); then run it again"
        return told
    }
}

import SearchCluster

/// Blocks of the state index, with which no work can begin, no reader move and nothing be undone.
package struct StateBlock: Sendable, Equatable {
    package let index: String
    /// As the server names them, without `index.blocks.`.
    package let blocks: [String]

    /// nil: nothing blocks it.
    package init?(index: String, blocks: [String]) {
        guard !blocks.isEmpty else { return nil }
        (self.index, self.blocks) = (index, blocks)
    }

    package var words: String {
        let names = blocks.map { "index.blocks.\($0)" }.joined(separator: ", ")
        let why = isByDisk ? ": a server sets that when a disk of its nodes is nearly full" : ""
        return "the state index \(index) takes no writes (\(names)\(why))"
    }

    /// What a person has to do.
    package var mend: String {
        let settings = blocks.map { "\"blocks.\($0)\": false" }.joined(separator: ", ")
        let release = "PUT /\(index)/_settings {\"index\": {\(settings)}}"
        return isByDisk ? "make room on the disks of the data nodes, then \(release)" : release
    }

    private var isByDisk: Bool { blocks.contains("read_only_allow_delete") }
}

extension StateStore {
    /// nil: nothing blocks the state index, or that cannot be asked now.
    package func block() -> StateBlock? {
        StateBlock(index: index, blocks: ((try? reader.condition(of: index)) ?? nil)?.blocks ?? [])
    }

    /// The error of a write that the server has refused because of a block, with what to do.
    func explained(_ error: ClusterError) -> ClusterError {
        guard error.isBlock, let block = block() else { return error }
        var told = error
        told.message = "\(block.words). Nothing was changed. To go on: \(block.mend); then run it again"
        return told
    }
}

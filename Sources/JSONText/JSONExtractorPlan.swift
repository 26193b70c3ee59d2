extension JSONExtractor {
    /// Builds the tree of the paths.
    struct Plan {
        final class Branch {
            var name = ""
            var children: [Branch] = []
            var paths: [Int] = []
        }

        var nodes: [Node] = []
        var names = ByteBuffer()
        var slotOfPath: [Int] = []
        var slotCount = 0

        mutating func build(_ paths: [JSONPath]) {
            slotOfPath = Array(repeating: 0, count: paths.count)
            let root = Branch()
            for (index, path) in paths.enumerated() {
                var branch = root
                for name in path.names {
                    if let known = branch.children.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) {
                        branch = known
                    } else {
                        let new = Branch()
                        new.name = name
                        branch.children.append(new)
                        branch = new
                    }
                }
                branch.paths.append(index)
            }
            nodes.append(Node())
            lay(root, at: 0)
        }

        /// Fills the node at `index`. Appends its children next to each other, and then the nodes below them.
        private mutating func lay(_ branch: Branch, at index: Int) {
            nodes[index].nameStart = names.count
            names.append(branch.name)
            nodes[index].nameCount = names.count - nodes[index].nameStart
            nodes[index].firstSlot = slotCount
            if !branch.paths.isEmpty {
                nodes[index].slot = slotCount
                for path in branch.paths { slotOfPath[path] = slotCount }
                slotCount += 1
            }
            let first = nodes.count
            nodes[index].firstChild = first
            nodes[index].childCount = branch.children.count
            for _ in branch.children { nodes.append(Node()) }
            for (offset, child) in branch.children.enumerated() { lay(child, at: first + offset) }
            nodes[index].endSlot = slotCount
        }
    }
}

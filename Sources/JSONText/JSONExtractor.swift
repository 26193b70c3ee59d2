/// One validating pass over a text that finds the values at several paths.
///
/// Paths lead through objects only; what an array holds is not found. Of duplicate keys the last wins, as a whole: a
/// value under an earlier one of the same name is absent. Reused text after text, without allocation; one a thread.
public final class JSONExtractor {
    /// A name on some path; its children lie in a row.
    private struct Node {
        var nameStart = 0
        var nameCount = 0
        var firstChild = 0
        var childCount = 0
        /// The slot of the path that ends here, or -1.
        var slot = -1
        /// The slots of this node and all below it.
        var firstSlot = 0
        var endSlot = 0
        /// The keys of the objects that are looked into; their numbers are those of the children. nil: there are none.
        var keys: KeyMemory?
    }

    private let nodes: UnsafeMutablePointer<Node>
    private let names: ByteBuffer
    @usableFromInline let slots: UnsafeMutablePointer<JSONSlice>
    @usableFromInline let slotOfPath: UnsafeMutablePointer<Int>
    @usableFromInline let pathCount: Int
    private let slotCount: Int
    private let nodeCount: Int
    private let scratch = ByteBuffer()
    /// Takes over the value at the path of that index, when it is an object and no other path leads into it.
    private var scanner: (any JSONValueScanner)?
    private var scannedSlot = -1
    /// Where the text's value itself is.
    public private(set) var root: JSONSlice = .absent
    /// Whether the text has raw line ends between its tokens.
    public private(set) var hasNewlines = false

    public init(paths: [JSONPath]) {
        var plan = Plan()
        plan.build(paths)
        names = plan.names
        pathCount = paths.count
        slotOfPath = .allocate(capacity: max(pathCount, 1))
        slotOfPath.initialize(from: plan.slotOfPath, count: pathCount)
        slotCount = plan.slotCount
        nodeCount = plan.nodes.count
        nodes = .allocate(capacity: plan.nodes.count)
        nodes.initialize(from: plan.nodes, count: plan.nodes.count)
        for node in 0..<nodeCount where nodes[node].childCount > 0 { nodes[node].keys = KeyMemory() }
        slots = .allocate(capacity: max(plan.slotCount, 1))
        slots.initialize(repeating: .absent, count: max(plan.slotCount, 1))
    }

    deinit {
        for node in 0..<nodeCount { nodes[node].keys?.deallocate() }
        nodes.deinitialize(count: nodeCount).deallocate()
        slots.deinitialize(count: max(slotCount, 1)).deallocate()
        slotOfPath.deinitialize(count: pathCount).deallocate()
    }

    /// Hands objects at the path of that index to `scanner`, which scans them instead of us.
    public func hand(_ path: Int, to scanner: any JSONValueScanner) {
        self.scanner = scanner
        scannedSlot = slotOfPath[path]
    }

    /// The value at the path of that index in the last text; absent after an error.
    public subscript(_ path: Int) -> JSONSlice {
        @inlinable @inline(__always) get {
            assert(path >= 0 && path < pathCount)
            return slots[slotOfPath[path]]
        }
    }

    /// Validates `bytes` whole, as ``JSONScanner/validate(_:maxDepth:)`` does, and finds the values.
    public func extract(_ bytes: Bytes) throws(JSONError) {
        forget(0, slotCount)
        root = .absent
        do throws(JSONError) {
            guard let text = bytes.baseAddress else { throw JSONError(.unexpectedEnd, at: 0) }
            var newlines = false
            let start = JSONScanner.space(text, 0, bytes.count, &newlines)
            let found = try value(text, start, bytes.count, nodes, JSONScanner.maxDepth, &newlines)
            let rest = JSONScanner.space(text, found.end, bytes.count, &newlines)
            guard rest == bytes.count else { throw JSONError(.trailingBytes, at: rest) }
            root = found
            hasNewlines = newlines
        } catch {
            forget(0, slotCount)
            throw error
        }
    }

    private func forget(_ from: Int, _ to: Int) {
        var slot = from
        while slot < to {
            slots[slot] = .absent
            slot &+= 1
        }
    }

    /// The value at `start`, which is `node`'s.
    private func value(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ node: UnsafePointer<Node>, _ levels: Int,
        _ newlines: inout Bool
    ) throws(JSONError) -> JSONSlice {
        let isObject = start < end && text[start] == UInt8(ascii: "{")
        let found: JSONSlice
        if isObject, node.pointee.childCount > 0 {
            let after = try object(text, start, end, node, levels, &newlines)
            found = JSONSlice(kind: .object, start: start, end: after)
        } else if isObject, node.pointee.slot >= 0, node.pointee.slot == scannedSlot, let scanner {
            let after = try scanner.scan(text, start, end, levels, &newlines)
            found = JSONSlice(kind: .object, start: start, end: after)
        } else {
            found = try JSONScanner.slice(text, start, end, levels, &newlines)
        }
        if node.pointee.slot >= 0 { slots[node.pointee.slot] = found }
        return found
    }

    private func object(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ node: UnsafePointer<Node>, _ levels: Int,
        _ newlines: inout Bool
    ) throws(JSONError) -> Int {
        guard levels > 0 else { throw JSONError(.tooDeep, at: start) }
        var at = JSONScanner.space(text, start &+ 1, end, &newlines)
        if at < end, text[at] == UInt8(ascii: "}") { return at &+ 1 }
        // Only nodes with children come here.
        let keys = node.pointee.keys.unsafelyUnwrapped
        var place = 0
        while true {
            let number: Int32
            if keys.isNext(place, text, at, end) {
                number = keys.number(place)
                at = JSONScanner.space(text, at &+ keys.length(place), end, &newlines)
                place &+= 1
            } else {
                var escaped = false
                let key = try JSONScanner.key(text, at, end, &escaped, &newlines)
                number = try child(of: node, text + at + 1, key.quote &- at &- 1, escaped)
                if !escaped { place = keys.found(text, at, key.quote, end, number: number, at: place) }
                at = key.value
            }
            if number >= 0 {
                let child = nodes + Int(number)
                // A leaf has its own only, which is set now.
                if child.pointee.childCount > 0 { forget(child.pointee.firstSlot, child.pointee.endSlot) }
                at = try value(text, at, end, child, levels &- 1, &newlines).end
            } else {
                at = try JSONScanner.skip(text, at, end, levels &- 1, &newlines)
            }
            if JSONScanner.isNextKey(text, at, end) {
                at &+= 1
                continue
            }
            at = JSONScanner.space(text, at, end, &newlines)
            guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
            if text[at] == UInt8(ascii: "}") { return at &+ 1 }
            guard text[at] == UInt8(ascii: ",") else { throw JSONError(.unexpectedByte, at: at) }
            at = JSONScanner.space(text, at &+ 1, end, &newlines)
        }
    }

    /// The number of the child with that key, or -1.
    private func child(
        of node: UnsafePointer<Node>, _ key: UnsafePointer<UInt8>, _ count: Int, _ escaped: Bool
    ) throws(JSONError) -> Int32 {
        var key = key
        var count = count
        if escaped {
            scratch.removeAll()
            try JSONString.unescape(content: key, count: count, into: scratch)
            key = UnsafePointer(scratch.base)
            count = scratch.count
        }
        var index = node.pointee.firstChild
        let last = index &+ node.pointee.childCount
        while index < last {
            let candidate = nodes + index
            if candidate.pointee.nameCount == count,
                JSONScanner.same(names.base + candidate.pointee.nameStart, key, count)
            {
                return Int32(truncatingIfNeeded: index)
            }
            index &+= 1
        }
        return -1
    }

    /// The trie of the paths, built once.
    private struct Plan {
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

        /// Fills in the node at `index` and appends its children, in a row, and what is below them.
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

extension JSONScanner {
    /// Whether two texts of `count` bytes are the same; short ones are the rule.
    @inlinable @inline(__always) public static func same(
        _ one: UnsafePointer<UInt8>, _ other: UnsafePointer<UInt8>, _ count: Int
    ) -> Bool {
        var at = 0
        while at &+ 8 <= count {
            guard word(one, at) == word(other, at) else { return false }
            at &+= 8
        }
        while at < count {
            guard one[at] == other[at] else { return false }
            at &+= 1
        }
        return true
    }
}

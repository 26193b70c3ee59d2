/// Finds the values at several paths in one pass over a text, which also validates the text.
///
/// A path leads through objects only, not into arrays. Of members with the same name the last counts as a whole: a
/// value inside an earlier one is absent. An extractor is used for one text after the other and allocates nothing. Each
/// thread needs its own.
public final class JSONExtractor {
    /// A name on a path. Its children are next to each other.
    struct Node {
        var nameStart = 0
        var nameCount = 0
        var firstChild = 0
        var childCount = 0
        /// The slot of the path that ends here; -1: none ends here.
        var slot = -1
        /// The first slot of this node and of all nodes below it.
        var firstSlot = 0
        /// The end of these slots.
        var endSlot = 0
        /// The keys of the objects here, numbered as the children; nil when this node has no children.
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
    /// Scans the value in ``scannedSlot``, when that is an object and no other path leads into it. A constant and never
    /// nil: else its references would be counted for each record.
    private let scanner: any JSONValueScanner
    private let scannedSlot: Int
    // The variables are not checked for exclusive access while running: an extractor belongs to one thread, and a check
    // would be made for each record (docs/performance.md).

    @exclusivity(unchecked) @usableFromInline var whole: JSONSlice = .absent
    /// The place of the whole value. Other modules read it through a getter that they inline: a stored field would be
    /// checked there.
    public var root: JSONSlice { @inlinable @inline(__always) get { whole } }
    /// Whether there are raw line ends between tokens of the text.
    @exclusivity(unchecked) public private(set) var hasNewlines = false

    /// `scanner` scans the objects at the path with the number `scanned`; -1: at none.
    public init(paths: [JSONPath], scanned: Int = -1, by scanner: (any JSONValueScanner)? = nil) {
        var plan = Plan()
        plan.build(paths)
        self.scanner = scanner ?? NoScanner()
        scannedSlot = scanner != nil && scanned >= 0 ? plan.slotOfPath[scanned] : -1
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

    /// The value at the path with this number, in the last text. It is absent after an error.
    public subscript(_ path: Int) -> JSONSlice {
        @inlinable @inline(__always) get {
            assert(path >= 0 && path < pathCount)
            return slots[slotOfPath[path]]
        }
    }

    /// Validates the whole text, as ``JSONScanner/validate(_:maxDepth:)`` does, and finds the values.
    public func extract(_ bytes: Bytes) throws(JSONError) {
        forget(0, slotCount)
        whole = .absent
        do throws(JSONError) {
            guard let text = bytes.baseAddress else { throw JSONError(.unexpectedEnd, at: 0) }
            var newlines = false
            let start = JSONScanner.space(text, 0, bytes.count, &newlines)
            let found = try value(text, start, bytes.count, nodes, JSONScanner.maxDepth, &newlines)
            let rest = JSONScanner.space(text, found.end, bytes.count, &newlines)
            guard rest == bytes.count else { throw JSONError(.trailingBytes, at: rest) }
            whole = found
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

    /// Scans the value at `start`, which belongs to `node`.
    private func value(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ node: UnsafePointer<Node>, _ levels: Int,
        _ newlines: inout Bool
    ) throws(JSONError) -> JSONSlice {
        let isObject = start < end && text[start] == UInt8(ascii: "{")
        let found: JSONSlice
        if isObject, node.pointee.childCount > 0 {
            let after = try object(text, start, end, node, levels, &newlines)
            found = JSONSlice(kind: .object, start: start, end: after)
        } else if isObject, node.pointee.slot >= 0, node.pointee.slot == scannedSlot {
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
        // Only a node with children gets here, and it has keys.
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
                // A leaf has only its own slot, which is set now.
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

    /// The number of the child with this key; -1: there is none.
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
}

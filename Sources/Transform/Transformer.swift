import Commands
import JSONText

/// Brings documents into the form that the new schema wants: the recipe's steps, compiled once, on bytes.
///
/// A document is scanned once, and strictly. Objects that a step's path leads into become nodes; all else stays a range
/// of the document's text, is never parsed, and comes out as it was, duplicate keys included. Where nodes are built,
/// the
/// last of duplicate keys wins. Steps change nodes and write new text into a scratch buffer; at the end the ranges are
/// copied out in order. One a thread; its buffers are reused from document to document.
public final class Transformer {
    let program: Program
    let arena = NodeArena()
    let scratch = ByteBuffer(capacity: 4096)
    let keys = ByteBuffer(capacity: 1024)
    let copy = ByteBuffer()
    /// The document, and the base of a merge, without white space, where they had line ends.
    let compacted = ByteBuffer()
    let compactedBase = ByteBuffer()
    /// What the scan collected of maps that are to be flattened.
    let collected = PairList()
    let members = PairList()
    let leaves = PairList()
    let removals = PairList()
    /// The keys that whole documents had.
    let rootKeys = KeyMemory()

    @exclusivity(unchecked) var document: Bytes
    @exclusivity(unchecked) var base: Bytes
    @exclusivity(unchecked) var ahead = Ahead()
    /// Where in the output the document begins.
    @exclusivity(unchecked) var outputStart = 0
    /// Whether a partial document goes through the steps.
    @exclusivity(unchecked) var isMerging = false
    /// What is written for one document, at most, so that a giant key over a million values cannot fill the memory.
    static let scratchLimit = 256 << 20

    /// The steps must have passed the recipe's check; a `set` whose value is not JSON sets null.
    public init(_ steps: [TransformStep]) {
        program = Program(steps)
        document = Bytes(start: nil, count: 0)
        base = document
    }

    deinit {
        arena.deallocate()
        rootKeys.deallocate()
        for list in [collected, members, leaves, removals] { list.deallocate() }
    }

    /// Appends the transformed document to `out` as one line of JSON (no line ends, not even at the end).
    ///
    /// `document` must be the text of an object. `out` is as before when it throws. `document` must not lie in `out`.
    public func apply(_ document: Bytes, into out: ByteBuffer) throws(TransformError) {
        isMerging = false
        try guarded(out) { () throws(TransformError) in
            let root: Int32
            if let scanned = takeAhead(document) { root = scanned } else { root = try read(document) }
            try runSteps(root)
            if arena[root].step == Node.holdsReserved { try refuseReserved(root) }
            try emit(root, into: out)
        }
    }

    /// Throws when the document still has a field that only a tombstone has: it would be taken for one.
    @inline(never) func refuseReserved(_ root: Int32) throws(TransformError) {
        for (field, name) in zip(Tombstone.fields, [program.index.reserved.0, program.index.reserved.1])
        where arena.member(of: root, named: name) >= 0 {
            throw TransformError(
                reason: "reserved_field",
                detail: "the document has a field \"\(field)\", which is Crossfade's mark of a deleted document")
        }
    }

    /// Runs `body` and forgets what it used, and what it wrote if it fails.
    @inline(__always) func guarded(
        _ out: ByteBuffer, _ body: () throws(TransformError) -> Void
    ) throws(TransformError) {
        let mark = out.count
        outputStart = mark
        defer { forget() }
        do throws(TransformError) {
            try body()
        } catch {
            out.count = mark
            throw error
        }
    }

    func forget() {
        document = Bytes(start: nil, count: 0)
        base = document
        arena.removeAll()
        keys.removeAll()
        collected.removeAll()
        members.removeAll()
        leaves.removeAll()
        removals.removeAll()
        if scratch.count > 1 << 20 { scratch.removeAll(keepingAtMost: 1 << 20) } else { scratch.removeAll() }
        if compacted.count > 1 << 20 { compacted.removeAll(keepingAtMost: 1 << 20) }
        if compactedBase.count > 1 << 20 { compactedBase.removeAll(keepingAtMost: 1 << 20) }
    }

    /// Scans the document and builds its nodes.
    @inline(__always) func read(_ text: Bytes) throws(TransformError) -> Int32 {
        document = text
        var newlines = false
        let root = try scan(.document, eager: 0, &newlines)
        guard newlines else { return root }
        compacted.removeAll()
        Compaction.append(text, into: compacted)
        document = compacted.bytes
        arena.removeAll()
        collected.removeAll()
        return try scan(.document, eager: 0, &newlines)
    }

    /// The root node of a whole text. `eager`: the branch of names whose values are expanded at once.
    func scan(_ source: TextSource, eager: Int32, _ newlines: inout Bool) throws(TransformError) -> Int32 {
        let text = source == .base ? base : document
        guard text.count < Int32.max / 2 else {
            throw TransformError(reason: "too_large", detail: "the document has \(text.count) bytes")
        }
        do throws(JSONError) {
            guard let start = text.baseAddress else { throw JSONError(.unexpectedEnd, at: 0) }
            let first = JSONScanner.space(start, 0, text.count, &newlines)
            let root = arena.add(Node(shape: .object))
            guard first < text.count, start[first] == UInt8(ascii: "{") else {
                try JSONScanner.validate(text)
                throw JSONError(.unexpectedByte, at: -1)
            }
            var scan = Scan(text: start, end: text.count, source: source, of: self)
            var at = try scan.object(root, first, eager, JSONScanner.maxDepth)
            at = JSONScanner.space(start, at, text.count, &scan.newlines)
            guard at == text.count else { throw JSONError(.trailingBytes, at: at) }
            if scan.newlines { newlines = true }
            return root
        } catch {
            guard error.offset >= 0 else {
                throw TransformError(reason: "not_an_object", detail: "the document is JSON, but not an object")
            }
            throw TransformError(error)
        }
    }

    @inline(__always) func pointer(_ source: TextSource) -> UnsafePointer<UInt8> {
        switch source {
        case .document: document.baseAddress ?? UnsafePointer(scratch.base)
        case .base: base.baseAddress ?? UnsafePointer(scratch.base)
        case .scratch: UnsafePointer(scratch.base)
        case .constants: UnsafePointer(program.constants.base)
        case .keys: UnsafePointer(keys.base)
        case .copy: UnsafePointer(copy.base)
        }
    }

    @inline(__always) func firstByte(_ range: TextRange) -> UInt8 {
        range.count > 0 ? pointer(range.source)[Int(range.start)] : 0
    }

    /// Makes nodes of what is in a raw object or array.
    @inline(__always) func open(_ node: Int32) throws(TransformError) -> NodeShape {
        let shape = arena[node].shape
        if shape == .object || shape == .array { return shape }
        if shape == .map { try flatten(node) }
        guard arena[node].shape == .raw else { return shape }
        let first = firstByte(arena[node].text)
        guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return .raw }
        return try expand(node, everyMember: false)
    }

    @inline(never) func expand(_ node: Int32, everyMember: Bool) throws(TransformError) -> NodeShape {
        let range = arena[node].text
        let isObject = firstByte(range) == UInt8(ascii: "{")
        arena.pointer(node).pointee.shape = isObject ? .object : .array
        arena.pointer(node).pointee.first = -1
        arena.pointer(node).pointee.last = -1
        arena.pointer(node).pointee.step = -1
        var scan = Scan(text: pointer(range.source), end: Int(range.end), source: range.source, of: self)
        scan.everyMember = everyMember
        do throws(JSONError) {
            if isObject {
                _ = try scan.object(node, Int(range.start), -1, JSONScanner.maxDepth)
            } else {
                _ = try scan.array(node, Int(range.start), -1, JSONScanner.maxDepth)
            }
        } catch {
            throw TransformError(error)
        }
        return arena[node].shape
    }
}

// Writing the result.
extension Transformer {
    func emit(_ node: Int32, into out: ByteBuffer) throws(TransformError) {
        switch arena[node].shape {
        case .raw, .run: append(arena[node].text, into: out)
        case .object: try emitChildren(node, isObject: true, into: out)
        case .array: try emitChildren(node, isObject: false, into: out)
        case .map:
            try flatten(node)
            append(arena[node].text, into: out)
        case .collected: try writeCollected(node, program.steps[Int(arena[node].step)], into: out)
        case .gone, .erased: break
        }
    }

    private func emitChildren(_ node: Int32, isObject: Bool, into out: ByteBuffer) throws(TransformError) {
        out.append(isObject ? UInt8(ascii: "{") : UInt8(ascii: "["))
        var child = arena[node].first
        var isFirst = true
        while child >= 0 {
            let member = arena[child]
            if member.shape != .gone, member.shape != .erased {
                if !isFirst { out.append(UInt8(ascii: ",")) }
                isFirst = false
                if isObject, member.shape != .run {
                    out.append(UInt8(ascii: "\""))
                    append(member.key, into: out)
                    out.append("\":")
                }
                if member.shape == .raw || member.shape == .run {
                    append(member.text, into: out)
                } else {
                    try emit(child, into: out)
                }
            }
            child = member.next
        }
        out.append(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
    }

    @inline(__always) func append(_ range: TextRange, into out: ByteBuffer) {
        // Before it is asked where the text is: that may be in `out`, which moves when it grows.
        out.reserve(range.count)
        out.append(pointer(range.source) + Int(range.start), range.count)
    }

    /// Writes a node that was expanded back into one piece of text.
    func collapse(_ node: Int32) throws(TransformError) {
        let shape = arena[node].shape
        guard shape == .object || shape == .array || shape == .collected else { return }
        if shape != .collected { try flattenMaps(in: node) }
        let start = scratch.count
        try emit(node, into: scratch)
        arena.setText(of: node, to: try written(from: start))
    }

    /// Flattens the maps below a node. Doing it while the node is written would put their text into the midst of its.
    private func flattenMaps(in node: Int32) throws(TransformError) {
        var child = arena[node].first
        while child >= 0 {
            switch arena[child].shape {
            case .map: try flatten(child)
            case .object, .array: try flattenMaps(in: child)
            default: break
            }
            child = arena[child].next
        }
    }

    static func tooLong() -> TransformError {
        TransformError(
            reason: "too_large", detail: "the transformed document has more than \(scratchLimit) bytes")
    }

    /// What was appended to scratch since `start`.
    func written(from start: Int) throws(TransformError) -> TextRange {
        guard scratch.count <= Self.scratchLimit, keys.count <= Self.scratchLimit else { throw Self.tooLong() }
        return TextRange(
            source: .scratch, start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: scratch.count))
    }
}

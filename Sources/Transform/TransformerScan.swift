import JSONText

// Scans documents into nodes.
extension Transformer {
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

    /// Scans a whole text and returns its root node. `eager`: the branch of the names whose values become nodes at
    /// once.
    func scan(_ source: TextSource, eager: Int32, _ newlines: inout Bool) throws(TransformError) -> Int32 {
        let text = source == .base ? base : document
        guard text.count < Self.longestDocument else {
            throw TransformError(
                reason: "too_large",
                detail: "the document has \(text.count) bytes, \(Self.longestDocument) or more (fixed limit "
                    + "document_bytes)")
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

    /// Makes nodes of the members or elements of a raw object or array. Returns the shape of the node then.
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
        scan.again = knownEnds
        scan.low = Int(range.start)
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

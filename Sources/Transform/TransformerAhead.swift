import JSONText

/// Scans ahead. While the decoder scans a record, it lets the transformer scan the document in it, so that the bytes
/// are scanned only once. A later ``Transformer/apply(_:into:)`` on exactly these bytes starts with the result.
///
/// Until then the bytes must not change, and the same transformer must not scan others.
extension Transformer: JSONValueScanner {
    /// The document that was scanned ahead and not yet applied.
    struct Ahead {
        var start: UnsafePointer<UInt8>?
        var count = 0
        var root: Int32 = -1
    }

    /// Starts with another document: drops one that was scanned ahead.
    func begin() {
        if ahead.start != nil { dropAhead() }
    }

    func dropAhead() {
        ahead = Ahead()
        forget()
    }

    public func scan(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ levels: Int, _ newlines: inout Bool
    ) throws(JSONError) -> Int {
        begin()
        // Offsets in nodes have 32 bits. `apply` scans a larger text itself and reports it.
        guard end &- start < Int32.max / 2 else { return try JSONScanner.skip(text, start, end, levels, &newlines) }
        document = Bytes(start: text + start, count: end &- start)
        let root = arena.add(Node(shape: .object))
        var scan = Scan(text: text + start, end: end &- start, source: .document, of: self)
        do throws(JSONError) {
            let after = try scan.object(root, 0, 0, levels)
            if scan.newlines {
                // Line ends must be removed before nodes are built. `apply` does that.
                newlines = true
                forget()
            } else {
                ahead = Ahead(start: text + start, count: after, root: root)
            }
            return start &+ after
        } catch {
            forget()
            throw JSONError(error.kind, at: error.offset &+ start)
        }
    }

    /// The root of `text` if exactly that was scanned ahead, else nil.
    @inline(__always) func takeAhead(_ text: Bytes) -> Int32? {
        guard let start = ahead.start else { return nil }
        guard start == text.baseAddress, ahead.count == text.count else {
            dropAhead()
            return nil
        }
        document = text
        ahead.start = nil
        return ahead.root
    }
}

import JSONText

// Writes the result.
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
        // Reserve first: the text may be in `out` itself, which moves when it grows.
        out.reserve(range.count)
        out.append(pointer(range.source) + Int(range.start), range.count)
    }

    /// Makes a node with children one piece of text again.
    func collapse(_ node: Int32) throws(TransformError) {
        let shape = arena[node].shape
        guard shape == .object || shape == .array || shape == .collected else { return }
        if shape != .collected { try flattenMaps(in: node) }
        let start = scratch.count
        try emit(node, into: scratch)
        arena.setText(of: node, to: try written(from: start))
    }

    /// Flattens the maps below a node. This must come before the node is written, because both write to the scratch
    /// buffer.
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

    func tooLong() -> TransformError {
        TransformError(
            reason: "too_large",
            detail: "the transformed document would have more than \(growthLimit) bytes (fixed limit "
                + "document_growth)")
    }

    /// The text in the scratch buffer from `start` on.
    func written(from start: Int) throws(TransformError) -> TextRange {
        guard scratch.count <= growthLimit, keys.count <= growthLimit else { throw tooLong() }
        return TextRange(
            source: .scratch, start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: scratch.count))
    }
}

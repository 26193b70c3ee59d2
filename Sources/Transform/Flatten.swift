import JSONText

// keyToValue makes an array of pairs of a map.
extension Transformer {
    func keyToValue(_ member: Int32, _ step: CompiledStep, _ index: Int32) throws(TransformError) {
        if arena[member].shape == .map { try flatten(member) }
        if isMerging, arena[member].shape == .object { noteErased(in: member) }
        try collapse(member)
        if arena[member].step == Node.pairsCollected, !isMerging {
            if step.lowercase {
                let pairs = ordered(collected, from: Int(arena[member].first), to: Int(arena[member].last))
                return try writePairs(pairs, step, to: member)
            }
            arena.pointer(member).pointee.shape = .collected
            arena.pointer(member).pointee.step = index
            // The pairs are written with the document, unless a later step reads them.
            if !step.isLastOnPath { try collapse(member) }
            return
        }
        arena.pointer(member).pointee.step = index
        let first = firstByte(arena[member].text)
        if isMerging, first == UInt8(ascii: "{") {
            arena.pointer(member).pointee.shape = .map
            return
        }
        try flatten(member)
    }

    /// Keeps the members that earlier steps erased from a map, as empty arrays. In a merge by key, an empty array
    /// removes the pairs of its key and adds none.
    private func noteErased(in object: Int32) {
        var child = arena[object].first
        while child >= 0 {
            if arena[child].shape == .erased {
                let start = scratch.count
                scratch.append("[]")
                arena.setText(of: child, to: range(.scratch, start, scratch.count))
            } else if arena[child].shape == .object {
                noteErased(in: child)
            }
            child = arena[child].next
        }
    }

    /// Replaces the text of a map by the text of its pairs.
    func flatten(_ member: Int32) throws(TransformError) {
        let step = program.steps[Int(arena[member].step)]
        let value = stable(arena[member].text)
        let keyMark = keys.count
        let low = leaves.count
        do throws(JSONError) {
            switch firstByte(value) {
            case UInt8(ascii: "n"): return
            case UInt8(ascii: "{"):
                try collect(value, .none, step, notingRemovals: false)
            case UInt8(ascii: "["):
                switch try arrayContent(value) {
                case .pairs:
                    arena.pointer(member).pointee.shape = .raw
                    return
                case .maps: try collectMaps(value, step)
                case .other: throw Self.notAMap
                }
            default: throw Self.notAMap
            }
        } catch {
            throw flattenFailure(error, step)
        }
        try writePairs(PairRow(base: leaves.base + low, count: leaves.count - low), step, to: member)
        leaves.truncate(to: low)
        keys.count = keyMark
    }

    static let notAMap = JSONError(.unexpectedByte, at: -1)
    static let tooLarge = JSONError(.tooDeep, at: -2)

    func flattenFailure(_ error: JSONError, _ step: CompiledStep) -> TransformError {
        switch error {
        case Self.notAMap:
            failure("not_a_map", step, "is to become pairs of key and value, but is not an object")
        case Self.tooLarge:
            failure(
                "too_large", step,
                "has keys too long and too deep to be joined for every value: more than \(growthLimit) bytes (fixed "
                    + "limit document_growth)")
        default: TransformError(error)
        }
    }

    @inline(__always) func slice(_ range: TextRange) -> Bytes {
        Bytes(start: pointer(range.source) + Int(range.start), count: range.count)
    }

    /// The same text in a buffer that is not written meanwhile.
    @inline(__always) func stable(_ range: TextRange) -> TextRange {
        guard range.source == .scratch else { return range }
        copy.removeAll()
        knownEnds.remove(.copy)
        append(range, into: copy)
        return TextRange(source: .copy, start: 0, end: Int32(truncatingIfNeeded: copy.count))
    }
}

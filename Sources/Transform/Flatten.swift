import JSONText

// keyToValue: a map becomes an array of pairs.
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
            // Written at the end, where the document is, unless something wants to look at it before.
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

    /// What the steps before erased within a map stays in its text as an empty array: for a merge by key that is a name
    /// whose pairs go, and has none itself.
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

    /// Replaces a map's text by that of its pairs.
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

    private static let notAMap = JSONError(.unexpectedByte, at: -1)
    private static let tooLarge = JSONError(.tooDeep, at: -2)

    func flattenFailure(_ error: JSONError, _ step: CompiledStep) -> TransformError {
        switch error {
        case Self.notAMap:
            failure("not_a_map", step, "is to become pairs of key and value, but is not an object")
        case Self.tooLarge: failure("too_large", step, "has keys too long and too deep to be joined for every value")
        default: TransformError(error)
        }
    }

    @inline(__always) func slice(_ range: TextRange) -> Bytes {
        Bytes(start: pointer(range.source) + Int(range.start), count: range.count)
    }

    /// The range, in a buffer that is not written while it is read.
    @inline(__always) func stable(_ range: TextRange) -> TextRange {
        guard range.source == .scratch else { return range }
        copy.removeAll()
        append(range, into: copy)
        return TextRange(source: .copy, start: 0, end: Int32(truncatingIfNeeded: copy.count))
    }

    // MARK: Collecting

    /// Adds the pairs of the object to the leaves, sorted by their whole key. `prefix`: the keys that led here, joined.
    func collect(
        _ object: TextRange, _ prefix: TextRange, _ step: CompiledStep, notingRemovals: Bool
    ) throws(JSONError) {
        let low = leaves.count
        let firstMember = members.count
        let flat = try collectMembers(object, prefix)
        if flat, !notingRemovals {
            // The members are the pairs, and in order.
            var index = firstMember
            while index < members.count {
                leaves.add(members[index])
                index &+= 1
            }
            members.truncate(to: firstMember)
            return
        }
        try descend(from: firstMember, step, notingRemovals: notingRemovals)
        leaves.sort(from: low, to: leaves.count, self)
    }

    /// Pairs of an array of maps.
    private func collectMaps(_ array: TextRange, _ step: CompiledStep) throws(JSONError) {
        let low = leaves.count
        try elements(array, .none, step)
        leaves.sort(from: low, to: leaves.count, self)
    }

    /// Adds the object's members to the list, sorted by key, of duplicate keys the last; whether all are scalars.
    private func collectMembers(_ object: TextRange, _ prefix: TextRange) throws(JSONError) -> Bool {
        let low = members.count
        let text = pointer(object.source)
        let end = Int(object.end)
        var newlines = false
        var flat = true
        var at = JSONScanner.space(text, Int(object.start) &+ 1, end, &newlines)
        while at < end, text[at] == UInt8(ascii: "\"") {
            var escaped = false
            let (quote, start) = try JSONScanner.key(text, at, end, &escaped, &newlines)
            let keyRange = range(object.source, at &+ 1, quote)
            guard start < end else { throw JSONError(.unexpectedEnd, at: start) }
            let kind = JSONScanner.kind(of: text[start])
            at =
                kind == .string
                ? try JSONScanner.string(text, start &+ 1, end)
                : try JSONScanner.skip(text, start, end, JSONScanner.maxDepth, &newlines)
            if kind == .object || kind == .array { flat = false }
            let whole = escaped || prefix.source == .keys ? try joined(prefix, keyRange) : keyRange
            members.add(
                Pair(
                    prefix: self.prefix(of: whole), key: whole, value: range(object.source, start, at), kind: kind))
            at = JSONScanner.space(text, at, end, &newlines)
            guard at < end, text[at] == UInt8(ascii: ",") else { break }
            at = JSONScanner.space(text, at &+ 1, end, &newlines)
        }
        members.sort(from: low, to: members.count, self)
        members.truncate(to: dropDuplicates(members, from: low, to: members.count))
        return flat
    }

    @inline(__always) func range(_ source: TextSource, _ start: Int, _ end: Int) -> TextRange {
        TextRange(source: source, start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: end))
    }

    /// The prefix, a dot and the key without its escapes, in the keys. No dot without a prefix.
    func joined(_ prefix: TextRange, _ key: TextRange) throws(JSONError) -> TextRange {
        let start = keys.count
        guard start <= Self.scratchLimit else { throw Self.tooLarge }
        if prefix.source == .keys {
            keys.reserve(prefix.count &+ 1)
            append(prefix, into: keys)
            keys.append(UInt8(ascii: "."))
        }
        try JSONString.unescape(content: pointer(key.source) + Int(key.start), count: key.count, into: keys)
        return range(.keys, start, keys.count)
    }

    /// The pairs of a range in order, of duplicate keys the last; valid until the list changes or is sorted again.
    func ordered(_ list: PairList, from low: Int, to high: Int) -> PairRow {
        if let row = list.orderedByPrefix(from: low, to: high) { return row }
        list.sortByKey(from: low, to: high, self)
        return PairRow(base: list.base + low, count: dropDuplicates(list, from: low, to: high) &- low)
    }

    /// Keeps the last of pairs with the same key, in a sorted range; where the range ends now.
    func dropDuplicates(_ list: PairList, from low: Int, to high: Int) -> Int {
        guard high &- low > 1 else { return high }
        var to = low
        var index = low &+ 1
        while index < high {
            if isSameKey(list[index], list[to]) {
                if list[to].node >= 0 { arena.pointer(list[to].node).pointee.shape = .gone }
            } else {
                to &+= 1
            }
            if to != index { list[to] = list[index] }
            index &+= 1
        }
        return to &+ 1
    }

    /// Turns the members from `low` on into leaves and takes them off the list.
    private func descend(from low: Int, _ step: CompiledStep, notingRemovals: Bool) throws(JSONError) {
        let high = members.count
        var index = low
        while index < high {
            let member = members[index]
            index &+= 1
            if notingRemovals { removals.add(member) }
            switch member.kind {
            case .object:
                let prefix = try inKeys(member.key)
                _ = try collectMembers(member.value, prefix)
                try descend(from: high, step, notingRemovals: notingRemovals)
            case .array: try elements(member.value, try inKeys(member.key), step)
            default: leaves.add(member)
            }
        }
        members.truncate(to: low)
    }

    private func inKeys(_ key: TextRange) throws(JSONError) -> TextRange {
        key.source == .keys ? key : try joined(.none, key)
    }

    /// A pair for each element of an array, and for what is in its objects.
    private func elements(_ array: TextRange, _ key: TextRange, _ step: CompiledStep) throws(JSONError) {
        let text = pointer(array.source)
        let end = Int(array.end)
        let prefix = self.prefix(of: key)
        var newlines = false
        var at = JSONScanner.space(text, Int(array.start) &+ 1, end, &newlines)
        while at < end, text[at] != UInt8(ascii: "]") {
            let after = try JSONScanner.skip(text, at, end, JSONScanner.maxDepth, &newlines)
            let value = range(array.source, at, after)
            switch JSONScanner.kind(of: text[at]) {
            case .object:
                let low = members.count
                _ = try collectMembers(value, key)
                try descend(from: low, step, notingRemovals: false)
            case .array: try elements(value, key, step)
            case let kind:
                leaves.add(Pair(prefix: prefix, key: key, value: value, kind: kind))
            }
            at = JSONScanner.space(text, after, end, &newlines)
            if at < end, text[at] == UInt8(ascii: ",") { at = JSONScanner.space(text, at &+ 1, end, &newlines) }
        }
    }

    @inline(__always) func isDropped(_ pair: Pair, _ step: CompiledStep) -> Bool {
        pair.kind == .null && step.dropNull || step.dropEmpty && pair.kind == .string && pair.value.count == 2
    }
}

// Fields that are arrays already.
extension Transformer {
    enum ArrayContent { case pairs, maps, other }

    /// Whether an array holds nothing but pair objects, or nothing but objects none of which is a pair, or else.
    func arrayContent(_ array: TextRange) throws(JSONError) -> ArrayContent {
        let text = pointer(array.source)
        let end = Int(array.end)
        var newlines = false
        var pairs = 0
        var maps = 0
        var at = JSONScanner.space(text, Int(array.start) &+ 1, end, &newlines)
        while at < end, text[at] != UInt8(ascii: "]") {
            guard text[at] == UInt8(ascii: "{") else { return .other }
            let after = try JSONScanner.skip(text, at, end, JSONScanner.maxDepth, &newlines)
            if try pairKey(range(array.source, at, after)) == nil { maps += 1 } else { pairs += 1 }
            at = JSONScanner.space(text, after, end, &newlines)
            if at < end, text[at] == UInt8(ascii: ",") { at = JSONScanner.space(text, at &+ 1, end, &newlines) }
        }
        return maps == 0 ? .pairs : pairs == 0 ? .maps : .other
    }

    /// The content of `keyToValue` if the object is a pair: that and `value`, a string or null, and no more.
    func pairKey(_ object: TextRange) throws(JSONError) -> TextRange? {
        let text = pointer(object.source)
        let end = Int(object.end)
        var newlines = false
        var found: TextRange?
        var hasValue = false
        var at = JSONScanner.space(text, Int(object.start) &+ 1, end, &newlines)
        while at < end, text[at] == UInt8(ascii: "\"") {
            var escaped = false
            let (quote, start) = try JSONScanner.key(text, at, end, &escaped, &newlines)
            let key = Bytes(start: text + at, count: quote &+ 1 &- at)
            let close = try JSONScanner.skip(text, start, end, JSONScanner.maxDepth, &newlines)
            let kind = JSONScanner.kind(of: text[start])
            if found == nil, kind == .string, Self.is(key, "\"keyToValue\"") {
                found = range(object.source, start &+ 1, close &- 1)
            } else if !hasValue, kind == .string || kind == .null, Self.is(key, "\"value\"") {
                hasValue = true
            } else {
                return nil
            }
            at = JSONScanner.space(text, close, end, &newlines)
            if at < end, text[at] == UInt8(ascii: ",") { at = JSONScanner.space(text, at &+ 1, end, &newlines) }
        }
        return hasValue ? found : nil
    }

    private static func `is`(_ bytes: Bytes, _ word: StaticString) -> Bool {
        guard let text = bytes.baseAddress, bytes.count == word.utf8CodeUnitCount else { return false }
        return JSONScanner.same(text, word.utf8Start, bytes.count)
    }
}

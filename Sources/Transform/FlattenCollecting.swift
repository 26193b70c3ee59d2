import JSONText

// Collects the pairs of a map.
extension Transformer {
    /// Adds the pairs of an object to the leaves, sorted by their whole keys. `prefix`: the keys above it, joined.
    func collect(
        _ object: TextRange, _ prefix: TextRange, _ step: CompiledStep, notingRemovals: Bool
    ) throws(JSONError) {
        let low = leaves.count
        let firstMember = members.count
        let flat = try collectMembers(object, prefix)
        if flat, !notingRemovals {
            // The members are the pairs, and already sorted.
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

    /// Adds the pairs of an array of maps to the leaves.
    func collectMaps(_ array: TextRange, _ step: CompiledStep) throws(JSONError) {
        let low = leaves.count
        try elements(array, .none, step)
        leaves.sort(from: low, to: leaves.count, self)
    }

    /// Adds the members of an object to the list, sorted by key. Of members with the same key, the last counts. Returns
    /// whether all are scalars.
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
                : try knownEnds.pass(start, object.source, text, within: Int(object.start)..<end)
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

    /// The prefix, a dot and the key without escapes, as a text in `keys`. Without a prefix there is no dot.
    func joined(_ prefix: TextRange, _ key: TextRange) throws(JSONError) -> TextRange {
        let start = keys.count
        guard start <= growthLimit else { throw Self.tooLarge }
        if prefix.source == .keys {
            keys.reserve(prefix.count &+ 1)
            append(prefix, into: keys)
            keys.append(UInt8(ascii: "."))
        }
        try JSONString.unescape(content: pointer(key.source) + Int(key.start), count: key.count, into: keys)
        return range(.keys, start, keys.count)
    }

    /// The pairs of a range, sorted. Of pairs with the same key, the last counts. The result is valid until the list
    /// changes or is sorted again.
    func ordered(_ list: PairList, from low: Int, to high: Int) -> PairRow {
        if let row = list.orderedByPrefix(from: low, to: high) { return row }
        list.sortByKey(from: low, to: high, self)
        return PairRow(base: list.base + low, count: dropDuplicates(list, from: low, to: high) &- low)
    }

    /// Keeps only the last of the pairs with the same key, in a sorted range. Returns the new end of the range.
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

    /// Makes leaves of the members from `low` on, and removes them from the list.
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

    /// Adds a pair for each element of an array, and the pairs of its objects.
    private func elements(_ array: TextRange, _ key: TextRange, _ step: CompiledStep) throws(JSONError) {
        let text = pointer(array.source)
        let end = Int(array.end)
        let prefix = self.prefix(of: key)
        var newlines = false
        var at = JSONScanner.space(text, Int(array.start) &+ 1, end, &newlines)
        while at < end, text[at] != UInt8(ascii: "]") {
            let after = try knownEnds.pass(at, array.source, text, within: Int(array.start)..<end)
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

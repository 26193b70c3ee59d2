import JSONText

// Merges maps into flattened fields, key by key.
extension Transformer {
    /// Merges a map into the pairs of the base. False when the base has something other than pairs there.
    func mergePairs(_ target: Int32, _ partial: Int32) throws(TransformError) -> Bool {
        let pairs = arena[target].text
        guard arena[target].shape == .raw, firstByte(pairs) == UInt8(ascii: "[") else { return false }
        let step = program.steps[Int(arena[partial].step)]
        let keyMark = keys.count
        let low = leaves.count
        removals.removeAll()
        do throws(JSONError) {
            guard try arrayContent(pairs) == .pairs else { return false }
            try collect(arena[partial].text, .none, step, notingRemovals: true)
            removals.sort(from: 0, to: removals.count, self)
            linkRemovals()
            try keepPairs(pairs)
        } catch {
            throw flattenFailure(error, step)
        }
        leaves.sort(from: low, to: leaves.count, self)
        try writePairs(PairRow(base: leaves.base + low, count: leaves.count - low), step, to: target)
        leaves.truncate(to: low)
        keys.count = keyMark
        return true
    }

    /// Adds the pairs of the base to the leaves, without those that the partial map replaces.
    private func keepPairs(_ pairs: TextRange) throws(JSONError) {
        let text = pointer(pairs.source)
        let end = Int(pairs.end)
        var newlines = false
        var at = JSONScanner.space(text, Int(pairs.start) &+ 1, end, &newlines)
        while at < end, text[at] == UInt8(ascii: "{") {
            let after = try JSONScanner.skip(text, at, end, JSONScanner.maxDepth, &newlines)
            let pair = range(pairs.source, at, after)
            if let content = try pairKey(pair) {
                let mark = keys.count
                let key = try keyPart(of: content)
                if isReplaced(key) {
                    keys.count = mark
                } else {
                    leaves.add(Pair(prefix: prefix(of: key), key: key, value: pair, kind: .absent))
                }
            }
            at = JSONScanner.space(text, after, end, &newlines)
            if at < end, text[at] == UInt8(ascii: ",") { at = JSONScanner.space(text, at &+ 1, end, &newlines) }
        }
    }

    /// The key in the text `key:value`. It ends at the first colon without a backslash before it. Backslashes are
    /// removed.
    private func keyPart(of content: TextRange) throws(JSONError) -> TextRange {
        let whole = try joined(.none, content)
        let text = keys.base
        var from = Int(whole.start)
        var to = from
        while from < Int(whole.end), text[from] != UInt8(ascii: ":") {
            if text[from] == UInt8(ascii: "\\"), from &+ 1 < Int(whole.end) { from &+= 1 }
            text[to] = text[from]
            from &+= 1
            to &+= 1
        }
        keys.count = to
        return range(.keys, Int(whole.start), to)
    }

    /// Links each removal to the last one before it whose key begins its own, as its node. Removals are sorted, so that
    /// all whose keys begin a key are on one such chain.
    private func linkRemovals() {
        var index = 0
        while index < removals.count {
            var shorter = Int32(truncatingIfNeeded: index) &- 1
            while shorter >= 0 {
                arena.visit()
                let key = removals[Int(shorter)].key
                if key.count <= removals[index].key.count, shared(key, removals[index].key) == key.count { break }
                shorter = removals[Int(shorter)].node
            }
            removals[index].node = shorter
            index &+= 1
        }
    }

    /// Whether the partial map replaces the key: it names the key itself, or the part in front of a dot with a value
    /// that is not an object.
    private func isReplaced(_ key: TextRange) -> Bool {
        let probe = prefix(of: key)
        var low = 0
        var high = removals.count
        while low < high {
            let middle = (low &+ high) / 2
            let other = removals[middle]
            let isAfter = other.prefix != probe ? other.prefix > probe : compare(other.key, key) > 0
            if isAfter { high = middle } else { low = middle &+ 1 }
        }
        // All keys that begin this one are on the chain of the last that is not greater than it.
        var at = Int32(truncatingIfNeeded: low) &- 1
        guard at >= 0 else { return false }
        let shared = shared(removals[Int(at)].key, key)
        let text = pointer(key.source) + Int(key.start)
        while at >= 0 {
            arena.visit()
            let removal = removals[Int(at)]
            let count = removal.key.count
            if count == key.count, count == shared { return true }
            if count < key.count, count <= shared, removal.kind != .object, text[count] == UInt8(ascii: ".") {
                return true
            }
            at = removal.node
        }
        return false
    }

    /// How many bytes two texts have in common at their beginning.
    private func shared(_ one: TextRange, _ other: TextRange) -> Int {
        let left = pointer(one.source) + Int(one.start)
        let right = pointer(other.source) + Int(other.start)
        let most = min(one.count, other.count)
        var count = 0
        while count < most, left[count] == right[count] { count &+= 1 }
        arena.visit(count)
        return count
    }
}

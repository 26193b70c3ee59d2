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

    /// Whether the partial map replaces the key: it names the key itself, or the part in front of a dot with a value
    /// that is not an object.
    private func isReplaced(_ key: TextRange) -> Bool {
        if isNamed(key, asObjectToo: true) { return true }
        let text = pointer(key.source)
        var at = Int(key.start)
        while at < Int(key.end) {
            if text[at] == UInt8(ascii: "."),
                isNamed(range(key.source, Int(key.start), at), asObjectToo: false)
            {
                return true
            }
            at &+= 1
        }
        return false
    }

    private func isNamed(_ key: TextRange, asObjectToo: Bool) -> Bool {
        let probe = Pair(prefix: prefix(of: key), key: key, value: .none, kind: .absent)
        var low = 0
        var high = removals.count
        while low < high {
            let middle = (low &+ high) / 2
            if isLess(removals[middle], probe) { low = middle &+ 1 } else { high = middle }
        }
        while low < removals.count, isSameKey(removals[low], probe) {
            if asObjectToo || removals[low].kind != .object { return true }
            low &+= 1
        }
        return false
    }
}

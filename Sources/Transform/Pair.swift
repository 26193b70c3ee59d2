import JSONText

/// A key with its value, to be sorted by key.
struct Pair {
    /// The first eight bytes of the key as a big-endian number, filled with zeros. It decides most comparisons.
    var prefix: UInt64
    /// The key without escapes.
    var key: TextRange
    /// The text of the value. A string has its quotes.
    var value: TextRange
    /// The kind of the value. Absent: `value` is a whole pair object, ready to be written.
    var kind: JSONKind
    /// The node of this member, or -1.
    var node: Int32 = -1

    /// The prefix of a key of `count` bytes. `room`: how many bytes may be read.
    @inline(__always) static func prefix(_ key: UnsafePointer<UInt8>, _ count: Int, room: Int) -> UInt64 {
        if room >= 8 {
            let word = JSONScanner.word(key, 0).byteSwapped
            if count >= 8 { return word }
            return count == 0 ? 0 : word & (~0 &<< UInt64(64 &- count &* 8))
        }
        var prefix: UInt64 = 0
        for at in 0..<min(count, 8) { prefix |= UInt64(key[at]) &<< UInt64(56 &- at &* 8) }
        return prefix
    }
}

/// Pairs next to each other in memory.
struct PairRow {
    var base: UnsafeMutablePointer<Pair>
    var count: Int
}

extension Transformer {
    @inline(__always) func isLess(_ one: Pair, _ other: Pair) -> Bool {
        if one.prefix != other.prefix { return one.prefix < other.prefix }
        let order = compare(one.key, other.key)
        // The same key can come from two places: `a.b`, and `b` in `a`. They keep the order of the document.
        return order < 0 || order == 0 && one.value.start < other.value.start
    }

    @inline(__always) func isSameKey(_ one: Pair, _ other: Pair) -> Bool {
        one.prefix == other.prefix && one.key.count == other.key.count
            && (one.key.count <= 8 || compare(one.key, other.key) == 0)
    }

    /// Compares two texts by their bytes. Negative: `one` is smaller. 0: both are equal. Positive: `one` is larger.
    func compare(_ one: TextRange, _ other: TextRange) -> Int {
        let left = pointer(one.source) + Int(one.start)
        let right = pointer(other.source) + Int(other.start)
        let shared = min(one.count, other.count)
        var at = 0
        defer { arena.visit(at) }
        while at < shared {
            if left[at] != right[at] { return left[at] < right[at] ? -1 : 1 }
            at &+= 1
        }
        return one.count &- other.count
    }

    @inline(__always) func prefix(of key: TextRange) -> UInt64 {
        Pair.prefix(pointer(key.source) + Int(key.start), key.count, room: key.count)
    }
}

import JSONText

/// A key and what it stands for, sorted by key.
struct Pair {
    /// The key's first eight bytes as a big-endian number, zeros where it is shorter: most comparisons end there.
    var prefix: UInt64
    /// The key without escapes.
    var key: TextRange
    /// The value's text; of a string with its quotes.
    var value: TextRange
    /// Absent: `value` is a whole pair object as it is to be written.
    var kind: JSONKind
    /// A node, where the pair stands for one.
    var node: Int32 = -1

    /// The first eight bytes of a key of `count` bytes; `room` bytes may be read.
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

/// Pairs in a row.
struct PairRow {
    var base: UnsafeMutablePointer<Pair>
    var count: Int
}

/// A growing array of pairs, reused from document to document, with a stable sort by key (UTF-8 byte order).
///
/// A plain handle, freed by the transformer that made it, as ``NodeArena`` is.
struct PairList {
    private struct State {
        var base: UnsafeMutablePointer<Pair>
        var spare: UnsafeMutablePointer<Pair>
        var count = 0
        var capacity = 32
    }

    private let state: UnsafeMutablePointer<State>
    /// Pairs that are sorted at once.
    private static let run = 16

    init() {
        state = .allocate(capacity: 1)
        state.initialize(to: State(base: .allocate(capacity: 32), spare: .allocate(capacity: 32)))
    }

    func deallocate() {
        state.pointee.base.deallocate()
        state.pointee.spare.deallocate()
        state.deallocate()
    }

    var base: UnsafeMutablePointer<Pair> { @inline(__always) get { state.pointee.base } }
    var count: Int { @inline(__always) get { state.pointee.count } }

    var capacity: Int { @inline(__always) get { state.pointee.capacity } }
    /// Takes in what was written behind the last, up to `end`.
    @inline(__always) func extend(to end: UnsafeMutablePointer<Pair>) { state.pointee.count = end - base }
    @inline(__always) func removeAll() { state.pointee.count = 0 }
    @inline(__always) func truncate(to count: Int) { state.pointee.count = count }

    @inline(__always) subscript(_ index: Int) -> Pair {
        get { base[index] }
        nonmutating set { base[index] = newValue }
    }

    @inline(__always) func add(_ pair: Pair) {
        let count = state.pointee.count
        if count == state.pointee.capacity { grow() }
        (base + count).initialize(to: pair)
        state.pointee.count = count &+ 1
    }

    @inline(never) private func grow() {
        let capacity = state.pointee.capacity * 2
        let moved = UnsafeMutablePointer<Pair>.allocate(capacity: capacity)
        moved.update(from: base, count: count)
        base.deallocate()
        state.pointee.base = moved
        state.pointee.capacity = capacity
        state.pointee.spare.deallocate()
        state.pointee.spare = .allocate(capacity: capacity)
    }

    /// Sorts the pairs of a range. Few are sorted by their prefixes if these differ, else by insertion; many by
    /// merging.
    func sort(from start: Int, to end: Int, _ transformer: Transformer) {
        let length = end &- start
        guard length > 1 else { return }
        if let row = orderedByPrefix(from: start, to: end) {
            (base + start).update(from: row.base, count: length)
        } else {
            sortByKey(from: start, to: end, transformer)
        }
    }

    /// The same by whole keys, which takes all that there can be.
    func sortByKey(from start: Int, to end: Int, _ transformer: Transformer) {
        let length = end &- start
        let run = Self.run
        var low = start
        while low < end {
            insertionSort(low, min(low &+ run, end), transformer)
            low &+= run
        }
        var width = run
        while width < length {
            low = start
            while low &+ width < end {
                merge(low, low &+ width, min(low &+ width &* 2, end), transformer)
                low &+= width &* 2
            }
            width &*= 2
        }
    }

    /// The pairs of a range in order if they are few and their prefixes differ, without a branch that depends on those:
    /// each goes where as many as are smaller lie before it. Beside the list, and valid until it is sorted or grows.
    @inline(__always) func orderedByPrefix(from start: Int, to end: Int) -> PairRow? {
        let length = end &- start
        guard length <= Self.run else { return nil }
        let pairs = base + start
        let spare = state.pointee.spare
        var sum = 0
        var place = 0
        while place < length {
            let prefix = pairs[place].prefix
            var smaller = 0
            var other = 0
            while other < length {
                smaller &+= pairs[other].prefix < prefix ? 1 : 0
                other &+= 1
            }
            spare[smaller] = pairs[place]
            sum &+= smaller
            place &+= 1
        }
        // Of two that are the same each counts as if the other were not there.
        guard sum == length &* (length &- 1) / 2 else { return nil }
        return PairRow(base: spare, count: length)
    }

    @inline(__always) private func insertionSort(_ low: Int, _ high: Int, _ transformer: Transformer) {
        let base = base
        var next = low &+ 1
        while next < high {
            if transformer.isLess(base[next], base[next &- 1]) {
                let pair = base[next]
                var place = next
                repeat {
                    base[place] = base[place &- 1]
                    place &-= 1
                } while place > low && transformer.isLess(pair, base[place &- 1])
                base[place] = pair
            }
            next &+= 1
        }
    }

    private func merge(_ low: Int, _ middle: Int, _ high: Int, _ transformer: Transformer) {
        guard transformer.isLess(base[middle], base[middle &- 1]) else { return }
        let base = base
        let spare = state.pointee.spare
        let left = middle &- low
        spare.update(from: base + low, count: left)
        var one = 0
        var other = middle
        var to = low
        while one < left {
            if other < high, transformer.isLess(base[other], spare[one]) {
                base[to] = base[other]
                other &+= 1
            } else {
                base[to] = spare[one]
                one &+= 1
            }
            to &+= 1
        }
    }
}

extension Transformer {
    @inline(__always) func isLess(_ one: Pair, _ other: Pair) -> Bool {
        if one.prefix != other.prefix { return one.prefix < other.prefix }
        let order = compare(one.key, other.key)
        // One key can come from two places (`a.b`, and `b` in `a`): they keep the document's order.
        return order < 0 || order == 0 && one.value.start < other.value.start
    }

    @inline(__always) func isSameKey(_ one: Pair, _ other: Pair) -> Bool {
        one.prefix == other.prefix && one.key.count == other.key.count
            && (one.key.count <= 8 || compare(one.key, other.key) == 0)
    }

    /// Negative, zero or positive, by bytes.
    func compare(_ one: TextRange, _ other: TextRange) -> Int {
        let left = pointer(one.source) + Int(one.start)
        let right = pointer(other.source) + Int(other.start)
        let shared = min(one.count, other.count)
        var at = 0
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

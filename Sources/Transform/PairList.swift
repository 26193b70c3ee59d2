/// A list of pairs that grows, with a stable sort by key in the order of UTF-8 bytes. It is used again for the next
/// document. Like ``NodeArena`` it holds a plain pointer, which the transformer frees.
struct PairList {
    private struct State {
        var base: UnsafeMutablePointer<Pair>
        var spare: UnsafeMutablePointer<Pair>
        var count = 0
        var capacity = 32
    }

    private let state: UnsafeMutablePointer<State>
    /// The most pairs that are sorted in one go, before runs are merged.
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
    /// Adds the pairs that were written directly behind the last one, up to `end`.
    @inline(__always) func extend(to end: UnsafeMutablePointer<Pair>) { state.pointee.count = end - base }
    /// The most pairs for which memory is kept from document to document.
    static let kept = 1 << 15

    @inline(__always) func removeAll() {
        state.pointee.count = 0
        if state.pointee.capacity > Self.kept { shrink() }
    }

    @inline(never) private func shrink() {
        base.deallocate()
        state.pointee.spare.deallocate()
        state.pointee.base = .allocate(capacity: 32)
        state.pointee.spare = .allocate(capacity: 32)
        state.pointee.capacity = 32
    }

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

    /// Sorts the pairs of a range.
    func sort(from start: Int, to end: Int, _ transformer: Transformer) {
        let length = end &- start
        guard length > 1 else { return }
        if let row = orderedByPrefix(from: start, to: end) {
            (base + start).update(from: row.base, count: length)
        } else {
            sortByKey(from: start, to: end, transformer)
        }
    }

    /// Sorts the pairs of a range by their whole keys: runs by insertion, then the runs by merging.
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

    /// The pairs of a range, sorted by their prefixes; nil when there are too many or two prefixes are equal. The
    /// result is valid until the list is sorted or grows. No branch depends on the prefixes: the place of a pair is the
    /// number of smaller ones.
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
        // Two equal prefixes do not count each other, which makes the sum smaller.
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

import JSONText

/// Where the objects and arrays of a text end.
///
/// Who walks through a text level by level passes over the same inner objects and arrays once for each level around
/// them. In a text that is nested 900 levels deep, each byte would be passed 900 times. So when much has been passed,
/// the text is read once more, and then all ends are known.
struct NestedEnds {
    /// The range of the text whose ends are known.
    private var low = 0
    private var high = 0
    private var starts: [Int32] = []
    private var ends: [Int32] = []
    /// How many bytes were passed over since the last reading.
    private(set) var passed = 0

    /// No text is read for less than this, nor before it was passed over this many times.
    static let patience = (bytes: 64 << 10, times: 4)

    /// The end of the object or array at `start`, if it is known.
    func end(of start: Int) -> Int? {
        guard start >= low, start < high else { return nil }
        var first = 0
        var last = starts.count
        while first < last {
            let middle = (first &+ last) / 2
            if starts[middle] < start { first = middle &+ 1 } else { last = middle }
        }
        guard first < starts.count, starts[first] == start, ends[first] > start else { return nil }
        return Int(ends[first])
    }

    /// Notes that `count` bytes were passed over within `range`, and reads that range if this happens too often. `text`
    /// must be valid JSON there.
    mutating func note(_ count: Int, _ text: UnsafePointer<UInt8>, within range: Range<Int>) {
        passed &+= count
        guard passed > Self.patience.bytes, passed > Self.patience.times &* range.count else { return }
        passed = 0
        read(text, range)
    }

    private mutating func read(_ text: UnsafePointer<UInt8>, _ range: Range<Int>) {
        (low, high) = (range.lowerBound, range.upperBound)
        starts.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        var open: [Int] = []
        var at = low
        while at < high {
            switch text[at] {
            case UInt8(ascii: "\""):
                guard let after = try? JSONScanner.string(text, at &+ 1, high) else { return }
                at = after
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                open.append(starts.count)
                starts.append(Int32(truncatingIfNeeded: at))
                ends.append(-1)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if let place = open.popLast() { ends[place] = Int32(truncatingIfNeeded: at &+ 1) }
            default: break
            }
            at &+= 1
        }
    }
}

/// The ends in each of a transformer's texts. Like ``NodeArena`` it holds a plain pointer, which the transformer frees.
struct KnownEnds {
    private struct State {
        /// By the number of the source.
        var sources = [NestedEnds](repeating: NestedEnds(), count: 6)
        /// Whether something was passed over in the present document.
        var isUsed = false
    }

    private let state: UnsafeMutablePointer<State>
    private let arena: NodeArena

    init(_ arena: NodeArena) {
        self.arena = arena
        state = .allocate(capacity: 1)
        state.initialize(to: State())
    }

    func deallocate() {
        state.deinitialize(count: 1)
        state.deallocate()
    }

    @inline(__always) func removeAll() {
        if state.pointee.isUsed { state.pointee = State() }
    }

    /// The text of `source` is another one from now on.
    func remove(_ source: TextSource) { state.pointee.sources[Int(source.rawValue)] = NestedEnds() }

    /// The offset behind the value at `at`, which lies in `range` of a text that was found to be valid before.
    func pass(
        _ at: Int, _ source: TextSource, _ text: UnsafePointer<UInt8>, within range: Range<Int>
    ) throws(JSONError) -> Int {
        var newlines = false
        let isNested = text[at] == UInt8(ascii: "{") || text[at] == UInt8(ascii: "[")
        guard isNested, source != .constants, source != .keys else {
            return try JSONScanner.skip(text, at, range.upperBound, JSONScanner.maxDepth, &newlines)
        }
        let place = Int(source.rawValue)
        if let end = state.pointee.sources[place].end(of: at) { return end }
        let after = try JSONScanner.skip(text, at, range.upperBound, JSONScanner.maxDepth, &newlines)
        arena.visit(after &- at)
        state.pointee.sources[place].note(after &- at, text, within: range)
        state.pointee.isUsed = true
        return after
    }
}

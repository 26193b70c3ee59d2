import CBytes

/// Remembers the keys of an object and their order, for the next object at the same place.
///
/// Programs write the same keys in the same order again and again. So a scanner need not search the key in a table: one
/// comparison tells whether it is the expected one. A key is remembered only after it was scanned and found valid, and
/// only exactly the same bytes match. So the result of a scan never depends on the memory.
///
/// It holds plain pointers: the owner calls ``deallocate()``. Only one thread may use it.
public struct KeyMemory {
    /// A key with its quotes and the colon behind them.
    @usableFromInline struct Entry {
        var bytes = SIMD16<UInt8>()
        /// How many of the bytes are used. A number above 16 matches no key.
        @usableFromInline var length = 17
        /// The number that the caller gave to the key; negative when the caller does not need it.
        @usableFromInline var number: Int32 = -1
        /// How often another key came instead.
        var misses: Int32 = 0
    }

    private struct State {
        var count = 0
    }

    @usableFromInline let entries: UnsafeMutablePointer<Entry>
    private let state: UnsafeMutablePointer<State>
    @usableFromInline let tail = TextTail()

    /// The most keys that are remembered.
    static let capacity = 48
    /// After so many misses a new key is inserted in front of the expected one.
    private static let insertAfter: Int32 = 4
    /// After so many misses a key that was left out is forgotten. It is learned again when it comes back.
    private static let removeAfter: Int32 = 16

    public init() {
        // One more than needed: it matches no key, so the place behind the last one may be looked at.
        entries = .allocate(capacity: Self.capacity + 1)
        entries.initialize(repeating: Entry(), count: Self.capacity + 1)
        state = .allocate(capacity: 1)
        state.initialize(to: State())
    }

    public func deallocate() {
        entries.deallocate()
        state.deallocate()
        tail.deallocate()
    }

    /// Whether the text at `at` is the key at `place`, with its quotes and the colon. `place`: 0 for the first key.
    @inlinable @inline(__always) public func isNext(
        _ place: Int, _ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int
    ) -> Bool {
        guard at &+ 16 <= end else { return false }
        return crossfade_same(text + at, UnsafeRawPointer(entries + place), Int64(entries[place].length)) != 0
    }

    /// The length of the key at `place` in bytes, with quotes and colon.
    @inlinable @inline(__always) public func length(_ place: Int) -> Int { entries[place].length }

    /// The number of the key at `place`.
    @inlinable @inline(__always) public func number(_ place: Int) -> Int32 { entries[place].number }

    /// Learns from a key that is not the one at `place`. `at` and `quote`: the offsets of its quotes. `number`: the
    /// caller's number for it. Returns the place of the key to expect next.
    @inline(never) public func found(
        _ text: UnsafePointer<UInt8>, _ at: Int, _ quote: Int, _ end: Int, number: Int32, at place: Int
    ) -> Int {
        let length = quote &+ 2 &- at
        guard length <= 16, at &+ 16 <= end, text[quote &+ 1] == UInt8(ascii: ":") else { return place }
        let count = state.pointee.count
        guard place < count else {
            guard place < Self.capacity else { return place }
            entries[place] = Entry(bytes: bytes(text, at), length: length, number: number)
            state.pointee.count = count &+ 1
            return place &+ 1
        }
        entries[place].misses &+= 1
        if place &+ 1 < count, isNext(place &+ 1, text, at, end) {
            guard entries[place].misses > Self.removeAfter else { return place &+ 2 }
            remove(place, count)
            return place &+ 1
        }
        guard entries[place].misses > Self.insertAfter else { return place }
        insert(Entry(bytes: bytes(text, at), length: length, number: number), place, count)
        return place &+ 1
    }

    /// Skips members that the caller does not need. It goes on as long as the key is the expected one, has no number,
    /// and its value is plain (see ``JSONScanner/plainValue(_:_:_:_:)``). Returns the end of the last member that it
    /// skipped, or `start` when it skipped none. `place`: the place of the expected key.
    @inlinable @inline(__always) public func skipUnnumbered(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ place: inout Int
    ) -> Int {
        let last = JSONScanner.plainEnd(end)
        var next = skipPlain(text, start, last, end, &place)
        // Members near the end of the text, which the vectors would reach beyond.
        let shift = end &- TextTail.length
        if shift >= 0, next >= shift {
            let copy = tail.copy(text, end)
            next = shift &+ skipPlain(copy, next &- shift, TextTail.length, TextTail.length, &place)
        }
        return next > start ? next &- 1 : start
    }

    /// Skips plain members that begin before `last`. Returns the start of the first member that is left.
    ///
    /// This loop is a function of its own: it is so small that all its values stay in registers.
    @usableFromInline @inline(never) func skipPlain(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ last: Int, _ end: Int, _ place: inout Int
    ) -> Int {
        var next = start
        while next < last {
            let entry = entries + place
            guard entry.pointee.number < 0,
                crossfade_same(text + next, UnsafeRawPointer(entry), Int64(entry.pointee.length)) != 0
            else { break }
            var kind = JSONKind.absent
            let after = JSONScanner.plainValue(text, next &+ entry.pointee.length, last, &kind)
            guard after > 0, JSONScanner.isNextKey(text, after, end) else { break }
            place &+= 1
            next = after &+ 1
        }
        return next
    }

    private func bytes(_ text: UnsafePointer<UInt8>, _ at: Int) -> SIMD16<UInt8> {
        UnsafeRawPointer(text + at).loadUnaligned(as: SIMD16<UInt8>.self)
    }

    private func remove(_ place: Int, _ count: Int) {
        (entries + place).update(from: entries + place + 1, count: count &- place)
        entries[place].misses = 0
        state.pointee.count = count &- 1
    }

    private func insert(_ entry: Entry, _ place: Int, _ count: Int) {
        let kept = min(count, Self.capacity &- 1)
        (entries + place + 1).update(from: entries + place, count: kept &- place)
        entries[place] = entry
        entries[place &+ 1].misses = 0
        entries[kept &+ 1] = Entry()
        state.pointee.count = kept &+ 1
    }
}

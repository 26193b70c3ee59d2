import CBytes

/// The keys of the objects in one place, in their order: a program writes the same keys in the same order again and
/// again, so that the next one need not be looked for, only looked at.
///
/// A plain handle, freed by who made it; for one thread. What it remembers was scanned and found valid, and only the same
/// bytes are taken for it, so that a text is judged as it would be without.
public struct KeyMemory {
    /// A key with its quotes and the colon right behind them.
    @usableFromInline struct Entry {
        var bytes = SIMD16<UInt8>()
        /// Bytes of it that count; more than 16: none is like it.
        @usableFromInline var length = 17
        @usableFromInline var number: Int32 = -1
        /// How often another key stood in its place.
        var misses: Int32 = 0
    }

    private struct State {
        var count = 0
    }

    @usableFromInline let entries: UnsafeMutablePointer<Entry>
    private let state: UnsafeMutablePointer<State>

    /// Keys that are remembered at most.
    static let capacity = 48
    /// A key that stood in another's place so often is remembered before it.
    private static let insertAfter: Int32 = 4
    /// One that was left out so often, all in all, is forgotten, and learned again if it comes.
    private static let removeAfter: Int32 = 16

    public init() {
        // One more, which is like no key, so that the place after the last may be asked for.
        entries = .allocate(capacity: Self.capacity + 1)
        entries.initialize(repeating: Entry(), count: Self.capacity + 1)
        state = .allocate(capacity: 1)
        state.initialize(to: State())
    }

    public func deallocate() {
        entries.deallocate()
        state.deallocate()
    }

    /// Whether the key at `place` in the order, 0 for an object's first, stands at `at`, its colon right behind it.
    @inlinable @inline(__always) public func isNext(
        _ place: Int, _ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int
    ) -> Bool {
        guard at &+ 16 <= end else { return false }
        return crossfade_same(text + at, UnsafeRawPointer(entries + place), Int64(entries[place].length)) != 0
    }

    /// Bytes of the key at `place` with quotes and colon.
    @inlinable @inline(__always) public func length(_ place: Int) -> Int { entries[place].length }

    /// The number it was given.
    @inlinable @inline(__always) public func number(_ place: Int) -> Int32 { entries[place].number }

    /// A key other than the one at `place` was found at `at`; its closing quote is at `quote`. The place of the key that is
    /// to be expected behind it. `number` is the caller's.
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

    /// The end of the last of the members from `start` on that are as remembered, have no number, and values as most are;
    /// `start` when the first is not. A loop of its own, because in so small a one nothing leaves the registers.
    @inline(never) public func skipUnnumbered(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ place: inout Int
    ) -> Int {
        let last = JSONScanner.plainEnd(end)
        var next = start
        var at = start
        while next < last {
            let entry = entries + place
            guard entry.pointee.number < 0,
                crossfade_same(text + next, UnsafeRawPointer(entry), Int64(entry.pointee.length)) != 0
            else { break }
            var kind = JSONKind.absent
            let after = JSONScanner.plainValue(text, next &+ entry.pointee.length, last, &kind)
            guard after > 0, JSONScanner.isNextKey(text, after, end) else { break }
            place &+= 1
            at = after
            next = after &+ 1
        }
        return at
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

import JSONText

/// A member of an object, or one or more elements of an array: where the canonical texts of name and value stand.
/// Offsets count in the document, or in the digester's own buffer where something was changed.
struct Part {
    /// The first bytes of the name, to sort by.
    var order: UInt64 = 0
    /// The name without its quotes.
    var key: Int32 = 0
    var keyEnd: Int32 = 0
    var start: Int32 = 0
    var end: Int32 = 0
    var hasKey = false
    var isKeyChanged = false
    var isValueChanged = false
    /// Whether it lies under an ignored path.
    var isIgnored = false
    /// Whether its value counts as absent.
    var isAbsent = false
    /// Whether name, colon and value stand in the document as in the canonical text.
    var isPlain = false

    /// Where it begins in the document, if it is plain.
    @inline(__always) var whole: Int { Int(hasKey ? key &- 1 : start) }

    @inline(__always) mutating func value(_ start: Int, _ end: Int, isChanged: Bool = false) {
        (self.start, self.end) = (Int32(truncatingIfNeeded: start), Int32(truncatingIfNeeded: end))
        isValueChanged = isChanged
        isPlain = !isChanged && !isKeyChanged && (!hasKey || self.start == keyEnd &+ 2)
    }

    /// What names are sorted by first: their first eight bytes. A shorter name ends in zeros, which no name has.
    @inline(__always) static func order(_ word: UInt64, _ count: Int) -> UInt64 {
        let order = word.byteSwapped
        return count >= 8 ? order : order & ~(UInt64.max &>> UInt64(truncatingIfNeeded: 8 &* count))
    }
}

/// The parts of all open containers, the innermost last. The memory is kept from one document to the next.
final class PartList {
    @exclusivity(unchecked) private(set) var parts: UnsafeMutablePointer<Part>
    /// The order of the parts of the container that is closed, as places among the parts.
    @exclusivity(unchecked) private(set) var order: UnsafeMutablePointer<Int32>
    /// How many there are. The part that is being read stands behind them.
    @exclusivity(unchecked) var count = 0
    @exclusivity(unchecked) private(set) var capacity = 64
    /// The order that the last object of each depth had: most have the same names as the one before.
    private let guesses: UnsafeMutablePointer<Int32>
    private let guessed: UnsafeMutablePointer<Int>
    private static let depths = 8
    private static let widest = 64

    init() {
        parts = .allocate(capacity: capacity)
        order = .allocate(capacity: capacity)
        guesses = .allocate(capacity: Self.depths * Self.widest)
        guessed = .allocate(capacity: Self.depths)
        guesses.initialize(repeating: 0, count: Self.depths * Self.widest)
        guessed.initialize(repeating: 0, count: Self.depths)
    }

    deinit {
        parts.deallocate()
        order.deallocate()
        guesses.deallocate()
        guessed.deallocate()
    }

    /// The part that is being read.
    @inline(__always) var next: UnsafeMutablePointer<Part> { parts + count }

    /// Begins to read a part.
    @inline(__always) func begin() {
        if count &+ 1 >= capacity { move(to: 2 &* capacity) }
        parts[count] = Part()
    }

    /// Makes the element that was read a part of the run before it, if only a comma is between them.
    @inline(__always) func extendLast(_ first: Int) -> Bool {
        guard count > first else { return false }
        let (last, part) = (parts + (count &- 1), parts + count)
        guard !last.pointee.isValueChanged, !part.pointee.isValueChanged,
            part.pointee.start == last.pointee.end &+ 1
        else { return false }
        last.pointee.end = part.pointee.end
        return true
    }

    func removeAll(keepingAtMost bytes: Int) {
        count = 0
        let most = max(64, bytes / MemoryLayout<Part>.stride)
        if capacity > most { move(to: most) }
    }

    @inline(never) private func move(to size: Int) {
        let moved = UnsafeMutablePointer<Part>.allocate(capacity: size)
        moved.update(from: parts, count: min(count &+ 1, capacity, size))
        parts.deallocate()
        order.deallocate()
        parts = moved
        order = .allocate(capacity: size)
        capacity = size
    }

    // MARK: Order

    /// Sorts the parts from `first` on by name; of the same names, the first in the document comes first.
    func sort(
        from first: Int, depth: Int, _ text: UnsafePointer<UInt8>, _ changed: UnsafePointer<UInt8>
    ) {
        let size = count &- first
        let slot = depth < Self.depths && size <= Self.widest ? depth : -1
        if slot >= 0, guessed[slot] == size, follows(guesses + slot &* Self.widest, first, size, text, changed) {
            return
        }
        for index in first..<count { order[index] = Int32(truncatingIfNeeded: index) }
        sortAll(first, size, text, changed)
        guard slot >= 0 else { return }
        guessed[slot] = size
        for index in 0..<size {
            guesses[slot &* Self.widest &+ index] = order[first &+ index] &- Int32(truncatingIfNeeded: first)
        }
    }

    /// Whether the parts are sorted in the order of the guess, which ``order`` then is, and no name occurs twice.
    private func follows(
        _ guess: UnsafePointer<Int32>, _ first: Int, _ size: Int, _ text: UnsafePointer<UInt8>,
        _ changed: UnsafePointer<UInt8>
    ) -> Bool {
        let start = Int32(truncatingIfNeeded: first)
        var index = 0
        while index < size {
            let place = guess[index] &+ start
            order[first &+ index] = place
            if index > 0 {
                let (before, part) = (parts + Int(order[first &+ index &- 1]), parts + Int(place))
                if part.pointee.order <= before.pointee.order {
                    guard part.pointee.order == before.pointee.order, compare(before, part, text, changed) < 0 else {
                        return false
                    }
                }
            }
            index &+= 1
        }
        return true
    }

    @inline(never) private func sortAll(
        _ first: Int, _ size: Int, _ text: UnsafePointer<UInt8>, _ changed: UnsafePointer<UInt8>
    ) {
        var places = UnsafeMutableBufferPointer(start: order + first, count: size)
        guard size <= 24 else { return places.sort { isBefore($0, $1, text, changed) } }
        for index in 0..<size {
            let one = places[index]
            var at = index
            while at > 0, isBefore(one, places[at &- 1], text, changed) {
                places[at] = places[at &- 1]
                at &-= 1
            }
            places[at] = one
        }
    }

    @inline(__always) private func isBefore(
        _ one: Int32, _ other: Int32, _ text: UnsafePointer<UInt8>, _ changed: UnsafePointer<UInt8>
    ) -> Bool {
        let (left, right) = (parts[Int(one)].order, parts[Int(other)].order)
        if left != right { return left < right }
        let order = compare(parts + Int(one), parts + Int(other), text, changed)
        return order == 0 ? one < other : order < 0
    }

    @inline(never) private func compare(
        _ left: UnsafePointer<Part>, _ right: UnsafePointer<Part>, _ text: UnsafePointer<UInt8>,
        _ changed: UnsafePointer<UInt8>
    ) -> Int {
        let one = (left.pointee.isKeyChanged ? changed : text) + Int(left.pointee.key)
        let other = (right.pointee.isKeyChanged ? changed : text) + Int(right.pointee.key)
        let count = Int(left.pointee.keyEnd &- left.pointee.key)
        let otherCount = Int(right.pointee.keyEnd &- right.pointee.key)
        var at = 0
        while at < min(count, otherCount) {
            if one[at] != other[at] { return one[at] < other[at] ? -1 : 1 }
            at &+= 1
        }
        return count &- otherCount
    }

    /// Whether the part does not count: its value is as good as none, or a later member has the same name. `index`: in
    /// the order of names.
    @inline(__always) func leavesOut(
        _ index: Int, _ text: UnsafePointer<UInt8>, _ changed: UnsafePointer<UInt8>
    ) -> Bool {
        let one = parts + Int(order[index])
        if one.pointee.isAbsent { return true }
        guard index &+ 1 < count else { return false }
        let other = parts + Int(order[index &+ 1])
        return one.pointee.order == other.pointee.order && compare(one, other, text, changed) == 0
    }
}

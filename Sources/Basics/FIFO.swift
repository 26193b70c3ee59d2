/// A queue: first in, first out. Every operation takes constant time on average, whatever the length.
///
/// The elements stand in a ring whose size is a power of two. It doubles when it is full and halves when three quarters
/// of it are free, so a queue that was long once does not keep its memory. An element that is taken out is released at
/// once.
///
/// Inlinable, because queues of other modules are used per record and per bulk item. Without `@usableFromInline` on the
/// type the compiler would specialise nothing.
@usableFromInline package struct FIFO<Element> {
    @usableFromInline var ring: [Element?]
    /// Where the first element stands.
    @usableFromInline var head = 0
    @usableFromInline var length = 0

    @usableFromInline static var smallest: Int { 16 }

    /// An empty queue; it allocates nothing before the first element.
    @inlinable package init() { ring = [] }

    @inlinable package var count: Int { length }
    @inlinable package var isEmpty: Bool { length == 0 }

    /// The element that `next()` would return.
    @inlinable package var first: Element? { length == 0 ? nil : ring[head] }

    /// Puts an element at the end.
    @inlinable package mutating func append(_ element: Element) {
        if length == ring.count { resize(to: Swift.max(Self.smallest, length * 2)) }
        ring[(head + length) & (ring.count - 1)] = element
        length += 1
    }

    /// Takes the first element; nil when the queue is empty.
    @inlinable package mutating func next() -> Element? {
        guard length > 0 else { return nil }
        let element = ring[head]
        ring[head] = nil
        head = (head + 1) & (ring.count - 1)
        length -= 1
        if ring.count > Self.smallest, length * 4 <= ring.count { resize(to: ring.count / 2) }
        return element
    }

    /// Puts an element at the front: it is the next.
    @inlinable package mutating func putBack(_ element: Element) {
        if length == ring.count { resize(to: Swift.max(Self.smallest, length * 2)) }
        head = (head + ring.count - 1) & (ring.count - 1)
        ring[head] = element
        length += 1
    }

    /// Puts elements at the front, in their order: the first of them is the next.
    @inlinable package mutating func putBack(_ elements: some BidirectionalCollection<Element>) {
        for element in elements.reversed() { putBack(element) }
    }

    /// Drops all elements and the memory.
    @inlinable package mutating func removeAll() { self = FIFO() }

    @inlinable mutating func resize(to size: Int) {
        var new: [Element?] = []
        new.reserveCapacity(size)
        for offset in 0..<length { new.append(ring[(head + offset) & (ring.count - 1)]) }
        for _ in length..<size { new.append(nil) }
        (ring, head) = (new, 0)
    }

    /// How many elements fit without more memory.
    var capacity: Int { ring.count }
}

extension FIFO: Sendable where Element: Sendable {}

extension FIFO: Sequence {
    /// The elements in their order; the queue keeps them.
    @inlinable package func makeIterator() -> AnyIterator<Element> {
        var rest = self
        return AnyIterator { rest.next() }
    }

    @inlinable package var underestimatedCount: Int { length }
}

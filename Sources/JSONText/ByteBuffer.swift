/// Bytes that belong to somebody else. They are valid only as long as their owner.
public typealias Bytes = UnsafeBufferPointer<UInt8>

/// Bytes that can grow. A buffer has one owner at a time and is handed over by reference: a bulk body goes from the
/// thread that transforms to the HTTP thread without a copy.
///
/// `@unchecked Sendable`: every hand-over goes through a lock or a queue, and the former owner does not touch the
/// buffer until it gets it back. For the same reason the fields need no exclusivity checks at run time. These would
/// cost more than the appends.
public final class ByteBuffer: @unchecked Sendable {
    /// The storage. It moves when the buffer grows.
    @inlinable public var base: UnsafeMutablePointer<UInt8> { storage }
    /// The number of bytes in use.
    @inlinable public var count: Int {
        get { used }
        set { used = newValue }
    }
    /// The number of bytes that fit before the buffer grows.
    @inlinable public var capacity: Int { room }

    @exclusivity(unchecked) @usableFromInline var storage: UnsafeMutablePointer<UInt8>
    @exclusivity(unchecked) @usableFromInline var used: Int
    @exclusivity(unchecked) @usableFromInline var room: Int

    /// An empty buffer with room for `capacity` bytes.
    public init(capacity: Int = 256) {
        room = max(capacity, 16)
        storage = .allocate(capacity: room)
        used = 0
    }

    deinit { base.deallocate() }

    /// All bytes in use. They are valid until the next change.
    public var bytes: Bytes {
        @inlinable @inline(__always) get { Bytes(start: base, count: count) }
    }

    /// The bytes in `range`, which is cut to the bytes in use. They are valid until the next change.
    @inlinable public func slice(_ range: Range<Int>) -> Bytes {
        let lower = min(max(range.lowerBound, 0), count)
        let upper = min(max(range.upperBound, lower), count)
        return Bytes(start: base + lower, count: upper - lower)
    }

    /// Makes room for `extra` more bytes.
    @inlinable @inline(__always) public func reserve(_ extra: Int) {
        if count &+ extra > capacity { grow(count + extra) }
    }

    @inline(never) @usableFromInline func grow(_ wanted: Int) {
        // A small buffer doubles. Of a large one, half would stay unused.
        let size = max(wanted, capacity < 4 << 20 ? 2 * capacity : capacity + capacity / 4)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
        moved.update(from: base, count: count)
        base.deallocate()
        storage = moved
        room = size
    }

    @inlinable @inline(__always) public func append(_ byte: UInt8) {
        reserve(1)
        base[count] = byte
        count &+= 1
    }

    @inlinable @inline(__always) public func append(_ bytes: Bytes) {
        guard let start = bytes.baseAddress else { return }
        append(start, bytes.count)
    }

    @inlinable @inline(__always) public func append(_ start: UnsafePointer<UInt8>, _ length: Int) {
        reserve(length)
        (base + count).update(from: start, count: length)
        count &+= length
    }

    @inlinable @inline(__always) public func append(_ text: StaticString) {
        append(text.utf8Start, text.utf8CodeUnitCount)
    }

    /// Appends a text. A literal uses the faster function for a `StaticString`.
    @_disfavoredOverload public func append(_ text: String) {
        var text = text
        text.withUTF8 { append($0) }
    }

    /// Appends the decimal digits of `number`.
    public func append(decimal number: Int64) {
        reserve(20)
        var magnitude = number.magnitude
        var digits = 1
        // It ends at 10^19, which is above every magnitude and fits a UInt64.
        var limit: UInt64 = 10
        while magnitude >= limit {
            digits += 1
            limit &*= 10
        }
        if number < 0 {
            base[count] = UInt8(ascii: "-")
            count += 1
        }
        var at = count + digits
        count = at
        repeat {
            at -= 1
            base[at] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude % 10)
            magnitude /= 10
        } while magnitude > 0
    }

    /// Makes the buffer empty. It keeps its storage.
    @inlinable public func removeAll() { count = 0 }

    /// Makes the buffer empty. Storage of more than `limit` bytes is freed, so that one very large document does not
    /// cost memory for ever.
    public func removeAll(keepingAtMost limit: Int) {
        count = 0
        guard capacity > limit else { return }
        base.deallocate()
        room = max(limit, 16)
        storage = .allocate(capacity: room)
    }
}

extension String {
    /// The bytes as text, for messages. Invalid UTF-8 becomes U+FFFD.
    public init(repairing bytes: Bytes) { self = String(decoding: bytes, as: UTF8.self) }
}

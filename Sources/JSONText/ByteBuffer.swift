/// Borrowed bytes. Valid only as long as what they were taken from; never stored beyond that.
public typealias Bytes = UnsafeBufferPointer<UInt8>

/// Growable bytes with one owner at a time, handed over by reference: a bulk body goes from the transform thread
/// to the HTTP thread without a copy.
///
/// `@unchecked Sendable` because every hand-over passes through a lock or a queue, and the giver does not touch the
/// buffer again until it is handed back. For the same reason its fields need no exclusivity checks at run time, which
/// would cost more than the appends themselves.
public final class ByteBuffer: @unchecked Sendable {
    /// The storage. Moves when the buffer grows.
    @inlinable public var base: UnsafeMutablePointer<UInt8> { storage }
    /// Bytes in use.
    @inlinable public var count: Int {
        get { used }
        set { used = newValue }
    }
    /// Bytes allocated.
    @inlinable public var capacity: Int { room }

    @exclusivity(unchecked) @usableFromInline var storage: UnsafeMutablePointer<UInt8>
    @exclusivity(unchecked) @usableFromInline var used: Int
    @exclusivity(unchecked) @usableFromInline var room: Int

    /// An empty buffer that holds `capacity` bytes before it grows.
    public init(capacity: Int = 256) {
        room = max(capacity, 16)
        storage = .allocate(capacity: room)
        used = 0
    }

    deinit { base.deallocate() }

    /// All bytes in use, until the next change.
    public var bytes: Bytes {
        @inlinable @inline(__always) get { Bytes(start: base, count: count) }
    }

    /// The bytes of `range`, until the next change. The range is clamped to what there is.
    @inlinable public func slice(_ range: Range<Int>) -> Bytes {
        let lower = min(max(range.lowerBound, 0), count)
        let upper = min(max(range.upperBound, lower), count)
        return Bytes(start: base + lower, count: upper - lower)
    }

    /// Room for `extra` more bytes.
    @inlinable @inline(__always) public func reserve(_ extra: Int) {
        if count &+ extra > capacity { grow(count + extra) }
    }

    @inline(never) @usableFromInline func grow(_ wanted: Int) {
        // Twice as much of a giant would be memory for nothing.
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

    /// The text. A literal goes the shorter way, as a `StaticString`.
    @_disfavoredOverload public func append(_ text: String) {
        var text = text
        text.withUTF8 { append($0) }
    }

    /// The decimal digits of `number`.
    public func append(decimal number: Int64) {
        reserve(20)
        var magnitude = number.magnitude
        var digits = 1
        // 10^19 is more than any magnitude, and still a UInt64.
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

    /// Forgets the bytes, keeps the storage.
    @inlinable public func removeAll() { count = 0 }

    /// Forgets the bytes, and the storage when it grew beyond `limit`, so that one giant document does not stay paid
    /// for.
    public func removeAll(keepingAtMost limit: Int) {
        count = 0
        guard capacity > limit else { return }
        base.deallocate()
        room = max(limit, 16)
        storage = .allocate(capacity: room)
    }
}

extension String {
    /// The bytes as text; what is not UTF-8 is repaired with U+FFFD, for messages only.
    public init(repairing bytes: Bytes) { self = String(decoding: bytes, as: UTF8.self) }
}

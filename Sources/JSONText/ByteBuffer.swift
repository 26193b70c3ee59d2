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
        // Up to three times eight digits, and a sign.
        reserve(32)
        if number < 0 { append(UInt8(ascii: "-")) }
        let block: UInt64 = 100_000_000
        let (above, last) = number.magnitude.quotientAndRemainder(dividingBy: block)
        let (first, middle) = above.quotientAndRemainder(dividingBy: block)
        if first > 0 {
            append(firstDigits: first)
            append(eightDigits: middle)
            append(eightDigits: last)
        } else if middle > 0 {
            append(firstDigits: middle)
            append(eightDigits: last)
        } else {
            append(firstDigits: last)
        }
    }

    /// Appends a number below 10^8 without the zeros in front of it. There must be room for eight bytes.
    @inline(__always) private func append(firstDigits number: UInt64) {
        let digits = Self.eightDigits(number)
        // Of the number zero, one digit is kept.
        let zeros = min(digits.trailingZeroBitCount & ~7, 56)
        store((digits | Self.asciiZeros) &>> UInt64(zeros))
        used &+= 8 &- zeros &>> 3
    }

    /// Appends a number below 10^8 as eight digits. There must be room for eight bytes.
    @inline(__always) private func append(eightDigits number: UInt64) {
        store(Self.eightDigits(number) | Self.asciiZeros)
        used &+= 8
    }

    @inline(__always) private func store(_ word: UInt64) {
        UnsafeMutableRawPointer(base + count).storeBytes(of: word.littleEndian, as: UInt64.self)
    }

    private static var asciiZeros: UInt64 { 0x3030_3030_3030_3030 }

    /// The digits of a number below 10^8, each in a byte of its own, the first in the lowest. It halves the number
    /// three times: into two parts of four digits, four of two, eight of one. Each division of parts that lie beside
    /// each other is one multiplication: 10486 / 2^20 is 1/100, exact enough for four digits, and 103 / 2^10 is 1/10.
    @inline(__always) private static func eightDigits(_ number: UInt64) -> UInt64 {
        let (high, low) = number.quotientAndRemainder(dividingBy: 10_000)
        let fours = high | low &<< 32
        let hundreds = (fours &* 10486) &>> 20 & 0x0000_007F_0000_007F
        let twos = hundreds | (fours &- hundreds &* 100) &<< 16
        let tens = (twos &* 103) &>> 10 & 0x000F_000F_000F_000F
        return tens | (twos &- tens &* 10) &<< 8
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

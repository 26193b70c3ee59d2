/// A copy of the last bytes of a text, with zeros behind them.
///
/// The loops for plain members read whole vectors, and must not read beyond the text. So they would have to leave its
/// last members to the slower functions. They read those members here instead.
///
/// It holds a plain pointer: the owner calls ``deallocate()``. Only one thread may use it.
public struct TextTail {
    /// How many bytes of the text are copied. A shorter text has no tail.
    @inlinable @inline(__always) public static var length: Int { 48 }

    @usableFromInline let bytes: UnsafeMutablePointer<UInt8>

    public init() {
        // The zeros are as many as a plain member may read; see `JSONScanner.plainRoom`.
        bytes = .allocate(capacity: 2 * Self.length)
        bytes.initialize(repeating: 0, count: 2 * Self.length)
    }

    public func deallocate() { bytes.deallocate() }

    /// Copies the last bytes of a text of `end` bytes, of which there must be ``length``. Returns the copy: its first
    /// byte is the one at `end - length`.
    @inlinable @inline(__always) public func copy(_ text: UnsafePointer<UInt8>, _ end: Int) -> UnsafePointer<UInt8> {
        // Three vectors: a call of memcpy would cost more.
        let from = UnsafeRawPointer(text + (end &- Self.length))
        let to = UnsafeMutableRawPointer(bytes)
        let one = from.loadUnaligned(as: SIMD16<UInt8>.self)
        let two = from.loadUnaligned(fromByteOffset: 16, as: SIMD16<UInt8>.self)
        let three = from.loadUnaligned(fromByteOffset: 32, as: SIMD16<UInt8>.self)
        to.storeBytes(of: one, as: SIMD16<UInt8>.self)
        to.storeBytes(of: two, toByteOffset: 16, as: SIMD16<UInt8>.self)
        to.storeBytes(of: three, toByteOffset: 32, as: SIMD16<UInt8>.self)
        return UnsafePointer(bytes)
    }
}

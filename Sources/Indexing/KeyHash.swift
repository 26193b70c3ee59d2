import JSONText

/// Hash of a key's bytes: 16 bytes per step through a 64 x 64 -> 128 bit multiplication (the construction of wyhash),
/// so that counters, UUIDs and long common prefixes all spread.
public enum KeyHash {
    @inlinable static var p0: UInt64 { 0xa076_1d64_78bd_642f }
    @inlinable static var p1: UInt64 { 0xe703_7ed1_a0b4_28db }
    @inlinable static var p2: UInt64 { 0x8ebc_6af0_9c88_c6e3 }

    @inlinable @inline(__always) static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }

    /// The hash of `bytes`; `seed` tells the entries of a recipe apart.
    @inlinable public static func hash(_ bytes: Bytes, seed: Int = 0) -> UInt64 {
        var state = UInt64(truncatingIfNeeded: seed) &* p2 ^ p0
        let count = bytes.count
        guard count > 0, let start = bytes.baseAddress.map(UnsafeRawPointer.init) else { return mix(state ^ p1, p0) }
        var at = 0
        while count &- at > 16 {
            let a = start.loadUnaligned(fromByteOffset: at, as: UInt64.self)
            let b = start.loadUnaligned(fromByteOffset: at &+ 8, as: UInt64.self)
            state = mix(a ^ p1, b ^ state)
            at &+= 16
        }
        var a: UInt64 = 0
        var b: UInt64 = 0
        let rest = count &- at
        if rest >= 8 {
            a = start.loadUnaligned(fromByteOffset: at, as: UInt64.self)
            b = start.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        } else if rest >= 4 {
            a = UInt64(start.loadUnaligned(fromByteOffset: at, as: UInt32.self))
            b = UInt64(start.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
        } else {
            a = UInt64(start.load(fromByteOffset: at, as: UInt8.self)) << 16
            a |= UInt64(start.load(fromByteOffset: at &+ rest / 2, as: UInt8.self)) << 8
            a |= UInt64(start.load(fromByteOffset: count &- 1, as: UInt8.self))
        }
        return mix(p1 ^ UInt64(count), mix(a ^ p1, b ^ state))
    }
}

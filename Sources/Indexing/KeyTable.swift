import JSONText

/// Hash of a key's bytes: 16 bytes a step through a 64 x 64 -> 128 bit multiplication (the construction of wyhash), so that
/// counters, UUIDs and long common prefixes all spread.
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

/// Numbers by 64-bit hash: open addressing with linear probing, one allocation when it grows, none else.
///
/// It knows hashes only: whoever cannot live with two keys of one hash compares the keys. Not safe for several threads.
public final class KeyTable {
    @usableFromInline struct Slot {
        @usableFromInline var hash: UInt64
        @usableFromInline var value: Int
        @inlinable init(hash: UInt64, value: Int) {
            self.hash = hash
            self.value = value
        }
    }

    // Hash 0 marks an empty slot, so the value of that one hash lives beside the table.
    @usableFromInline var zero: Int?
    @usableFromInline var slots: UnsafeMutablePointer<Slot>
    @usableFromInline var mask: Int
    @usableFromInline var used = 0

    /// Room for `capacity` entries before it grows.
    public init(capacity: Int = 1_024) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = .allocate(capacity: size)
        slots.initialize(repeating: Slot(hash: 0, value: 0), count: size)
        mask = size - 1
    }

    deinit { slots.deallocate() }

    public var count: Int { used + (zero == nil ? 0 : 1) }

    /// Where the hash is, or the empty slot where it would go.
    @inlinable @inline(__always) func find(_ hash: UInt64) -> Int {
        var at = Int(truncatingIfNeeded: hash) & mask
        while slots[at].hash != hash, slots[at].hash != 0 { at = (at &+ 1) & mask }
        return at
    }

    @inlinable public func get(_ hash: UInt64) -> Int? {
        guard hash != 0 else { return zero }
        let slot = slots[find(hash)]
        return slot.hash == 0 ? nil : slot.value
    }

    /// Sets the value; returns the one before.
    @inlinable @discardableResult public func insert(_ hash: UInt64, _ value: Int) -> Int? {
        guard hash != 0 else {
            let before = zero
            zero = value
            return before
        }
        var at = find(hash)
        if slots[at].hash == hash {
            let before = slots[at].value
            slots[at].value = value
            return before
        }
        if (used &+ 1) &* 2 > mask {
            grow()
            at = find(hash)
        }
        slots[at] = Slot(hash: hash, value: value)
        used &+= 1
        return nil
    }

    @inlinable @discardableResult public func remove(_ hash: UInt64) -> Int? {
        guard hash != 0 else {
            let before = zero
            zero = nil
            return before
        }
        var hole = find(hash)
        guard slots[hole].hash != 0 else { return nil }
        let before = slots[hole].value
        used &-= 1
        // Entries behind the hole move up when the hole lies between their home and them.
        var at = hole
        while true {
            at = (at &+ 1) & mask
            let next = slots[at].hash
            if next == 0 { break }
            let home = Int(truncatingIfNeeded: next) & mask
            if (at &- home) & mask >= (at &- hole) & mask {
                slots[hole] = slots[at]
                hole = at
            }
        }
        slots[hole].hash = 0
        return before
    }

    /// Forgets everything; the room stays unless it is larger than `limit` entries need.
    public func removeAll(keepingAtMost limit: Int = .max) {
        zero = nil
        used = 0
        if (mask + 1) / 2 > max(limit, 16) {
            resize(to: 32, copying: false)
        } else {
            slots.update(repeating: Slot(hash: 0, value: 0), count: mask + 1)
        }
    }

    @usableFromInline func grow() { resize(to: (mask + 1) * 2, copying: true) }

    private func resize(to size: Int, copying: Bool) {
        let old = slots
        let oldSize = mask + 1
        slots = .allocate(capacity: size)
        slots.initialize(repeating: Slot(hash: 0, value: 0), count: size)
        mask = size - 1
        if copying {
            for at in 0..<oldSize where old[at].hash != 0 { slots[find(old[at].hash)] = old[at] }
        }
        old.deallocate()
    }
}

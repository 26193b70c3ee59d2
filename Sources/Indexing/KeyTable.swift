/// Numbers by 64-bit hash: open addressing with linear probing. It allocates only when it grows.
///
/// It knows hashes only, so two keys of one hash share a number. A caller that must tell them apart compares the keys
/// themselves. Not safe for several threads.
public final class KeyTable {
    @usableFromInline struct Slot {
        @usableFromInline var hash: UInt64
        @usableFromInline var value: Int
        @inlinable init(hash: UInt64, value: Int) {
            (self.hash, self.value) = (hash, value)
        }
    }

    // Hash 0 marks an empty slot, so the number of that one hash is kept beside the table.
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

    /// The slot of the hash, or the empty slot where it would go.
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

    /// Sets the number and returns the one before.
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
        // An entry behind the hole moves into it when the hole lies between the entry's home and the entry.
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

    /// Removes everything. The room stays, unless it is larger than `limit` entries need.
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

/// Objects in numbered slots, each owned by its slot and used without counting references.
///
/// Swift counts a reference when an object is loaded from an array or an optional property, and takes the count back
/// after the use. Both are atomic operations: two or three pairs per record cost some 3 % of the time that a worker has
/// for it. A slot holds its object with one count from ``put(_:in:)`` to ``take(_:)``; in between, ``with(_:_:)`` lends
/// it uncounted.
///
/// The rule for the caller: an object must stay in its slot while it is lent. Debug builds check it. For one thread.
/// This type and ``CallbackContext`` are the only places that handle references by hand.
public struct UncountedSlots<Object: AnyObject>: ~Copyable {
    public let count: Int
    @usableFromInline let slots: UnsafeMutablePointer<Unmanaged<Object>?>
    /// How often each slot's object is lent at this moment; counted in debug builds only.
    @usableFromInline let loans: UnsafeMutablePointer<Int>

    /// `count` empty slots.
    public init(count: Int) {
        self.count = count
        slots = .allocate(capacity: count)
        slots.initialize(repeating: nil, count: count)
        loans = .allocate(capacity: count)
        loans.initialize(repeating: 0, count: count)
    }

    /// A slot for each object, in their order.
    public init(_ objects: [Object]) {
        self.init(count: objects.count)
        for (slot, object) in objects.enumerated() { put(object, in: slot) }
    }

    deinit {
        for slot in 0..<count { slots[slot]?.release() }
        slots.deallocate()
        loans.deallocate()
    }

    /// Lends the slot's object to `body`, without counting; nil when the slot is empty.
    @inlinable @inline(__always) public func with<Result>(_ slot: Int, _ body: (Object) -> Result) -> Result? {
        precondition(isSlot(slot))
        guard let object = slots[slot] else { return nil }
        assert(lend(slot))
        defer { assert(giveBack(slot)) }
        return object._withUnsafeGuaranteedRef(body)
    }

    /// The slot's object, with a count of its own, so that it may be taken out of the slot meanwhile.
    @inlinable public subscript(_ slot: Int) -> Object? {
        precondition(isSlot(slot))
        return slots[slot]?.takeUnretainedValue()
    }

    @inlinable public func isEmpty(_ slot: Int) -> Bool {
        precondition(isSlot(slot))
        return slots[slot] == nil
    }

    /// Whether no slot has an object.
    public var isEmpty: Bool { (0..<count).allSatisfy { slots[$0] == nil } }

    /// Gives `object` to the slot, which lets go of the one it had.
    public func put(_ object: Object, in slot: Int) {
        _ = take(slot)
        slots[slot] = .passRetained(object)
    }

    /// Empties the slot; its object, if there was one, is the caller's.
    public func take(_ slot: Int) -> Object? {
        precondition(isSlot(slot))
        assert(loans[slot] == 0, "an object was taken out of its slot while it was lent")
        defer { slots[slot] = nil }
        return slots[slot]?.takeRetainedValue()
    }

    @inlinable func isSlot(_ slot: Int) -> Bool { UInt(bitPattern: slot) < UInt(bitPattern: count) }

    @usableFromInline func lend(_ slot: Int) -> Bool {
        loans[slot] += 1
        return true
    }

    @usableFromInline func giveBack(_ slot: Int) -> Bool {
        loans[slot] -= 1
        return true
    }
}

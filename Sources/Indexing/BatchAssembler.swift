/// Size at which a batch is to be handed over, whichever is reached first.
public struct BatchLimits: Sendable, Equatable {
    public var documents: Int
    public var bytes: Int

    public init(documents: Int, bytes: Int) {
        (self.documents, self.bytes) = (documents, bytes)
    }

    @inlinable @inline(__always) public func areReached(documents: Int, bytes: Int) -> Bool {
        documents >= self.documents || bytes >= self.bytes
    }
}

/// Names a batch of one worker.
public struct BatchID: Sendable, Hashable {
    /// Which entry of the recipe's `indices` it is for.
    public let entry: Int
    /// Counts the worker's batches from 1.
    public let serial: Int
    /// The generation in which it was opened; see ``BatchAssembler/abandon(generation:)``.
    public let generation: Generation

    public init(entry: Int, serial: Int, generation: Generation) {
        (self.entry, self.serial, self.generation) = (entry, serial, generation)
    }
}

/// What one worker decides about its batches: when one begins, when it is full, and when it has waited long enough.
///
/// At most one batch per entry is open. The assembler keeps numbers only; its driver keeps the batches themselves and
/// hands over each one that is taken from here.
public struct BatchAssembler: Sendable {
    /// An open batch; serial 0: none is open.
    @usableFromInline struct Slot: Sendable {
        @usableFromInline var serial = 0
        var generation: Generation = 0
        var opened: Int64 = 0
    }

    /// Milliseconds that a batch may be open: a trickle of records never fills one.
    public static let longestWait: Int64 = 100

    /// For the batches that are open, too.
    public var limits: BatchLimits
    /// That of batches opened from now on.
    public private(set) var generation: Generation
    @usableFromInline var slots: [Slot]
    private var serial = 0
    private var openCount = 0

    public init(entries: Int, limits: BatchLimits, generation: Generation = 1) {
        (self.limits, self.generation) = (limits, generation)
        slots = Array(repeating: Slot(), count: entries)
    }

    /// Whether any batch is open.
    public var hasOpen: Bool { openCount > 0 }

    /// Whether the entry's batch is open.
    @inlinable public func isOpen(_ entry: Int) -> Bool { slots[entry].serial > 0 }

    /// Opens a batch for the entry, which has none. `now`: milliseconds of a clock that never goes back.
    public mutating func open(_ entry: Int, now: Int64) -> BatchID {
        if slots[entry].serial == 0 { openCount += 1 }
        serial += 1
        slots[entry] = Slot(serial: serial, generation: generation, opened: now)
        return BatchID(entry: entry, serial: serial, generation: generation)
    }

    /// Whether an open batch is full, so that it is to be taken. It is asked after each item. `documents`: the items
    /// that are in it now. `bytes`: those of its body.
    @inlinable @inline(__always) public func isFull(documents: Int, bytes: Int) -> Bool {
        limits.areReached(documents: documents, bytes: bytes)
    }

    /// Closes the entry's batch, which the driver hands over unless it is empty; nil: none was open.
    public mutating func take(_ entry: Int) -> BatchID? {
        let slot = slots[entry]
        guard slot.serial > 0 else { return nil }
        slots[entry] = Slot()
        openCount -= 1
        return BatchID(entry: entry, serial: slot.serial, generation: slot.generation)
    }

    /// Closes one batch that was open for longer than ``longestWait``.
    public mutating func takeDue(now: Int64) -> BatchID? {
        guard openCount > 0 else { return nil }
        return takeFirst { now - $0.opened > Self.longestWait }
    }

    /// Closes one batch, whatever is in it: everything is to be handed over.
    public mutating func takeAny() -> BatchID? {
        guard openCount > 0 else { return nil }
        return takeFirst { _ in true }
    }

    /// All partitions were given up. Gives the batches that were open, which are dropped; others opened from now on
    /// have this generation.
    public mutating func abandon(generation: Generation) -> [BatchID] {
        self.generation = generation
        var dropped: [BatchID] = []
        while let batch = takeAny() { dropped.append(batch) }
        return dropped
    }

    private mutating func takeFirst(where isWanted: (Slot) -> Bool) -> BatchID? {
        guard let entry = slots.firstIndex(where: { $0.serial > 0 && isWanted($0) }) else { return nil }
        return take(entry)
    }
}

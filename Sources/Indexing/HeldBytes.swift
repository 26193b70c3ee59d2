/// The bytes that are counted against `limits.memory` between reading and acknowledgement (promise P10 in
/// docs/architecture.md): when to read on, and when to wait.
public struct HeldBytes: Sendable, Equatable {
    /// Nothing more is read while so many bytes are held.
    public let limit: Int
    /// Nothing more is read while so many bytes wait for a worker. More would make nothing faster.
    public let queueLimit: Int
    /// Bytes held, of everything.
    public private(set) var total = 0
    /// Of these, records and pages that wait for a worker; without the allowance for their writes.
    public private(set) var queued = 0

    public init(limit: Int, queueLimit: Int) {
        (self.limit, self.queueLimit) = (limit, queueLimit)
    }

    /// Whether feeders must wait.
    public var isFull: Bool { isAtLimit || queued >= queueLimit }

    /// Whether as much is held as may be.
    public var isAtLimit: Bool { total >= limit }

    public mutating func hold(_ bytes: Int) { total &+= bytes }

    public mutating func release(_ bytes: Int) { total &-= bytes }

    /// Records or a page of this size are handed to a worker. They count twice: their write will be about as large
    /// again.
    public mutating func enqueue(_ bytes: Int) {
        queued &+= bytes
        hold(2 &* bytes)
    }

    /// The worker is done with them; what it made of them is held by its batches.
    public mutating func dequeue(_ bytes: Int) {
        queued &-= bytes
        release(2 &* bytes)
    }
}

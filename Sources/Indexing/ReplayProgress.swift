/// One bounded replay as the state remembers it: it ends where the log ended when it began (promise P8 in
/// docs/architecture.md).
///
/// Another replay may have begun meanwhile. A process tells that by ``started``.
public struct ReplayProgress: Sendable, Equatable {
    /// When it began, in milliseconds.
    public let started: Int64
    /// By partition: where it began, its frozen end, and the offset before which every record has its final outcome.
    public let start: [Int32: Int64]
    public let end: [Int32: Int64]
    public private(set) var position: [Int32: Int64]
    /// When it ended, in milliseconds; nil: it has not.
    public private(set) var finished: Int64?

    /// A new replay. `ends`: where each partition ends now.
    public init(started: Int64, start: [Int32: Int64], ends: [Int32: Int64]) {
        self.init(started: started, start: start, end: ends, position: start, finished: nil)
    }

    /// One that the state holds.
    public init(
        started: Int64, start: [Int32: Int64], end: [Int32: Int64], position: [Int32: Int64], finished: Int64?
    ) {
        (self.started, self.start, self.end, self.position, self.finished) = (started, start, end, position, finished)
    }

    /// Whether a process that works at the replay begun at `other` must stop, because this is another one, or has
    /// ended.
    public func endsWork(at other: Int64) -> Bool { started != other || finished != nil }

    /// Keeps how far everything has its final outcome. False, and nothing changes: they are offsets of another replay.
    @discardableResult
    public mutating func keep(_ offsets: [Int32: Int64], of other: Int64) -> Bool {
        guard other == started else { return false }
        position.merge(offsets) { _, new in new }
        return true
    }

    /// Every end was reached and everything before has its final outcome. False, and nothing changes: another replay
    /// did.
    @discardableResult
    public mutating func finish(_ other: Int64, now: Int64) -> Bool {
        guard other == started else { return false }
        finished = now
        // Control records and gaps at the end were passed, too.
        position.merge(end) { max($0, $1) }
        return true
    }

    /// The offsets to commit for the group, so that it goes on where the replay ended: only where it is not further.
    public func handOver(committed: [Int32: Int64]) -> [Int32: Int64] {
        end.filter { (committed[$0.key] ?? -1) < $0.value }
    }
}

import Commands

/// One ownership of a partition, or of a slice of the copy: what was read since it began, and what became of it.
public struct PartitionOwnership: Sendable {
    /// What a report of outcomes came to.
    public enum Settlement: Sendable, Equatable {
        case counted
        /// The partition was given up meanwhile. Nothing changed: its next owner reads the records again.
        case late
        /// The run never had so many records without outcome. Nothing changed.
        case mistaken
    }

    public let generation: Generation
    /// The offset at which it began; nil: not known.
    public let start: Int64?
    public private(set) var tracker = RunTracker()
    public private(set) var outcomes = OutcomeCounts()
    /// Whether the source has no more documents for the slice. Stays false for partitions, which have no last record.
    public var isReadToEnd = false
    /// No process can have applied a record from this offset on before we do; nil: nothing is known about that.
    private var unappliedFrom: Int64?
    /// The first run that lies wholly at or after `unappliedFrom`.
    private var firstUnappliedRun: Int?
    /// Documents of the slice that an earlier reading of it wrote, and that this one has not met yet.
    private var writtenBefore = 0

    init(generation: Generation, start: Int64?, unappliedFrom: Int64?) {
        (self.generation, self.start, self.unappliedFrom) = (generation, start, unappliedFrom)
    }

    /// A slice that is read again from its start, after an earlier reading that was given up.
    init(generation: Generation, after earlier: PartitionOwnership) {
        self.init(generation: generation, start: earlier.start, unappliedFrom: nil)
        writtenBefore = earlier.writtenBefore + earlier.outcomes[.indexed]
    }

    /// The next offset to read.
    public var position: Int64? { tracker.position ?? start }
    /// Every record before this offset has its final outcome.
    public var settledUpTo: Int64? { tracker.committable ?? start }

    /// Whether everything the source had was read and has its final outcome.
    public var isFinished: Bool { isReadToEnd && tracker.unsettled == 0 && tracker.companions == 0 }

    /// Opens a run and returns its number; nil when it makes no sense, see ``RunTracker/open(first:next:count:)``.
    mutating func open(first: Int64, next: Int64, count: Int) -> Int? {
        let number = tracker.open(first: first, next: next, count: count)
        guard number >= 0 else { return nil }
        if firstUnappliedRun == nil, let unappliedFrom, first >= unappliedFrom { firstUnappliedRun = number }
        return number
    }

    /// `count` records of a run have their final outcome. A run of an earlier ownership is late: the partition was lost
    /// since, and this ownership reads its records again.
    mutating func settle(_ run: RunID, _ outcome: Outcome, _ count: Int) -> Settlement {
        guard run.generation == generation else { return .late }
        let mistakes = tracker.mistakes
        if outcome == .deadLettered { tracker.die(run.number, count) }
        _ = tracker.settle(run.number, count)
        guard tracker.mistakes == mistakes else { return .mistaken }
        guard outcome == .stale, writtenBefore > 0 else {
            outcomes[outcome] += count
            return .counted
        }
        // What makes these stale is what the copy itself wrote.
        let ours = min(count, writtenBefore)
        writtenBefore -= ours
        outcomes[.indexed] += ours
        outcomes[.stale] += count - ours
        return .counted
    }

    /// See ``RunTracker/expect(_:_:)``.
    mutating func expect(_ number: Int, _ count: Int) { tracker.expect(number, count) }

    /// See ``RunTracker/conclude(_:_:)``.
    mutating func conclude(_ number: Int, _ count: Int) { _ = tracker.conclude(number, count) }

    /// Everything before `next` was read and holds no further record.
    mutating func advance(to next: Int64) { tracker.advance(to: next) }

    /// Another process has applied, or may apply, records up to `offset`. Runs under way are no longer judged by the
    /// alarm.
    mutating func othersReach(_ offset: Int64) {
        guard let known = unappliedFrom, offset > known else { return }
        unappliedFrom = offset
        firstUnappliedRun = nil
    }

    /// Whether no other process can have applied the run's records.
    func isUnapplied(_ number: Int) -> Bool { firstUnappliedRun.map { number >= $0 } ?? false }
}

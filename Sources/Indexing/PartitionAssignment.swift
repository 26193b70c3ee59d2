/// The partitions that this process reads: what was read of each, and what is to be committed when (promises P2 and
/// P3 in docs/architecture.md).
///
/// `Mark` is what the log is known by at a record; see ``RunTrail``.
public struct PartitionAssignment<Mark: Sendable>: Sendable {
    private struct Partition: Sendable {
        /// The first offset to read.
        let start: Int64
        /// The next offset to read.
        var position: Int64
        var commit = OffsetCommit()
        var trail: RunTrail<Mark>
    }

    /// Where a bounded replay stops in each partition, frozen before it began; nil: it has no end.
    public let ends: [Int32: Int64]?
    /// Milliseconds between two commits.
    private let commitEvery: Int64
    private var nextCommit: Int64 = 0
    private var partitions: [Int32: Partition] = [:]

    public init(ends: [Int32: Int64]? = nil, commitEvery: Int64 = 1000) {
        (self.ends, self.commitEvery) = (ends, commitEvery)
    }

    // MARK: Rebalance

    public var isEmpty: Bool { partitions.isEmpty }
    public var numbers: [Int32] { Array(partitions.keys) }
    /// The next offset to read of each partition.
    public var positions: [Int32: Int64] { partitions.mapValues(\.position) }
    /// The mark of the last settled record of each partition that has one.
    public var settledMarks: [Int32: Mark] { partitions.compactMapValues(\.trail.settled) }

    /// The partition is ours from offset `start` on. `known`: the mark of a record before it, so that a commit of which
    /// nothing was read still says whose log it is of.
    public mutating func assign(_ partition: Int32, start: Int64, known: Mark? = nil) {
        partitions[partition] = Partition(start: start, position: start, trail: RunTrail(known: known))
        nextCommit = 0
    }

    /// The partition is not ours any more. True when none is left: then everything under way is abandoned. (A
    /// cooperative rebalance lets us keep some. What is under way may be theirs, and versions keep the rest from
    /// doing harm.)
    public mutating func revoke(_ revoked: [Int32]) -> Bool {
        for partition in revoked { partitions[partition] = nil }
        return partitions.isEmpty
    }

    // MARK: Reading

    /// The frozen end of a partition; nothing from there on is applied, though the log may have grown.
    public func end(of partition: Int32) -> Int64 { ends?[partition] ?? .max }

    /// A run was read: the last record of it lies before `next`, and is known by `mark`. False: the partition is not
    /// ours, and its records are dropped.
    public mutating func read(_ partition: Int32, next: Int64, _ mark: Mark) -> Bool {
        guard let at = partitions.index(forKey: partition) else { return false }
        partitions.values[at].position = next
        partitions.values[at].trail.read(next - 1, mark)
        return true
    }

    /// Nothing that is to be applied lies between what was read and `next`: markers, aborted records, gaps, or records
    /// behind the frozen end. Returns up to where the partition counts as read; nil: it is not ours.
    public mutating func reached(_ partition: Int32, _ next: Int64) -> Int64? {
        guard let at = partitions.index(forKey: partition) else { return nil }
        // A bounded replay has taken nothing beyond its end, wherever the log's is by now.
        let next = min(next, end(of: partition))
        partitions.values[at].position = max(partitions.values[at].position, next)
        return next
    }

    /// Whether every frozen end is reached (promise P8).
    public var isOver: Bool {
        guard let ends else { return false }
        return ends.allSatisfy { $0.value <= partitions[$0.key]?.position ?? 0 }
    }

    // MARK: Commit

    /// Whether a commit is due at `now`, in milliseconds of a clock that never goes back; if so, the next one is due
    /// later.
    public mutating func isCommitDue(now: Int64) -> Bool {
        guard now >= nextCommit else { return false }
        nextCommit = now + commitEvery
        return true
    }

    /// Takes note of what is settled, and tells which offsets are to be committed. `last`: nothing can be committed
    /// later, so offsets whose commit is under way are sent again.
    public mutating func offsetsToCommit(settled: [Int32: Int64], last: Bool) -> [Int32: Int64] {
        settled.filter { partition, offset in
            guard let at = partitions.index(forKey: partition) else { return false }
            partitions.values[at].trail.settle(upTo: offset)
            return partitions.values[at].commit.wants(offset, now: last)
        }
    }

    /// The commit of these offsets is under way; ``commitAnswered(_:isKept:)`` follows.
    public mutating func commitSent(_ offsets: [Int32: Int64]) {
        for (partition, offset) in offsets { partitions[partition]?.commit.sent(offset) }
    }

    /// The commit of these offsets succeeded, or failed: then they are sent again.
    public mutating func commitAnswered(_ offsets: [Int32: Int64], isKept: Bool) {
        for (partition, offset) in offsets {
            partitions[partition]?.commit.answered(offset, isKept: isKept)
        }
    }

    /// What to commit only to learn whether the group still counts us in: everything that is settled, or where we
    /// began.
    public mutating func offsetsThatProveMembership(_ asked: [Int32], settled: [Int32: Int64])
        -> [Int32: Int64]
    {
        var offsets: [Int32: Int64] = [:]
        for partition in asked {
            guard let at = partitions.index(forKey: partition) else { continue }
            let offset = settled[partition] ?? partitions.values[at].start
            partitions.values[at].trail.settle(upTo: offset)
            offsets[partition] = offset
        }
        return offsets
    }

    /// The mark that is kept beside the partition's committed offset.
    public func mark(of partition: Int32) -> Mark? { partitions[partition]?.trail.settled }
}

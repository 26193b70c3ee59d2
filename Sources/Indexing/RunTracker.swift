/// Up to which offset of one partition all records have their outcome: only this contiguous prefix is ever committed
/// (P2 in docs/architecture.md).
///
/// Records are tracked in runs: consecutive records that were read together. A run is settled when all of its records
/// are. One tracker serves one ownership of one partition. The next ownership gets a new tracker, and the owner of the
/// tracker keeps outcomes of an older ownership away from it.
///
/// No call traps. A call that makes no sense changes nothing, says so by its result, and is counted in ``mistakes``.
public struct RunTracker: Sendable {
    private struct Run: Sendable {
        var next: Int64
        var unsettled: Int
        /// Writes beside those that settle the records; see ``RunTracker/expect(_:_:)``.
        var companions = 0
        /// Its records that became dead letters.
        var dead = 0
    }

    /// Open runs as a ring: `ring[(head + i) & mask]` is run number `headNumber + i`.
    private var ring: [Run] = []
    private var head = 0
    private var headNumber = 0

    /// Runs that are opened and not yet part of the committable prefix.
    public private(set) var openRuns = 0
    /// Records that are read and have no final outcome.
    public private(set) var unsettled = 0
    /// Writes under way beside those that settle the records.
    public private(set) var companions = 0
    /// Records read since the beginning.
    public private(set) var read = 0
    /// The offset to commit: everything below it has its final outcome. Nil before there is anything to commit.
    public private(set) var committable: Int64?
    /// Dead letters below ``committable``.
    public private(set) var committableDead = 0
    /// Calls that were ignored because they cannot be right.
    public private(set) var mistakes = 0

    /// The first offset that no run covers yet; nil before the first run.
    private var end: Int64?

    public init() {}

    /// The offset after everything that was read or passed; nil before there was anything.
    public var position: Int64? { end }

    /// A run of `count` records was read, the first at offset `first`; `next` is the offset after the last one, so
    /// that gaps (compaction, control records) inside are covered.
    ///
    /// Returns the run's number, one greater than that of the run before, or -1 when the run lies before what was
    /// already read, or makes no sense. A run of no records is settled at once.
    public mutating func open(first: Int64, next: Int64, count: Int) -> Int {
        guard first >= 0, next > first, count >= 0, count <= next &- first, first >= end ?? first else {
            mistakes += 1
            return -1
        }
        if openRuns == ring.count { grow() }
        ring[(head + openRuns) & (ring.count - 1)] = Run(next: next, unsettled: count)
        let number = headNumber + openRuns
        openRuns += 1
        unsettled += count
        read += count
        end = next
        if count == 0 { _ = release() }
        return number
    }

    /// `count` records of a run have their final outcome. True when ``committable`` moved.
    public mutating func settle(_ run: Int, _ count: Int) -> Bool {
        let position = run &- headNumber
        guard count > 0, position >= 0, position < openRuns else {
            mistakes += 1
            return false
        }
        let slot = (head + position) & (ring.count - 1)
        guard ring[slot].unsettled >= count else {
            mistakes += 1
            return false
        }
        ring[slot].unsettled -= count
        unsettled -= count
        return position == 0 && release()
    }

    /// `count` records of a run, which are not settled yet, are dead letters.
    public mutating func die(_ run: Int, _ count: Int) {
        guard let slot = slot(run), count > 0, ring[slot].unsettled >= count else { return }
        ring[slot].dead += count
    }

    /// A record of the run has `count` more writes than the one that settles it. The run is settled when these are
    /// done, too.
    public mutating func expect(_ run: Int, _ count: Int) {
        guard let slot = slot(run), count > 0 else {
            mistakes += 1
            return
        }
        ring[slot].companions += count
        companions += count
    }

    /// `count` of these writes are done. True when ``committable`` moved.
    public mutating func conclude(_ run: Int, _ count: Int) -> Bool {
        guard count > 0, let slot = slot(run), ring[slot].companions >= count else {
            mistakes += 1
            return false
        }
        ring[slot].companions -= count
        companions -= count
        return run == headNumber && release()
    }

    /// Whether everything of the run is done.
    public func isSettled(_ run: Int) -> Bool {
        guard let slot = slot(run) else { return run < headNumber }
        return ring[slot].unsettled == 0 && ring[slot].companions == 0
    }

    private func slot(_ run: Int) -> Int? {
        let position = run &- headNumber
        return position >= 0 && position < openRuns ? (head + position) & (ring.count - 1) : nil
    }

    /// The position is known to be `next` although no record was handed over: control records, aborted transactions,
    /// the end of the partition. It counts as soon as everything that was opened before it is settled. A position that
    /// was already passed changes nothing.
    public mutating func advance(to next: Int64) {
        guard next > end ?? -1 else { return }
        end = next
        if openRuns == 0 {
            committable = next
        } else {
            ring[(head + openRuns - 1) & (ring.count - 1)].next = next
        }
    }

    /// Moves the prefix over every settled run at the front.
    private mutating func release() -> Bool {
        var moved = false
        while openRuns > 0, ring[head].unsettled == 0, ring[head].companions == 0 {
            committable = ring[head].next
            committableDead += ring[head].dead
            head = (head + 1) & (ring.count - 1)
            headNumber += 1
            openRuns -= 1
            moved = true
        }
        return moved
    }

    private mutating func grow() {
        var larger: [Run] = []
        larger.reserveCapacity(max(16, ring.count * 2))
        for position in 0..<openRuns { larger.append(ring[(head + position) & (ring.count - 1)]) }
        let filler = Run(next: 0, unsettled: 0)
        larger.append(contentsOf: repeatElement(filler, count: max(16, ring.count * 2) - openRuns))
        ring = larger
        head = 0
    }
}

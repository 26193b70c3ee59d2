import Commands

/// Which records of which partitions were read, and what became of each: one final outcome per record (promises P2
/// and P3 in docs/architecture.md).
///
/// At any moment, for every partition and in sum: records read = outcomes + records in flight.
///
/// The copy uses it too: then a slice stands for a partition, and the place of a document in the slice for its offset.
public struct OutcomeBook: Sendable {
    /// What is left of ownerships that ended.
    private struct Past: Sendable {
        var outcomes = OutcomeCounts()
        var start: Int64?
        var position: Int64?
        var settledUpTo: Int64?
    }

    /// The generation of the newest ownership; 0 before the first.
    public private(set) var generation: Generation = 0
    /// Work of this generation and of older ones was abandoned: it is another process's now.
    public private(set) var abandonedUpTo: Generation = 0
    /// Notices when records that no process can have applied before come out stale.
    public private(set) var alarm = StaleAlarm()
    /// Notices when most records become dead letters.
    public private(set) var deaths = DeathAlarm()
    private var owned: [Int32: PartitionOwnership] = [:]
    private var past: [Int32: Past] = [:]

    public init() {}

    // MARK: Ownership

    /// Takes a partition into ownership; an earlier ownership of it ends.
    /// - Parameters:
    ///   - start: the first offset that will be read, where it is known.
    ///   - unappliedFrom: no process, this one included, can have applied a record from this offset on.
    @discardableResult
    public mutating func own(_ partition: Int32, start: Int64? = nil, unappliedFrom: Int64? = nil) -> Generation {
        giveUp(partition)
        generation &+= 1
        owned[partition] = PartitionOwnership(generation: generation, start: start, unappliedFrom: unappliedFrom)
        return generation
    }

    /// Ends the ownership of a partition. Its records in flight are its next owner's, who reads them again; outcomes
    /// that still come for them are ``PartitionOwnership/Settlement/late``.
    public mutating func giveUp(_ partition: Int32) {
        guard let ended = owned.removeValue(forKey: partition) else { return }
        var left = past[partition] ?? Past(start: ended.start)
        left.outcomes += ended.outcomes
        left.position = ended.position ?? left.position
        left.settledUpTo = ended.settledUpTo ?? left.settledUpTo
        past[partition] = left
    }

    /// The slice is read again from its start; what came of it so far counts as if it had not been read. False, and
    /// nothing changes, while documents of it are in flight: a slice has only one reading at a time.
    @discardableResult
    public mutating func readAgain(_ slice: Int32) -> Bool {
        guard let earlier = owned[slice], earlier.tracker.unsettled == 0 else { return false }
        generation &+= 1
        owned[slice] = PartitionOwnership(generation: generation, after: earlier)
        return true
    }

    /// Gives up everything: no batch that is under way now may be sent (again). Returns the generation that begins.
    @discardableResult
    public mutating func abandonAll() -> Generation {
        for partition in owned.keys { giveUp(partition) }
        abandonedUpTo = generation
        return generation &+ 1
    }

    /// Whether a batch that was opened in this generation, or in one that began later, may still be sent.
    public func isOurs(_ generation: Generation) -> Bool { generation > abandonedUpTo }

    public func ownership(of partition: Int32) -> PartitionOwnership? { owned[partition] }

    // MARK: Records

    /// Opens a run of `count` records, the first at `first` and the last before `next`. Nil when the partition is not
    /// owned, or the run makes no sense.
    public mutating func open(_ partition: Int32, first: Int64, next: Int64, count: Int) -> RunID? {
        guard let at = owned.index(forKey: partition),
            let number = owned.values[at].open(first: first, next: next, count: count)
        else { return nil }
        return RunID(partition: partition, generation: owned.values[at].generation, number: number)
    }

    /// `count` records of `run` have their final outcome.
    public mutating func settle(_ run: RunID, _ outcome: Outcome, _ count: Int) -> PartitionOwnership.Settlement {
        guard let at = owned.index(forKey: run.partition) else { return .late }
        let settlement = owned.values[at].settle(run, outcome, count)
        guard settlement == .counted else { return settlement }
        // Skipped and dead-lettered records say nothing about the versions in the target.
        if outcome != .skipped, outcome != .deadLettered, owned.values[at].isUnapplied(run.number) {
            _ = alarm.tell(outcomes: count, stale: outcome == .stale ? count : 0)
        }
        if outcome == .deadLettered {
            let total = outcomes.total
            for _ in 0..<count { deaths.died(outcomes: total) }
        }
        return .counted
    }

    /// Records of `run` have `count` writes more than those that settle them. Their run is not settled before these are
    /// concluded.
    public mutating func expect(_ count: Int, in run: RunID) {
        guard let at = owned.index(forKey: run.partition), owned.values[at].generation == run.generation else { return }
        owned.values[at].expect(run.number, count)
    }

    /// `count` of these writes have their final answer.
    public mutating func conclude(_ count: Int, in run: RunID) {
        guard let at = owned.index(forKey: run.partition), owned.values[at].generation == run.generation else { return }
        owned.values[at].conclude(run.number, count)
    }

    /// Whether no process, this one included, can have applied the run's records before.
    public func isUnapplied(_ run: RunID) -> Bool {
        owned[run.partition].map { $0.generation == run.generation && $0.isUnapplied(run.number) } ?? false
    }

    /// Whether all records of the run have their outcome, and all writes beside them are done.
    public func isSettled(_ run: RunID) -> Bool {
        owned[run.partition].map { $0.generation == run.generation && $0.tracker.isSettled(run.number) } ?? false
    }

    /// Everything before `next` was read, and the rest of it holds no record (control records, gaps left by
    /// compaction).
    public mutating func advance(_ partition: Int32, to next: Int64) {
        guard let at = owned.index(forKey: partition) else { return }
        owned.values[at].advance(to: next)
    }

    /// The source has no more documents for the slice.
    public mutating func markReadToEnd(_ partition: Int32) {
        guard let at = owned.index(forKey: partition) else { return }
        owned.values[at].isReadToEnd = true
    }

    /// Another process has applied, or may apply, the partition's records before `offset`.
    public mutating func othersReach(_ offset: Int64, in partition: Int32) {
        guard let at = owned.index(forKey: partition) else { return }
        owned.values[at].othersReach(offset)
    }

    // MARK: Figures

    /// The offset to commit for each owned partition: every record before it has its final outcome. Partitions without
    /// anything to commit are left out.
    public func committable() -> [Int32: Int64] { owned.compactMapValues { $0.tracker.committable } }

    /// Whether most of the last records became dead letters.
    public var isDying: Bool { deaths.isRaised(outcomes: outcomes.total) }

    /// Records in flight of the given partitions, and writes beside these.
    public func unsettled(in partitions: some Sequence<Int32>) -> Int {
        partitions.reduce(0) { $0 + (owned[$1].map { $0.tracker.unsettled + $0.tracker.companions } ?? 0) }
    }

    /// Records in flight of all partitions, and writes beside these.
    public var unsettled: Int { owned.values.reduce(0) { $0 + $1.tracker.unsettled + $1.tracker.companions } }

    /// Outcomes of all partitions, of ownerships that ended too.
    public var outcomes: OutcomeCounts {
        var sum = OutcomeCounts()
        for partition in past.values { sum += partition.outcomes }
        for partition in owned.values { sum += partition.outcomes }
        return sum
    }

    /// What is known of every partition that is owned or was, in their order.
    public func counts() -> [PartitionCounts] {
        Set(owned.keys).union(past.keys).sorted().map { partition in
            let (before, now) = (past[partition], owned[partition])
            var counts = PartitionCounts(partition: partition)
            counts.owned = now != nil
            counts.outcomes = before?.outcomes ?? OutcomeCounts()
            counts.read = counts.outcomes.total + (now?.tracker.read ?? 0)
            if let now { counts.outcomes += now.outcomes }
            counts.inFlight = now?.tracker.unsettled ?? 0
            counts.start = before?.start ?? now?.start
            counts.position = now.map(\.position) ?? before?.position
            counts.committed = now.map(\.settledUpTo) ?? before?.settledUpTo
            return counts
        }
    }
}

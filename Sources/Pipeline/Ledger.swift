import Commands
import Indexing
import Synchronization

/// The book of outcomes and the bytes held, for all threads of the pipeline.
package final class Ledger: Sendable {
    private let book = Mutex(OutcomeBook())
    private let held: Mutex<HeldBytes>
    /// Told of every settlement after it, on the settling thread.
    private let settled: (@Sendable (RunID, Outcome, Int) -> Void)?

    /// - Parameters:
    ///   - limit: bytes that may be held before nothing more is read.
    ///   - queueLimit: bytes that may wait for a worker before nothing more is read.
    package init(
        limit: Int = .max, queueLimit: Int = .max, settled: (@Sendable (RunID, Outcome, Int) -> Void)? = nil
    ) {
        held = Mutex(HeldBytes(limit: limit, queueLimit: queueLimit))
        self.settled = settled
    }

    // MARK: Ownership

    /// See ``OutcomeBook/own(_:start:unappliedFrom:)``.
    package func own(_ partition: Int32, start: Int64? = nil, unappliedFrom: Int64? = nil) {
        _ = book.withLock { $0.own(partition, start: start, unappliedFrom: unappliedFrom) }
    }

    /// See ``OutcomeBook/readAgain(_:)``.
    package func readAgain(_ slice: Int32) -> Bool { book.withLock { $0.readAgain(slice) } }

    package func giveUp(_ partition: Int32) { book.withLock { $0.giveUp(partition) } }

    /// Everything under way is another process's now. Returns the generation that begins.
    package func abandonAll() -> Generation { book.withLock { $0.abandonAll() } }

    /// Whether a batch that was opened in this generation may still be sent.
    package func isOurs(_ generation: Generation) -> Bool { book.withLock { $0.isOurs(generation) } }

    package func ownership(of partition: Int32) -> PartitionOwnership? {
        book.withLock { $0.ownership(of: partition) }
    }

    // MARK: Records

    /// See ``OutcomeBook/open(_:first:next:count:)``.
    package func open(_ partition: Int32, first: Int64, next: Int64, count: Int) -> RunID? {
        book.withLock { $0.open(partition, first: first, next: next, count: count) }
    }

    /// `count` records of `run` have their final outcome. False: that counts nothing, because the partition was given
    /// up meanwhile.
    @discardableResult
    package func settle(_ run: RunID, _ outcome: Outcome, _ count: Int) -> Bool {
        guard count > 0 else { return false }
        let settlement = book.withLock { $0.settle(run, outcome, count) }
        settled?(run, outcome, count)
        return settlement == .counted
    }

    /// See ``OutcomeBook/expect(_:in:)``.
    package func expect(_ companions: Int, in run: RunID) { book.withLock { $0.expect(companions, in: run) } }

    /// See ``OutcomeBook/conclude(_:in:)``.
    package func conclude(_ companions: Int, in run: RunID) {
        if companions > 0 { book.withLock { $0.conclude(companions, in: run) } }
    }

    /// See ``OutcomeBook/isUnapplied(_:)``.
    package func isUnapplied(_ run: RunID) -> Bool { book.withLock { $0.isUnapplied(run) } }

    /// See ``OutcomeBook/isSettled(_:)``.
    package func isSettled(_ run: RunID) -> Bool { book.withLock { $0.isSettled(run) } }

    package func advance(_ partition: Int32, to next: Int64) { book.withLock { $0.advance(partition, to: next) } }

    package func markReadToEnd(_ partition: Int32) { book.withLock { $0.markReadToEnd(partition) } }

    package func othersReach(_ offset: Int64, in partition: Int32) {
        book.withLock { $0.othersReach(offset, in: partition) }
    }

    // MARK: Figures

    package func committable() -> [Int32: Int64] { book.withLock { $0.committable() } }

    package func unsettled(in partitions: some Sequence<Int32>) -> Int {
        book.withLock { $0.unsettled(in: partitions) }
    }

    package var unsettled: Int { book.withLock(\.unsettled) }

    package var outcomes: OutcomeCounts { book.withLock(\.outcomes) }

    /// What is known of every partition, owned now or before, at one moment.
    package func partitions() -> [PartitionCounts] { book.withLock { $0.counts() } }

    package var alarm: StaleAlarm { book.withLock(\.alarm) }

    /// The alarm about dead letters, and whether most of the last records are such.
    package var deaths: (alarm: DeathAlarm, isRaised: Bool) { book.withLock { ($0.deaths, $0.isDying) } }

    // MARK: Bytes

    package var heldBytes: HeldBytes { held.withLock { $0 } }

    package func hold(_ bytes: Int) { held.withLock { $0.hold(bytes) } }

    package func release(_ bytes: Int) { held.withLock { $0.release(bytes) } }

    package func enqueue(_ bytes: Int) { held.withLock { $0.enqueue(bytes) } }

    package func dequeue(_ bytes: Int) { held.withLock { $0.dequeue(bytes) } }
}

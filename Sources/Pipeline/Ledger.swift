import Commands
import Indexing
import Synchronization

/// Names a run (records of one partition or documents of one slice, handed over together) in the ledger.
package struct RunReference: Sendable, Hashable {
    /// Partition of the topic, or number of the slice.
    package var lane: Int32
    /// Which ownership of the lane it belongs to: what comes late for an earlier one counts for nothing.
    package var generation: UInt32
    package var number: Int
}

/// Who has read what, and what became of it: one tracker a lane, one final outcome a record (promise P2).
///
/// At any moment `read == outcomes.total + unsettled`, for every lane and in sum.
package final class Ledger: Sendable {
    /// What is known of one lane.
    package struct Lane: Sendable {
        package var generation: UInt32
        package var tracker = RunTracker()
        package var outcomes = OutcomeCounts()
        /// What the source's own count said of the documents in this lane; dead letters by reason, and so on.
        package var exhausted = false
        /// Where this ownership began.
        package var start: Int64?
        /// Records from this offset on nobody can have applied before; nil: nothing is known of that.
        package var fresh: Int64?
        /// The first run that lies wholly beyond `fresh`.
        package var freshRun: Int?
    }

    private struct Book: Sendable {
        package var lanes: [Int32: Lane] = [:]
        package var generation: UInt32 = 0
        /// Of ownerships that were given back, by lane: final outcomes, where the first began, where the last stood.
        package var former: [Int32: (outcomes: OutcomeCounts, start: Int64?, position: Int64?, committable: Int64?)] =
            [:]
        package var alarm = StaleAlarm()

        package mutating func retire(_ number: Int32, _ lane: Lane) {
            var past = former[number] ?? (OutcomeCounts(), lane.start, nil, nil)
            past.outcomes += lane.outcomes
            past.position = lane.tracker.position ?? lane.start ?? past.position
            past.committable = lane.tracker.committable ?? lane.start ?? past.committable
            former[number] = past
        }
    }

    private let book = Mutex(Book())
    /// Told of every settlement, after it, on the settling thread.
    private let settled: (@Sendable (RunReference, Outcome, Int) -> Void)?

    package init(settled: (@Sendable (RunReference, Outcome, Int) -> Void)? = nil) { self.settled = settled }

    private let heldBytes = Atomic<Int>(0)
    private let queued = Atomic<Int>(0)
    /// The generation of new batches; the first is that of a new ``BatchAssembler``.
    private let eras = Atomic<Int>(1)

    /// Grows when everything under way was given up: batches of an earlier era are not sent (again).
    package var era: Int { eras.load(ordering: .acquiring) }

    /// Everything under way is another member's to do; gives the era that begins.
    package func abandon() -> Int { eras.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue }

    /// Takes a lane into ownership, empty; what was in flight of it is forgotten. `start`: the first offset that will
    /// be read. `fresh`: from there on no record can have been applied before, by us or by others.
    package func own(_ lane: Int32, start: Int64? = nil, fresh: Int64? = nil) {
        book.withLock { book in
            book.generation &+= 1
            if let old = book.lanes[lane] { book.retire(lane, old) }
            book.lanes[lane] = Lane(generation: book.generation, start: start, fresh: fresh)
        }
    }

    /// Somebody else has read, or may read, up to before this offset.
    package func othersReach(_ offset: Int64, lane: Int32) {
        book.withLock { book in
            guard let fresh = book.lanes[lane]?.fresh, offset > fresh else { return }
            book.lanes[lane]?.fresh = offset
            if (book.lanes[lane]?.tracker.position ?? 0) < offset { book.lanes[lane]?.freshRun = nil }
        }
    }

    /// Whether what is new to everybody comes out stale as it cannot be.
    package var alarm: StaleAlarm { book.withLock { $0.alarm } }

    /// Gives a lane back: what is still unsettled of it is another owner's now.
    package func disown(_ lane: Int32) {
        book.withLock { book in
            if let old = book.lanes.removeValue(forKey: lane) { book.retire(lane, old) }
        }
    }

    /// Opens a run of `count` records from `first` up to `next` (exclusive); nil when the lane is not owned.
    package func open(lane: Int32, first: Int64, next: Int64, count: Int) -> RunReference? {
        book.withLock { book in
            guard let generation = book.lanes[lane]?.generation,
                let number = book.lanes[lane]?.tracker.open(first: first, next: next, count: count), number >= 0
            else { return nil }
            if book.lanes[lane]?.freshRun == nil, let fresh = book.lanes[lane]?.fresh, first >= fresh {
                book.lanes[lane]?.freshRun = number
            }
            return RunReference(lane: lane, generation: generation, number: number)
        }
    }

    /// `count` records of `run` have their final outcome. False: they do not count here, because the lane was given back
    /// meanwhile and its next owner reads them again.
    @discardableResult
    package func settle(_ run: RunReference, _ outcome: Outcome, _ count: Int) -> Bool {
        guard count > 0 else { return false }
        let isCounted = book.withLock { book in
            guard book.lanes[run.lane]?.generation == run.generation else { return false }
            book.lanes[run.lane]?.outcomes[outcome] += count
            _ = book.lanes[run.lane]?.tracker.settle(run.number, count)
            guard let fresh = book.lanes[run.lane]?.freshRun, run.number >= fresh, outcome != .skipped,
                outcome != .deadLettered
            else { return true }
            _ = book.alarm.tell(outcomes: count, stale: outcome == .stale ? count : 0)
            return true
        }
        settled?(run, outcome, count)
        return isCounted
    }

    /// Everything before `next` has been read and holds no further record (control records, gaps of compaction).
    package func advance(lane: Int32, to next: Int64) {
        book.withLock { book in _ = book.lanes[lane]?.tracker.advance(to: next) }
    }

    /// Marks a lane as read to its end.
    package func exhaust(lane: Int32) { book.withLock { book in book.lanes[lane]?.exhausted = true } }

    /// Next offset of the settled prefix of every owned lane that has one.
    package func committable() -> [Int32: Int64] {
        book.withLock { book in book.lanes.compactMapValues { $0.tracker.committable } }
    }

    /// Records read and not settled, in the given lanes or in all.
    package func unsettled(in lanes: some Sequence<Int32>) -> Int {
        book.withLock { book in lanes.reduce(0) { $0 + (book.lanes[$1]?.tracker.unsettled ?? 0) } }
    }

    package var unsettled: Int { book.withLock { book in book.lanes.values.reduce(0) { $0 + $1.tracker.unsettled } } }

    /// Outcomes of all lanes, owned now or before.
    package var outcomes: OutcomeCounts {
        book.withLock { book in
            var sum = OutcomeCounts()
            for past in book.former.values { sum += past.outcomes }
            for lane in book.lanes.values { sum += lane.outcomes }
            return sum
        }
    }

    /// What is known of every lane, owned now or before, at one moment: `read == outcomes.total + inFlight` for each.
    package func partitions() -> [PartitionCounts] {
        book.withLock { book in
            Set(book.lanes.keys).union(book.former.keys).sorted().map { number in
                let past = book.former[number]
                let lane = book.lanes[number]
                var counts = PartitionCounts(partition: number)
                counts.owned = lane != nil
                counts.outcomes = past?.outcomes ?? OutcomeCounts()
                if let lane { counts.outcomes += lane.outcomes }
                counts.read = (past?.outcomes.total ?? 0) + (lane?.tracker.read ?? 0)
                counts.inFlight = lane?.tracker.unsettled ?? 0
                counts.start = past?.start ?? lane?.start
                counts.position = lane.map { $0.tracker.position ?? $0.start } ?? past?.position
                counts.committed = lane.map { $0.tracker.committable ?? $0.start } ?? past?.committable
                return counts
            }
        }
    }

    /// Copy of one lane.
    package func lane(_ lane: Int32) -> Lane? { book.withLock { book in book.lanes[lane] } }

    // MARK: Bytes in flight

    /// Bytes between reading and acknowledgement, of all lanes.
    package var bytes: Int { heldBytes.load(ordering: .relaxed) }

    package func hold(_ bytes: Int) { heldBytes.wrappingAdd(bytes, ordering: .relaxed) }

    /// Of these, what waits for a worker.
    package var queuedBytes: Int { queued.load(ordering: .relaxed) }

    /// What waits counts twice: its write will be about as large again.
    package func enqueue(_ bytes: Int) {
        queued.wrappingAdd(bytes, ordering: .relaxed)
        hold(2 * bytes)
    }

    package func dequeue(_ bytes: Int) {
        queued.wrappingSubtract(bytes, ordering: .relaxed)
        release(2 * bytes)
    }

    package func release(_ bytes: Int) { heldBytes.wrappingSubtract(bytes, ordering: .relaxed) }
}

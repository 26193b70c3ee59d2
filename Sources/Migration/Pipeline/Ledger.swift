import Commands
import Indexing
import Synchronization

/// Names a run (records of one partition or documents of one slice, handed over together) in the ledger.
struct RunReference: Sendable, Hashable {
    /// Partition of the topic, or number of the slice.
    var lane: Int32
    /// Which ownership of the lane it belongs to: what comes late for an earlier one counts for nothing.
    var generation: UInt32
    var number: Int
}

/// How many records had which final outcome.
struct OutcomeCounts: Sendable, Equatable {
    private var counts: [Int]

    init() { counts = Array(repeating: 0, count: Outcome.allCases.count) }

    subscript(_ outcome: Outcome) -> Int {
        get { counts[outcome.rawValue] }
        set { counts[outcome.rawValue] = newValue }
    }

    var total: Int { counts.reduce(0, +) }

    static func += (one: inout OutcomeCounts, other: OutcomeCounts) {
        for index in one.counts.indices { one.counts[index] += other.counts[index] }
    }
}

/// Who has read what, and what became of it: one tracker a lane, one final outcome a record (design 6.2).
///
/// At any moment `read == outcomes.total + unsettled`, for every lane and in sum.
final class Ledger: Sendable {
    /// What is known of one lane.
    struct Lane: Sendable {
        var generation: UInt32
        var tracker = RunTracker()
        var outcomes = OutcomeCounts()
        /// What the source's own count said of the documents in this lane; dead letters by reason, and so on.
        var exhausted = false
    }

    private struct Book: Sendable {
        var lanes: [Int32: Lane] = [:]
        var generation: UInt32 = 0
        /// Outcomes of lanes that were given back.
        var former = OutcomeCounts()
    }

    private let book = Mutex(Book())
    private let heldBytes = Atomic<Int>(0)
    private let queued = Atomic<Int>(0)
    private let eras = Atomic<Int>(0)

    /// Grows when everything under way was given up: batches of an earlier era are not sent (again).
    var era: Int { eras.load(ordering: .acquiring) }

    /// Everything under way is another member's to do; gives the era that begins.
    func abandon() -> Int { eras.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue }

    /// Takes a lane into ownership, empty; what was known of it is forgotten.
    func own(_ lane: Int32) {
        book.withLock { book in
            book.generation &+= 1
            if let old = book.lanes[lane] { book.former += old.outcomes }
            book.lanes[lane] = Lane(generation: book.generation)
        }
    }

    /// Gives a lane back: what is still unsettled of it is another owner's now.
    func disown(_ lane: Int32) {
        book.withLock { book in
            if let old = book.lanes.removeValue(forKey: lane) { book.former += old.outcomes }
        }
    }

    /// Opens a run of `count` records from `first` up to `next` (exclusive); nil when the lane is not owned.
    func open(lane: Int32, first: Int64, next: Int64, count: Int) -> RunReference? {
        book.withLock { book in
            guard let generation = book.lanes[lane]?.generation,
                let number = book.lanes[lane]?.tracker.open(first: first, next: next, count: count), number >= 0
            else { return nil }
            return RunReference(lane: lane, generation: generation, number: number)
        }
    }

    /// `count` records of `run` have their final outcome.
    func settle(_ run: RunReference, _ outcome: Outcome, _ count: Int) {
        guard count > 0 else { return }
        book.withLock { book in
            guard book.lanes[run.lane]?.generation == run.generation else { return }
            book.lanes[run.lane]?.outcomes[outcome] += count
            _ = book.lanes[run.lane]?.tracker.settle(run.number, count)
        }
    }

    /// Everything before `next` has been read and holds no further record (control records, gaps of compaction).
    func advance(lane: Int32, to next: Int64) {
        book.withLock { book in _ = book.lanes[lane]?.tracker.advance(to: next) }
    }

    /// Marks a lane as read to its end.
    func exhaust(lane: Int32) { book.withLock { book in book.lanes[lane]?.exhausted = true } }

    /// Next offset of the settled prefix of every owned lane that has one.
    func committable() -> [Int32: Int64] {
        book.withLock { book in book.lanes.compactMapValues { $0.tracker.committable } }
    }

    /// Records read and not settled, in the given lanes or in all.
    func unsettled(in lanes: some Sequence<Int32>) -> Int {
        book.withLock { book in lanes.reduce(0) { $0 + (book.lanes[$1]?.tracker.unsettled ?? 0) } }
    }

    var unsettled: Int { book.withLock { book in book.lanes.values.reduce(0) { $0 + $1.tracker.unsettled } } }

    /// Outcomes of all lanes, owned now or before.
    var outcomes: OutcomeCounts {
        book.withLock { book in
            var sum = book.former
            for lane in book.lanes.values { sum += lane.outcomes }
            return sum
        }
    }

    /// Copy of one lane.
    func lane(_ lane: Int32) -> Lane? { book.withLock { book in book.lanes[lane] } }

    // MARK: Bytes in flight

    /// Bytes between reading and acknowledgement, of all lanes.
    var bytes: Int { heldBytes.load(ordering: .relaxed) }

    func hold(_ bytes: Int) { heldBytes.wrappingAdd(bytes, ordering: .relaxed) }

    /// Of these, what waits for a worker.
    var queuedBytes: Int { queued.load(ordering: .relaxed) }

    func enqueue(_ bytes: Int) {
        queued.wrappingAdd(bytes, ordering: .relaxed)
        hold(bytes)
    }

    func dequeue(_ bytes: Int) {
        queued.wrappingSubtract(bytes, ordering: .relaxed)
        release(bytes)
    }

    func release(_ bytes: Int) { heldBytes.wrappingSubtract(bytes, ordering: .relaxed) }
}

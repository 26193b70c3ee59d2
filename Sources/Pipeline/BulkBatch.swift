import CommandLog
import Commands
import Indexing
import JSONText
import SearchCluster

/// One write in a bulk body: where its lines are, and which record it settles.
struct BatchItem: Sendable {
    /// Action and source line in the batch's body.
    var start: Int
    var end: Int
    /// Place of the record itself in the batch's list, which keeps it until the write has its outcome: a dead letter is
    /// the record as it was. -1 for documents of a page and for writes of key lanes.
    var message: Int32 = -1
    /// The document's page among the batch's, and its place there; -1 for records.
    var page: Int32 = -1
    var hit: Int32 = -1
    /// Index into the batch's runs.
    var run: Int32
    /// Index into the batch's lane keys; -1 for an ordinary item.
    var lane: Int32 = -1
    var kind: OperationKind
    var offset: Int64
    var version: Int64

    /// Whether it is a tombstone that its record writes beside its own operation.
    var isCompanion: Bool { message < 0 && page < 0 && lane < 0 }
}

/// Operations for one target index on their way to the cluster, with all that is needed to repeat them, to settle
/// their records, and to dead-letter one of them as it came.
///
/// `@unchecked Sendable`: it has one owner at a time, the worker that fills it, then the sink.
final class BulkBatch: @unchecked Sendable {
    // The fields are not checked for exclusive access while running: the batch has one owner at a time, and a check
    // would be made for each item (docs/performance.md).
    let worker: Int
    @exclusivity(unchecked) var id = BatchID(entry: 0, serial: 0, generation: 0)
    let body = ByteBuffer(capacity: 1 << 20)
    @exclusivity(unchecked) var items: [BatchItem] = []
    /// The records of the items that have no outcome yet.
    let messages = MessageList()
    @exclusivity(unchecked) var runs: [RunID] = []
    /// Pages that items lie in.
    @exclusivity(unchecked) var pages: [Page] = []
    /// The key lanes that items belong to.
    @exclusivity(unchecked) var laneKeys: [LaneKey] = []
    /// How far its delivery is; the sink's.
    @exclusivity(unchecked) var delivery = BulkDelivery()
    /// Bytes accounted for in the ledger.
    @exclusivity(unchecked) var held = 0
    /// Bytes of documents of key lanes, which the coordinator accounts for.
    @exclusivity(unchecked) var laneBytes = 0
    /// Bytes of memory that it stands for while it is under way.
    var weight: Int { held + laneBytes }
    /// Records by run and outcome that were not yet reported. The last of a run's places counts its companions.
    @exclusivity(unchecked) private var tallies: [Int] = []
    private static var places: Int { Outcome.count + 1 }

    init(worker: Int) {
        self.worker = worker
        items.reserveCapacity(2048)
    }

    var isEmpty: Bool { items.isEmpty }

    /// Index of `run` among the batch's; the last one is nearly always it.
    @inline(__always) func index(of run: RunID) -> Int32 {
        let last = runs.count &- 1
        return last >= 0 && runs[last] == run ? Int32(truncatingIfNeeded: last) : indexOfOther(run)
    }

    @inline(never) private func indexOfOther(_ run: RunID) -> Int32 {
        if let at = runs.lastIndex(of: run) { return Int32(at) }
        runs.append(run)
        tallies.append(contentsOf: repeatElement(0, count: Self.places))
        return Int32(runs.count - 1)
    }

    /// The item has its outcome, and its record is given back.
    @inline(__always) func tally(_ item: BatchItem, _ outcome: Outcome) {
        if item.isCompanion {
            tallies[Int(item.run) &* Self.places &+ Outcome.count] &+= 1
            return
        }
        tallies[Int(item.run) &* Self.places &+ outcome.rawValue] &+= 1
        messages.giveBack(Int(item.message))
    }

    /// Index of `page` among the batch's.
    func index(of page: Page) -> Int32 {
        if pages.last !== page { pages.append(page) }
        return Int32(pages.count - 1)
    }

    /// Tells the ledger what was tallied since the last time.
    func report(to ledger: Ledger) {
        for (index, run) in runs.enumerated() {
            for outcome in Outcome.allCases {
                let slot = index * Self.places + outcome.rawValue
                ledger.settle(run, outcome, tallies[slot])
                tallies[slot] = 0
            }
            let companions = index * Self.places + Outcome.count
            ledger.conclude(tallies[companions], in: run)
            tallies[companions] = 0
        }
    }

    /// Keeps only the items in `kept` (ascending), moving their lines to the front of the body.
    func keep(_ kept: [BatchItem]) {
        var end = 0
        var moved = kept
        for index in moved.indices {
            let length = moved[index].end - moved[index].start
            if moved[index].start != end {
                (body.base + end).update(from: body.base + moved[index].start, count: length)
            }
            moved[index].start = end
            end += length
            moved[index].end = end
        }
        body.count = end
        items = moved
    }

    /// Bytes of the lines that the present request carries.
    var windowBytes: Int { delivery.window == 0 ? 0 : items[delivery.window - 1].end }

    /// Empties it for its next use. Records that are still in it and giant buffers are given back.
    func reset() {
        body.removeAll(keepingAtMost: 2 << 20)
        pages.removeAll()
        items.removeAll(keepingCapacity: true)
        runs.removeAll(keepingCapacity: true)
        tallies.removeAll(keepingCapacity: true)
        messages.removeAll()
        laneKeys.removeAll(keepingCapacity: true)
        delivery = BulkDelivery()
        held = 0
        laneBytes = 0
    }
}

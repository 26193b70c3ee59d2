import Commands
import Indexing
import JSONText

/// One write in a bulk body: where its lines are, and which record it settles.
struct BatchItem: Sendable {
    /// Action and source line in the batch's body.
    var start: Int
    var end: Int
    /// The record as it was, in the batch's `raw`; see ``RawRecord``.
    var rawStart: Int
    var rawEnd: Int
    /// Index into the batch's runs.
    var run: Int32
    /// Index into the batch's lane writes; -1 for an ordinary item.
    var lane: Int32 = -1
    var kind: OperationKind
    var offset: Int64
    var version: Int64
}

/// Operations for one target index on their way to the cluster, with all that is needed to repeat them, to settle
/// their records, and to dead-letter one of them as it came.
///
/// `@unchecked Sendable`: it has one owner at a time, the worker that fills it, then the sink.
final class BulkBatch: @unchecked Sendable {
    let worker: Int
    var serial = 0
    var entry = 0
    let body = ByteBuffer(capacity: 1 << 20)
    let raw = ByteBuffer(capacity: 1 << 20)
    var items: [BatchItem] = []
    var runs: [RunReference] = []
    /// Key hashes, for the merge path: which keys are in flight.
    var hashes: [UInt64] = []
    var laneWrites: [LaneWrite] = []
    /// Items of the front that the present request carries.
    var window = 0
    /// Largest window that is allowed since the server called one too large.
    var ceiling = Int.max
    var attempt = Backoff()
    /// Of the request under way, for the concurrency limit.
    var ticket: ConcurrencyLimit.Ticket?
    /// When the first item came in, in monotonic milliseconds.
    var opened: Int64 = 0
    /// Bytes accounted for in the ledger.
    var held = 0
    private var tallies: [OutcomeCounts] = []

    init(worker: Int) {
        self.worker = worker
        items.reserveCapacity(2048)
    }

    var isEmpty: Bool { items.isEmpty }

    /// Index of `run` among the batch's; the last one is nearly always it.
    func index(of run: RunReference) -> Int32 {
        if let last = runs.last, last == run { return Int32(runs.count - 1) }
        if let at = runs.lastIndex(of: run) { return Int32(at) }
        runs.append(run)
        tallies.append(OutcomeCounts())
        return Int32(runs.count - 1)
    }

    func tally(_ item: BatchItem, _ outcome: Outcome) { tallies[Int(item.run)][outcome] += 1 }

    /// Tells the ledger what was tallied since the last time.
    func report(to ledger: Ledger) {
        for (index, run) in runs.enumerated() where tallies[index].total > 0 {
            for outcome in Outcome.allCases { ledger.settle(run, outcome, tallies[index][outcome]) }
            tallies[index] = OutcomeCounts()
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

    /// Bytes of the present window's lines.
    var windowBytes: Int { window == 0 ? 0 : items[window - 1].end }

    /// Empties it for its next use; giant buffers are given back.
    func reset() {
        body.removeAll(keepingAtMost: 4 << 20)
        raw.removeAll(keepingAtMost: 4 << 20)
        items.removeAll(keepingCapacity: true)
        runs.removeAll(keepingCapacity: true)
        tallies.removeAll(keepingCapacity: true)
        hashes.removeAll(keepingCapacity: true)
        laneWrites.removeAll(keepingCapacity: true)
        window = 0
        ceiling = Int.max
        attempt.reset()
        ticket = nil
        held = 0
    }
}

/// A record as it came, kept beside its operation until that has its outcome: a dead letter is the record itself,
/// not our reading of it.
///
/// Layout: timestamp, key, value, then each header's name and value; a length of -1 is a null.
enum RawRecord {
    static func begin(_ raw: ByteBuffer, timestamp: Int64, key: Bytes?, value: Bytes?) {
        raw.reserve(16 + (key?.count ?? 0) + (value?.count ?? 0))
        append(raw, timestamp)
        append(raw, key)
        append(raw, value)
    }

    static func header(_ raw: ByteBuffer, name: Bytes, value: Bytes?) {
        append(raw, name)
        append(raw, value)
    }

    private static func append(_ raw: ByteBuffer, _ number: Int64) {
        withUnsafeBytes(of: number) { raw.append($0.bindMemory(to: UInt8.self)) }
    }

    private static func append(_ raw: ByteBuffer, _ bytes: Bytes?) {
        let length = Int32(truncatingIfNeeded: bytes?.count ?? -1)
        withUnsafeBytes(of: length) { raw.append($0.bindMemory(to: UInt8.self)) }
        if let bytes { raw.append(bytes) }
    }

    /// What `begin` and `header` wrote.
    struct View {
        var timestamp: Int64 = -1
        var key: Bytes?
        var value: Bytes?
        var headers: [(name: String, value: Bytes?)] = []

        init(_ raw: Bytes) {
            var rest = UnsafeRawBufferPointer(raw)
            guard rest.count >= 8 else { return }
            timestamp = rest.loadUnaligned(as: Int64.self)
            rest = UnsafeRawBufferPointer(rebasing: rest[8...])
            key = Self.take(&rest)
            value = Self.take(&rest)
            while !rest.isEmpty, let name = Self.take(&rest) {
                headers.append((String(repairing: name), Self.take(&rest)))
            }
        }

        private static func take(_ rest: inout UnsafeRawBufferPointer) -> Bytes? {
            guard rest.count >= 4 else { return nil }
            let length = Int(rest.loadUnaligned(as: Int32.self))
            let taken = 4 + max(length, 0)
            guard taken <= rest.count else { return nil }
            let bytes = UnsafeRawBufferPointer(rebasing: rest[4..<taken]).bindMemory(to: UInt8.self)
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
            return length < 0 ? nil : bytes
        }
    }
}

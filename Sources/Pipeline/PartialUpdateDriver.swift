import CommandLog
import Commands
import Indexing
import JSONText
import Runtime
import SearchCluster
import Transform

/// A worker's partial updates: puts them into lanes, reads their bases, folds, and hands the writes to the worker's
/// open batches (design 6.4). Lives on the worker's thread.
package final class PartialUpdateDriver {
    /// A record whose operation waits in a lane, with the record itself for a dead letter.
    private struct Waiting {
        package var run: RunReference
        package var offset: Int64
        package var timestamp: Int64
        package var version: Int64
        package var key: [UInt8]?
        package var value: [UInt8]?
        package var headers: [(String, [UInt8]?)]
    }

    private let plan: PipelinePlan
    private let reader: BaseReader
    private let ledger: Ledger
    private let deadLetters: DeadLetterWriter
    private let lanes: KeyLanes
    /// Hash of a key to the serial of the last batch under way that writes it.
    private let inFlight = KeyTable(capacity: 8192)
    /// Batches under way that write keys, in the order in which they were opened; with the key hashes of those that are
    /// through, but behind one that is not.
    private var underWay: [(serial: Int, hashes: [UInt64]?)] = []
    private var waiting: [UInt64: Waiting] = [:]
    private var token: UInt64 = 0
    private var reads = 0
    private var held = 0
    private let transform: LaneTransformers
    private let worker: Mailbox<WorkItem>

    /// Keys that one read asks for at most.
    private static let readSize = 500
    /// What a record that waits needs beside its bytes.
    private static let recordCost = 300
    /// Bytes of a base, as they were of late; a careful guess before the first.
    private var baseBytes = 64 << 10
    private let versions: CopyVersions

    package init(
        plan: PipelinePlan, reader: BaseReader, ledger: Ledger, deadLetters: DeadLetterWriter,
        transformers: [Transformer], worker: Mailbox<WorkItem>
    ) {
        self.plan = plan
        self.reader = reader
        self.ledger = ledger
        self.deadLetters = deadLetters
        self.worker = worker
        versions = CopyVersions(plan.format)
        transform = LaneTransformers(transformers, modes: plan.entries.map(\.merge))
        lanes = KeyLanes(missing: plan.entries.map(\.missing))
        lanes.copyUnfinished = plan.copyUnfinished
    }

    /// Whether anything waits here.
    package var isBusy: Bool { !lanes.isEmpty || reads > 0 }

    package func holds(_ operation: Operation) -> Bool { lanes.holds(operation.entry, operation.id) }

    /// Remembers that a batch writes the key; gives the key's hash for the batch to keep.
    package func sent(_ operation: Operation, in batch: Int) -> UInt64 {
        let hash = KeyHash.hash(operation.id, seed: operation.entry)
        inFlight.insert(hash, batch)
        if !underWay.contains(where: { $0.serial == batch }) { underWay.append((batch, nil)) }
        return hash
    }

    package func append(_ operation: Operation, _ message: LogMessage, _ run: RunReference) {
        token += 1
        var headers: [(String, [UInt8]?)] = []
        message.headers?.forEachHeader { headers.append((String(repairing: $0), $1.map(Array.init))) }
        waiting[token] = Waiting(
            run: run, offset: message.offset, timestamp: message.time(redriven: plan.redriven),
            version: operation.version, key: message.key.map(Array.init), value: message.value.map(Array.init),
            headers: headers)
        held += message.size + Self.recordCost
        let batch = inFlight.get(KeyHash.hash(operation.id, seed: operation.entry))
        lanes.append(
            entry: operation.entry, id: operation.id,
            LaneOperation(
                kind: operation.kind, version: operation.version, routing: operation.routing.map(Array.init),
                document: Array(operation.document), token: token, waitFor: batch))
        account()
    }

    /// A batch of this worker is through. It counts as settled when all opened before it are: a key may be in an older
    /// one, too, that is being repeated.
    package func settled(_ batch: BulkBatch) {
        guard let at = underWay.firstIndex(where: { $0.serial == batch.serial }) else { return }
        underWay[at].hashes = batch.hashes
        while let first = underWay.first, let hashes = first.hashes {
            for hash in hashes where inFlight.get(hash) == first.serial { inFlight.remove(hash) }
            lanes.batchSettled(first.serial)
            underWay.removeFirst()
        }
    }

    /// Whether documents may still come from the copy, which decides where a merge's missing base is looked for.
    package func copyIs(unfinished: Bool) { lanes.copyUnfinished = unfinished }

    // MARK: Reads and writes

    /// Does whatever can be done: reads bases, folds, hands writes over.
    package func advance(_ worker: Worker) {
        // With the budget used up one read at a time goes on: without any, nothing would ever be given back.
        let isFull = ledger.bytes >= plan.memory.inFlight
        let size = max(1, min(Self.readSize, plan.memory.reading / baseBytes))
        while reads < (isFull ? 1 : 2) {
            let fetches = lanes.takeFetches(max: size)
            guard !fetches.isEmpty else { break }
            read(fetches, source: false)
        }
        while reads < (isFull ? 1 : 3) {
            let fetches = lanes.takeSourceFetches(max: size)
            guard !fetches.isEmpty else { break }
            read(fetches, source: true)
        }
        // One by one: the documents of many would be made before the first of them is on its way.
        while let write = lanes.takeWrites(max: 1, using: transform).first { put(write, worker) }
        account()
    }

    private func read(_ fetches: [LaneFetch], source: Bool) {
        reads += 1
        reader.read(fetches, source: source) { [worker] bases in worker.put(.bases(bases)) }
    }

    package func received(_ bases: BaseAnswers) {
        reads -= 1
        if bases.documents > 0 { baseBytes = max(64, (3 * baseBytes + bases.bytes / bases.documents) / 4) }
        for answer in bases.answers {
            switch answer {
            case .failed(let key): lanes.fetchFailed(key)
            case .target(let key, let found, let version, let document):
                lanes.base(
                    key, found: found, tombstone: document.map { $0.withUnsafeBufferPointer(Tombstone.isOne) } ?? false,
                    version: version,
                    document: document)
            case .source(let key, let document):
                let version = document?.withUnsafeBufferPointer { versions.version(of: $0) } ?? 0
                lanes.sourceBase(key, document: document, version: version)
            case .unreadable(let key, let reason, let detail):
                settle(lanes.unreadable(key, reason: reason, detail: detail))
            }
        }
    }

    private func put(_ write: LaneWrite, _ worker: Worker) {
        settle(write.settled)
        guard write.body != .nothing else { return }
        let batch = worker.batch(for: write.entry).takeUnretainedValue()
        let start = batch.body.count
        let isTombstone = write.body == .tombstone
        write.id.withUnsafeBufferPointer { id in
            (write.routing ?? []).withUnsafeBufferPointer { routing in
                BulkLine.action(
                    batch.body, id: id, routing: write.routing == nil ? nil : routing, version: write.version,
                    isTombstone: isTombstone)
            }
        }
        if case .document(let document) = write.body {
            document.withUnsafeBufferPointer { batch.body.append($0) }
            batch.laneBytes += document.count
        } else {
            Tombstone.append(to: batch.body, time: WallClock.now())
        }
        batch.body.append(UInt8(ascii: "\n"))
        batch.laneWrites.append(write)
        worker.put(
            BatchItem(
                start: start, end: batch.body.count, message: nil, run: -1,
                lane: Int32(batch.laneWrites.count - 1), kind: isTombstone ? .delete : .index, offset: -1,
                version: write.version), in: batch)
    }

    /// The final answer to one of our writes.
    package func concluded(_ write: LaneWrite, _ result: LaneWriteResult) {
        settle(lanes.written(write.key, result))
        account()
    }

    // MARK: Outcomes

    private func settle(_ result: LaneResult) {
        for outcome in result.outcomes {
            guard let record = take(outcome.token) else { continue }
            ledger.settle(record.run, outcome.outcome, 1)
        }
        for reject in result.rejects {
            guard let record = take(reject.token) else { continue }
            deadLetters.send(
                key: record.key, value: record.value, headers: record.headers,
                place: .record(partition: record.run.lane, offset: record.offset, timestamp: record.timestamp),
                run: record.run, why: (reject.reason, reject.detail, record.version))
        }
    }

    private func take(_ token: UInt64) -> Waiting? {
        guard let record = waiting.removeValue(forKey: token) else { return nil }
        held -= (record.key?.count ?? 0) + (record.value?.count ?? 0) + Self.recordCost
        return record
    }

    /// The partitions were taken away: what waits is somebody else's to do. Under eager assignment it is always all.
    package func forget() {
        for token in lanes.removeAll() { _ = take(token) }
        account()
    }

    // MARK: Bytes

    private var accounted = 0

    /// Brings the ledger's bytes in line with what is held here.
    private func account() {
        let now = held + lanes.heldBytes
        ledger.hold(now - accounted)
        accounted = now
    }
}

/// The entries' transforms as the lanes want them.
package final class LaneTransformers: LaneTransform {
    private let transformers: [Transformer]
    private let modes: [MergeMode]
    private let out = ByteBuffer(capacity: 4096)

    package init(_ transformers: [Transformer], modes: [MergeMode]) {
        self.transformers = transformers
        self.modes = modes
    }

    package func apply(entry: Int, document: [UInt8]) throws(LaneError) -> [UInt8] {
        try collect { transformers, out throws(TransformError) in
            try document.withUnsafeBufferPointer { bytes throws(TransformError) in
                try transformers[entry].apply(bytes, into: out)
            }
        }
    }

    package func merge(entry: Int, base: [UInt8]?, partial: [UInt8]) throws(LaneError) -> [UInt8] {
        let mode = modes[entry]
        return try collect { transformers, out throws(TransformError) in
            try partial.withUnsafeBufferPointer { part throws(TransformError) in
                guard let base else {
                    return try transformers[entry].merge(base: nil, partial: part, mode: mode, into: out)
                }
                try base.withUnsafeBufferPointer { bytes throws(TransformError) in
                    try transformers[entry].merge(base: bytes, partial: part, mode: mode, into: out)
                }
            }
        }
    }

    private func collect(
        _ body: ([Transformer], ByteBuffer) throws(TransformError) -> Void
    ) throws(LaneError) -> [UInt8] {
        out.removeAll(keepingAtMost: 1 << 20)
        do throws(TransformError) {
            try body(transformers, out)
        } catch {
            throw LaneError(reason: error.reason, detail: error.detail)
        }
        return Array(out.bytes)
    }
}

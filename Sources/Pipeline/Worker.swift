import CommandLog
import Commands
import Failures
import Indexing
import JSONText
import LogGuard
import Runtime
import SearchCluster
import Transform

/// Records of one partition, handed from the poll thread to a worker, which releases them.
///
/// `@unchecked Sendable`: librdkafka's messages may be read and destroyed on any thread, and only one has them.
package struct RecordChunk: @unchecked Sendable {
    package var run: RunReference
    package var messages: [LogMessage]
    package var bytes: Int

    package init(run: RunReference, messages: [LogMessage], bytes: Int) {
        self.run = run
        self.messages = messages
        self.bytes = bytes
    }
}

/// Documents of one page of the copy.
package struct PageChunk: Sendable {
    package var run: RunReference
    package var page: Page
    package var entry: Int

    package init(run: RunReference, page: Page, entry: Int) {
        self.run = run
        self.page = page
        self.entry = entry
    }
}

/// What a worker is told.
package enum WorkItem: Sendable {
    case records(RecordChunk)
    case page(PageChunk)
    /// Hand over what is open now: a drain or an end waits for it.
    case flush
    /// A batch has its outcomes (sent only where merges need to know).
    case settled(BulkBatch)
    case laneResult(LaneWrite, LaneWriteResult)
    case bases(BaseAnswers)
    /// All partitions were given back: what waits here is not ours any more. With the era that begins.
    case forget(era: Int)
    /// The copy has been finished, or begun again, meanwhile.
    case copyIs(unfinished: Bool)
}

/// One transform thread: decodes, transforms straight into the open batch, hands batches to the sink.
///
/// Everything in it belongs to its thread; others reach it through `mailbox`.
/// `@unchecked Sendable` for that reason.
package final class Worker: @unchecked Sendable {
    package let number: Int
    package let mailbox = Mailbox<WorkItem>()
    package let plan: PipelinePlan
    package let ledger: Ledger
    package let sink: BulkSink
    package let deadLetters: DeadLetterWriter
    package let failure: FailureLatch<WorkError>
    private let decoder: CommandDecoder
    private let transformers: [Transformer]
    /// The same, to be called without counting references.
    private let unowned: [Unmanaged<Transformer>]
    private let versions: CopyVersions
    /// The open batch of each entry, owned here until it is sealed; unmanaged, so that a record counts no references.
    private var open: [Unmanaged<BulkBatch>?]
    private let pool: BatchPool
    private var serial = 0
    private var era = 0
    private let ids: CrossPartitionIDDetector?
    /// Whether there is one: asked for every record, so that it must not count references.
    private let watchesIDs: Bool
    /// Whether every id is looked up, or only a sample.
    private var watchesAll = true
    private let scratch = ByteBuffer(capacity: 1024)
    private var target: (documents: Int, bytes: Int)
    private let merges: PartialUpdateDriver?
    private let needsHeaders: Bool
    private let needsTime: Bool

    package init(
        number: Int, plan: PipelinePlan, ledger: Ledger, sink: BulkSink, deadLetters: DeadLetterWriter, pool: BatchPool,
        reader: BaseReader, failure: FailureLatch<WorkError>, ids: CrossPartitionIDDetector?
    ) {
        self.ids = ids
        watchesIDs = ids != nil
        self.number = number
        self.plan = plan
        self.ledger = ledger
        self.sink = sink
        self.deadLetters = deadLetters
        self.pool = pool
        self.failure = failure
        decoder = CommandDecoder(plan.format)
        transformers = plan.entries.map { Transformer($0.transform) }
        unowned = transformers.map { .passUnretained($0) }
        versions = CopyVersions(plan.format)
        open = plan.entries.map { _ in nil }
        target = sink.target
        needsHeaders = plan.format.needsHeaders
        needsTime = plan.format.version == .timestamp
        merges =
            plan.mergesPossible
            ? PartialUpdateDriver(
                plan: plan, reader: reader, ledger: ledger, deadLetters: deadLetters,
                transformers: plan.entries.map { Transformer($0.transform) }, worker: mailbox) : nil
        // Not shared with the merges: what is scanned ahead must meet its own document only.
        if let first = transformers.first { decoder.scanDocuments(with: first) }
    }

    deinit { for entry in open.indices { _ = close(entry) } }

    /// The thread's body; returns when the mailbox is closed and empty, or the work has failed.
    package func run() {
        while !failure.isSet {
            let waits = open.contains { $0 != nil } || merges?.isBusy == true
            guard let item = mailbox.take(waiting: waits ? (sink.isIdle ? 2 : 20) : nil) else {
                merges?.advance(self)
                flush()
                if mailbox.isClosed { return }
                continue
            }
            handle(item)
            merges?.advance(self)
            flushOld()
        }
    }

    private func handle(_ item: WorkItem) {
        switch item {
        case .records(let chunk): take(chunk)
        case .page(let chunk): take(chunk)
        case .flush:
            merges?.advance(self)
            flush()
        case .settled(let batch):
            merges?.settled(batch)
            pool.put(batch)
        case .laneResult(let write, let result): merges?.concluded(write, result)
        case .bases(let bases): merges?.received(bases)
        case .forget(let era): forget(era)
        case .copyIs(let unfinished): merges?.copyIs(unfinished: unfinished)
        }
    }

    /// Lets go of everything that is not handed over yet.
    private func forget(_ era: Int) {
        self.era = era
        merges?.forget()
        for entry in open.indices {
            guard let batch = close(entry) else { continue }
            for item in batch.items { item.message?.release() }
            merges?.settled(batch)
            pool.put(batch)
        }
    }

    // MARK: Records

    private func take(_ chunk: RecordChunk) {
        var skipped = 0
        watchesAll = chunk.messages.count < CrossPartitionIDDetector.backlog
        let messages = chunk.messages
        for index in messages.indices {
            if index &+ 6 < messages.count { messages[index &+ 6].prefetch() }
            if index &+ 2 < messages.count { messages[index &+ 2].prefetchBytes() }
            let message = messages[index]
            // Headers and time cost a call each, and most formats need neither.
            var record = Record(
                key: message.key, value: message.value,
                timestamp: needsTime ? message.time(redriven: plan.redriven) : -1,
                partition: message.partition, offset: message.offset)
            if needsHeaders { record.headers = message.headers }
            switch decoder.decode(record) {
            case .skip:
                skipped += 1
                message.release()
            case .reject where plan.onlyDeletes:
                skipped += 1
                message.release()
            case .operation(let operation) where plan.onlyDeletes && operation.kind != .delete:
                skipped += 1
                message.release()
            case .reject(let reject):
                deadLetters.send(message, run: chunk.run, reason: reject.reason, detail: reject.detail)
                message.release()
            case .operation(let operation): write(operation, message, chunk.run)
            }
        }
        ledger.settle(chunk.run, .skipped, skipped)
        ledger.dequeue(chunk.bytes)
    }

    private func write(_ operation: Operation, _ message: LogMessage, _ run: RunReference) {
        if watchesIDs {
            let hash = KeyHash.hash(operation.id, seed: operation.entry)
            if watchesAll || CrossPartitionIDDetector.isSampled(hash),
                let clash = ids?.see(hash, partition: message.partition, offset: message.offset)
            {
                // Its record stays unsettled, so that nothing from here on is ever committed.
                failure.set(clash.refusal(id: String(repairing: operation.id), topic: plan.topic).error())
                return message.release()
            }
        }
        if let merges, operation.kind == .merge || merges.holds(operation) {
            merges.append(operation, message, run)
            return message.release()
        }
        // Sealed out here: inside, the batch must stay ours.
        if batch(for: operation.entry)._withUnsafeGuaranteedRef({ write(operation, message, run, to: $0) }) {
            seal(operation.entry)
        }
    }

    /// Whether the batch is full now.
    private func write(
        _ operation: Operation, _ message: LogMessage, _ run: RunReference, to batch: BulkBatch
    ) -> Bool {
        let start = batch.body.count
        if let reject = append(operation, to: batch.body) {
            batch.body.count = start
            deadLetters.send(message, run: run, reason: reject.reason, detail: reject.detail)
            message.release()
            return false
        }
        let item = BatchItem(
            start: start, end: batch.body.count, message: message, run: batch.index(of: run), kind: operation.kind,
            offset: message.offset, version: operation.version)
        if let merges { batch.hashes.append(merges.sent(operation, in: batch.serial)) }
        batch.held += message.size + Self.messageCost
        return add(item, to: batch)
    }

    /// What librdkafka needs for a message beside its bytes.
    private static let messageCost = 300

    /// Appends action and source line; on a reject the caller takes back what was appended.
    private func append(_ operation: Operation, to body: ByteBuffer) -> Reject? {
        // A giant at once: growing by and by, there would be two of it for a moment.
        if operation.document.count > 1 << 20 { body.reserve(operation.document.count + (1 << 16)) }
        BulkLine.action(
            body, id: operation.id, routing: operation.routing, version: operation.version,
            isTombstone: operation.kind == .delete)
        var reject: Reject?
        if operation.kind == .delete {
            Tombstone.append(to: body, time: WallClock.now())
        } else {
            reject = unowned[operation.entry]._withUnsafeGuaranteedRef { transformer in
                do throws(TransformError) {
                    try transformer.apply(operation.document, into: body)
                    return nil
                } catch {
                    return Reject(reason: error.reason, detail: error.detail)
                }
            }
        }
        body.append(UInt8(ascii: "\n"))
        return reject
    }

    // MARK: Pages

    private func take(_ chunk: PageChunk) {
        for (index, hit) in chunk.page.hits.enumerated() {
            let source = chunk.page.bytes(hit.source)
            let batch = batch(for: chunk.entry).takeUnretainedValue()
            let start = batch.body.count
            let version = versions.version(of: source)
            let named = name(hit, chunk)
            let operation = Operation(
                kind: .index, entry: chunk.entry, id: named.id, routing: named.routing, version: version,
                document: source)
            if let reject = append(operation, to: batch.body) {
                batch.body.count = start
                deadLetters.send(
                    chunk.page, hit, run: chunk.run, reason: reject.reason, detail: reject.detail, version: version)
                continue
            }
            batch.held += source.count
            put(
                BatchItem(
                    start: start, end: batch.body.count, message: nil, page: batch.index(of: chunk.page),
                    hit: Int32(index), run: batch.index(of: chunk.run), kind: .index, offset: -1, version: version),
                in: batch)
        }
        ledger.dequeue(chunk.page.sourceBytes)
    }

    /// Id and routing of a hit, unescaped; bytes of the page or of the scratch space.
    private func name(_ hit: Hit, _ chunk: PageChunk) -> (id: Bytes, routing: Bytes?) {
        scratch.removeAll()
        // Both before either is looked at: the scratch space may move.
        if let template = plan.entries[chunk.entry].id {
            fill(template, hit, chunk.page)
        } else {
            unescape(chunk.page.bytes(hit.id))
        }
        let end = scratch.count
        guard let routing = hit.routing ?? hit.parent else { return (scratch.slice(0..<end), nil) }
        unescape(chunk.page.bytes(routing))
        return (scratch.slice(0..<end), scratch.slice(end..<scratch.count))
    }

    private func unescape(_ quoted: Bytes) {
        let before = scratch.count
        do {
            try JSONString.unescape(quoted, into: scratch)
        } catch {
            // What the server sent is passed on as it is; the target judges it.
            scratch.count = before
            scratch.append(Bytes(rebasing: quoted.dropFirst().dropLast()))
        }
    }

    private func fill(_ template: String, _ hit: Hit, _ page: Page) {
        var rest = Substring(template)
        while let brace = rest.firstIndex(of: "{") {
            scratch.append(String(rest[..<brace]))
            rest = rest[brace...]
            if rest.hasPrefix("{type}") {
                if let type = hit.type { unescape(page.bytes(type)) }
                rest = rest.dropFirst(6)
            } else if rest.hasPrefix("{id}") {
                unescape(page.bytes(hit.id))
                rest = rest.dropFirst(4)
            } else {
                scratch.append("{")
                rest = rest.dropFirst()
            }
        }
        scratch.append(String(rest))
    }

    // MARK: Batches

    /// The entry's open batch, ours until it is sealed.
    package func batch(for entry: Int) -> Unmanaged<BulkBatch> { open[entry] ?? begin(entry) }

    private func begin(_ entry: Int) -> Unmanaged<BulkBatch> {
        let batch = pool.take(worker: number)
        serial += 1
        batch.serial = serial
        batch.entry = entry
        batch.era = era
        batch.opened = MonotonicClock.milliseconds()
        let owned = Unmanaged.passRetained(batch)
        open[entry] = owned
        return owned
    }

    /// Takes the entry's open batch, if there is one, with the reference that was held on it.
    private func close(_ entry: Int) -> BulkBatch? {
        defer { open[entry] = nil }
        return open[entry]?.takeRetainedValue()
    }

    /// Adds an item to its entry's open batch, which is not to be touched afterwards: it is sealed when it is full.
    package func put(_ item: BatchItem, in batch: BulkBatch) {
        if add(item, to: batch) { seal(batch.entry) }
    }

    private func add(_ item: BatchItem, to batch: BulkBatch) -> Bool {
        batch.items.append(item)
        return batch.items.count >= target.documents || batch.body.count >= target.bytes
    }

    private func seal(_ entry: Int) {
        guard let batch = close(entry) else { return }
        guard !batch.isEmpty else { return pool.put(batch) }
        batch.held += batch.body.count
        ledger.hold(batch.held)
        if sink.submit(batch) { target = sink.target }
    }

    private func flush() {
        for entry in open.indices { seal(entry) }
    }

    /// A trickle of records never fills a batch: none waits longer than 100 ms.
    private func flushOld() {
        guard open.contains(where: { $0 != nil }) else { return }
        let now = MonotonicClock.milliseconds()
        for entry in open.indices {
            if let batch = open[entry]?.takeUnretainedValue(), now - batch.opened > 100 { seal(entry) }
        }
    }
}

/// The lines of a bulk body.
package enum BulkLine {
    /// A tombstone is also written over itself: a delete that is read again makes its time young, because what was read
    /// again before it may be on its way as late, and the purge goes by that time.
    package static func action(_ body: ByteBuffer, id: Bytes, routing: Bytes?, version: Int64, isTombstone: Bool) {
        body.append("{\"index\":{\"_id\":")
        JSONString.escape(id, into: body)
        if let routing {
            body.append(",\"routing\":")
            JSONString.escape(routing, into: body)
        }
        body.append(",\"version\":")
        body.append(decimal: version)
        body.append(isTombstone ? ",\"version_type\":\"external_gte\"}}\n" : ",\"version_type\":\"external\"}}\n")
    }
}

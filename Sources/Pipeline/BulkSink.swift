import Commands
import Failures
import Foundation
import Indexing
import JSONText
import Runtime
import SearchCluster
import Telemetry

/// Takes filled batches to the cluster and does not let go of one before each of its items has its final outcome.
///
/// Waits: a worker that hands over a batch waits while as many requests are under way as the concurrency limit
/// allows. That is the only back-pressure there is; everything before it is bounded by bytes.
///
/// `@unchecked Sendable` because `limit`, `sizer`, `busy`, `trouble` and `throttles` are touched only under `condition`.
package final class BulkSink: @unchecked Sendable {
    /// Where an entry's batches go.
    package struct Destination: Sendable {
        package var index: String
        /// The alias through which the index is written.
        package var name: String
        package var path: String

        package init(index: String, name: String, path: String) {
            self.index = index
            self.name = name
            self.path = path
        }
    }

    private let transport: HTTPTransport
    private let destinations: [Destination]
    private let ledger: Ledger
    private let deadLetters: DeadLetterWriter
    private let events: WorkEvents
    private let condition = MonotonicCondition()
    private var limit: ConcurrencyLimit
    private var sizer = BatchSizer()
    private var busy = 0
    /// Bytes of the batches under way.
    private var weight = 0
    /// Of these, at most, beyond one batch.
    private let memory: Int
    private var trouble: String?
    private var throttles = 0
    private let delays = DelayQueue()
    private let failure: FailureLatch<WorkError>
    private let lease: Lease
    /// Called on the transport's thread when a batch is done; the batch is the callee's again.
    private let finished: @Sendable (BulkBatch) -> Void
    /// Called for each item of a merge lane, on the transport's thread.
    private let laneResult: @Sendable (BulkBatch, BatchItem, LaneWriteResult) -> Void

    package init(
        transport: HTTPTransport, destinations: [Destination], ledger: Ledger, deadLetters: DeadLetterWriter,
        limit: ConcurrencyLimit, memory: Int, failure: FailureLatch<WorkError>, lease: Lease, events: WorkEvents,
        finished: @escaping @Sendable (BulkBatch) -> Void,
        laneResult: @escaping @Sendable (BulkBatch, BatchItem, LaneWriteResult) -> Void
    ) {
        self.transport = transport
        self.destinations = destinations
        self.ledger = ledger
        self.deadLetters = deadLetters
        self.limit = limit
        self.memory = memory
        self.failure = failure
        self.lease = lease
        self.events = events
        self.finished = finished
        self.laneResult = laneResult
        delays.start()
    }

    /// Size at which a batch should be handed over, in documents and bytes.
    package var batchLimits: BatchLimits {
        condition.lock()
        defer { condition.unlock() }
        return BatchLimits(documents: sizer.documents, bytes: sizer.bytes)
    }

    /// Whether no request is under way: then there is no point in waiting for a fuller batch.
    package var isIdle: Bool {
        condition.lock()
        defer { condition.unlock() }
        return busy == 0
    }

    /// What keeps the cluster from taking writes at the moment; nil when nothing does.
    package var presentTrouble: String? {
        condition.lock()
        defer { condition.unlock() }
        return trouble
    }

    /// How hard the target is being worked, for summary and status.
    package struct Load: Sendable, Equatable {
        /// Bulk requests that may be under way, and that are.
        package var limit = 0
        package var inFlight = 0
        /// Size of a full batch.
        package var batchDocuments = 0
        package var batchBytes = 0
        /// Answers in which the target said that it has too much to do.
        package var throttled = 0
    }

    package var load: Load {
        condition.lock()
        defer { condition.unlock() }
        return Load(
            limit: limit.limit, inFlight: busy, batchDocuments: sizer.documents, batchBytes: sizer.bytes,
            throttled: throttles)
    }

    /// Takes the batch; returns when its first request is on its way. False when the work has failed meanwhile.
    package func submit(_ batch: BulkBatch) -> Bool {
        condition.lock()
        while busy >= limit.limit || (busy > 0 && weight + batch.weight > memory), !failure.isSet {
            condition.wait(milliseconds: 500)
        }
        let go = !failure.isSet
        if go {
            busy += 1
            weight += batch.weight
        }
        condition.unlock()
        guard go else { return false }
        batch.window = batch.items.count
        send(batch)
        return true
    }

    /// Whether the batch is still ours to send. One of partitions that were given up is dropped; while it is not known
    /// whether they were, it waits.
    private func isOurs(_ batch: BulkBatch) -> Bool {
        if batch.id.generation != Generation(ledger.era) {
            batch.keep([])
            finish(batch)
            return false
        }
        guard !lease.isValid else { return true }
        delays.after(milliseconds: 20) { [self] in
            if failure.isSet { leave(batch) } else { send(batch) }
        }
        return false
    }

    private func send(_ batch: BulkBatch) {
        guard isOurs(batch) else { return }
        batch.window = min(batch.window, batch.ceiling)
        let whole = batch.body.count
        condition.lock()
        batch.ticket = limit.began(inFlight: busy)
        condition.unlock()
        batch.body.count = batch.windowBytes
        let request = HTTPRequest(
            .post, destinations[batch.id.entry].path, body: .buffer(batch.body), contentType: .ndjson,
            timeoutSeconds: 120)
        transport.submit(request) { [self] result in
            batch.body.count = whole
            complete(batch, result)
        }
    }

    // MARK: Answers

    private func complete(_ batch: BulkBatch, _ result: Result<HTTPResponse, ClusterError>) {
        switch result {
        case .failure(let error):
            events.bulkUnanswered()
            again(batch, .failed, .connection, because: error.message)
        case .success(let response):
            defer { transport.recycle(response.body) }
            events.bulkAnswered(status: response.status, seconds: response.seconds, bytes: batch.windowBytes)
            switch response.status {
            case 200: settle(batch, response)
            case 413, 400:
                let told = ClusterError(answer: response, from: transport, doing: "the bulk request")
                guard let reason = WriteRefusal.reason(told) else { return bisect(batch, response) }
                if WriteRefusal.mayBeStarting(reason) {
                    return again(batch, .failed, .unavailable, because: told?.description ?? "")
                }
                stop(batch, reason, told?.underlying ?? "")
                leave(batch)
            case 429, 500...599:
                again(
                    batch, .throttled, response.status == 429 ? .throttled : .unavailable,
                    because: "the bulk request was answered with \(response.status)")
            default:
                // A block on the whole cluster, or on the index in some versions, is lifted one day.
                let index = destinations[batch.id.entry].index
                let told = ClusterError(answer: response, from: transport, doing: "writing to \(index)", index: index)
                if let told,
                    told.code == .unavailable || WriteRefusal.reason(told).map(WriteRefusal.mayBeStarting) == true
                {
                    return again(batch, .failed, .unavailable, because: told.description)
                }
                failure.set(
                    WorkError(
                        .cluster,
                        "bulk request to index \(index) was refused with status \(response.status); "
                            + "nothing was acknowledged, so nothing is lost: mend the access and start again",
                        underlying: String(repairing: response.body.slice(0..<300))))
                leave(batch)
            }
        }
    }

    private func settle(_ batch: BulkBatch, _ response: HTTPResponse) {
        var retried: [BatchItem] = []
        var throttled = false
        // Of the items that are to be sent again, for whoever wonders why nothing moves.
        var why: String?
        let body = response.body
        batch.buried = 0
        do throws(ClusterError) {
            // Calls for items only when the whole answer is good: no item is concluded twice.
            try BulkResponse.scan(body.bytes, expected: batch.window) { position, answer in
                if position &+ 6 < batch.window {
                    batch.messages.prefetchEnd(Int(batch.items[position &+ 6].message))
                }
                let item = batch.items[position]
                if ItemClass.isApplied(status: answer.status) { return applied(batch, item) }
                let reason = answer.errorReason.map { String(repairing: body.slice($0)) }
                let verdict = ItemClass.classify(
                    kind: .index, status: answer.status,
                    errorType: answer.errorType.map { String(repairing: body.slice($0)) }, reason: reason)
                switch verdict {
                case .again(let slow):
                    throttled = throttled || slow
                    retried.append(item)
                    if why == nil { why = Self.words(answer, body) }
                case .stop(let code) where WriteRefusal.mayBeStarting(code):
                    retried.append(item)
                    if why == nil { why = Self.words(answer, body) }
                default: conclude(batch, item, verdict, reason ?? "status \(answer.status)")
                }
            }
        } catch {
            return again(batch, .failed, .malformed, because: error.message)
        }
        events.bulkSettled(
            index: batch.id.entry, concluded: batch.window - retried.count, refused: batch.buried, again: retried.count)
        batch.report(to: ledger)
        observe(batch, response, retried: why, throttled: throttled)
        let unsent = batch.items[batch.window...]
        if retried.isEmpty, unsent.isEmpty { return finish(batch) }
        batch.keep(retried + unsent)
        if retried.isEmpty {
            batch.attempt.reset()
            batch.window = min(batch.items.count, batch.window * 2)
            return send(batch)
        }
        batch.window = batch.items.count
        events.bulkRepeated(throttled ? .throttled : .unavailable)
        delay(batch)
    }

    private func applied(_ batch: BulkBatch, _ item: BatchItem) {
        if item.lane >= 0 { return laneResult(batch, item, .applied) }
        batch.tally(item, item.kind == .delete ? .deleted : .indexed)
    }

    private func conclude(_ batch: BulkBatch, _ item: BatchItem, _ verdict: ItemClass, _ detail: String) {
        switch verdict {
        case .done(.stale):
            if item.lane >= 0 { laneResult(batch, item, .stale) } else { batch.tally(item, .stale) }
        case .done: applied(batch, item)
        case .dead(let reason): bury(batch, item, reason: reason, detail: detail)
        case .stop(let reason): stop(batch, reason, detail)
        case .again: break
        }
    }

    /// The item stays without outcome, so that nothing after it is committed.
    private func stop(_ batch: BulkBatch, _ reason: String, _ detail: String) {
        failure.set(WriteRefusal.error(reason, destinations[batch.id.entry], detail: detail))
    }

    private func bury(_ batch: BulkBatch, _ item: BatchItem, reason: String, detail: String) {
        batch.buried += 1
        if item.lane >= 0 {
            laneResult(batch, item, .dead(reason: reason, detail: detail))
        } else {
            deadLetters.send(batch, item, reason: reason, detail: detail)
        }
    }

    /// The whole request was refused: too large, or one line of it spoils all. Half of it, down to the document.
    private func bisect(_ batch: BulkBatch, _ response: HTTPResponse) {
        condition.lock()
        if response.status == 413 { sizer.tooLarge(bytes: batch.windowBytes) }
        condition.unlock()
        guard batch.window == 1 else {
            events.bulkRepeated(.split)
            if response.status == 413 { batch.ceiling = max(1, batch.window / 2) }
            batch.window = max(1, batch.window / 2)
            return send(batch)
        }
        let item = batch.items[0]
        events.bulkSettled(index: batch.id.entry, concluded: 1, refused: 1, again: 0)
        let reason = response.status == 413 ? "too_large" : "bad_request"
        bury(batch, item, reason: reason, detail: String(repairing: response.body.slice(0..<500)))
        batch.report(to: ledger)
        batch.keep(Array(batch.items.dropFirst()))
        batch.window = batch.items.count
        if batch.isEmpty { finish(batch) } else { send(batch) }
    }

    /// What the server says of an item, without the document's content.
    private static func words(_ answer: BulkItem, _ body: ByteBuffer) -> String {
        let type = answer.errorType.map { String(repairing: body.slice($0)).prefix(100) } ?? ""
        if type.hasPrefix("index_closed_exception") || type.hasPrefix("IndexClosedException") {
            return "the target index is closed: open it"
        }
        return "items are answered with \(answer.status)\(type.isEmpty ? "" : " \(type)")"
    }

    /// So many times in a row are items sent again before it is called a trouble: throttling passes by itself.
    private static let patience = 5

    private func observe(_ batch: BulkBatch, _ response: HTTPResponse, retried why: String?, throttled: Bool) {
        condition.lock()
        let took = Int(response.seconds * 1000)
        if let ticket = batch.ticket {
            limit.ended(ticket, throttled ? .throttled : .success, documents: batch.window, tookMilliseconds: took)
        }
        if throttled { throttles += 1 }
        if batch.items.count == batch.window {
            sizer.answered(documents: batch.window, bytes: batch.windowBytes, tookMilliseconds: took)
        }
        let over = why == nil && trouble != nil
        if over { trouble = nil }
        // Repeated without limit, but not without a word.
        let begins = why != nil && trouble == nil && batch.attempt.attempts >= Self.patience
        if let why, begins || trouble != nil { trouble = why }
        condition.broadcast()
        condition.unlock()
        if over { events.targetTakesWrites() }
        if begins { events.targetRefusesSome(because: why ?? "") }
    }

    /// The request failed as a whole and is repeated, for as long as it takes.
    private func again(
        _ batch: BulkBatch, _ result: ConcurrencyLimit.Result, _ retry: WorkEvents.Retry, because reason: String
    ) {
        events.bulkRepeated(retry)
        condition.lock()
        if let ticket = batch.ticket { limit.ended(ticket, result, documents: batch.window, tookMilliseconds: 0) }
        if result == .throttled { throttles += 1 }
        let first = trouble == nil
        trouble = reason
        condition.unlock()
        if first { events.targetRefusesAll(because: reason) }
        delay(batch)
    }

    private func delay(_ batch: BulkBatch) {
        guard !failure.isSet else { return leave(batch) }
        var generator = SystemRandomNumberGenerator()
        delays.after(milliseconds: batch.attempt.next(using: &generator)) { [self] in
            if failure.isSet { leave(batch) } else { send(batch) }
        }
    }

    private func finish(_ batch: BulkBatch) {
        ledger.release(batch.held)
        leave(batch)
        finished(batch)
    }

    private func leave(_ batch: BulkBatch) {
        condition.lock()
        busy -= 1
        weight -= batch.weight
        condition.broadcast()
        condition.unlock()
    }

    /// No more repetitions. Requests under way are left to the transport.
    package func stop() { delays.stop() }
}

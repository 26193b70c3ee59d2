import Failures
import Foundation
import Indexing
import JSONText
import Runtime
import SearchCluster
import Synchronization
import Telemetry

/// Takes filled batches to the cluster and does not let go of one before each of its items has its final outcome.
///
/// What happens next to a batch is decided by ``BulkDelivery``, and how much may be under way by ``BulkTraffic``. The
/// sink sends, waits, settles and reports.
///
/// A worker that hands over a batch waits while as many requests are under way as the limits allow. That is the only
/// back-pressure there is; everything before it is bounded by bytes.
///
/// `@unchecked Sendable` because `traffic` is touched only under `condition`.
package final class BulkSink: @unchecked Sendable {
    /// Where an entry's batches go.
    package struct Destination: Sendable {
        package var index: String
        /// The alias through which the index is written.
        package var name: String
        package var path: String

        package init(index: String, name: String, path: String) {
            (self.index, self.name, self.path) = (index, name, path)
        }
    }

    let transport: HTTPTransport
    /// Of the documents of the copy that the target took, those that were not there before, by slice.
    private let made = Mutex<[Int32: Int]>([:])
    let destinations: [Destination]
    let ledger: Ledger
    let deadLetters: DeadLetterWriter
    let events: WorkEvents
    let staleLook: StaleLook?
    private let condition = MonotonicCondition()
    private var traffic: BulkTraffic
    private let delays = DelayQueue()
    let failure: FailureLatch<WorkError>
    /// Nothing is sent while one of these has run out.
    private let lease: Lease
    private let confirmed: Lease
    /// Called on the transport's thread when a batch is done; the batch is the callee's again.
    private let finished: @Sendable (BulkBatch) -> Void
    /// Called for each item of a key lane, on the transport's thread.
    let laneResult: @Sendable (BulkBatch, BatchItem, LaneWriteResult) -> Void

    /// See ``made``.
    package func created(in slice: Int32) -> Int { made.withLock { $0[slice] ?? 0 } }

    func add(created: [Int32: Int]) {
        guard !created.isEmpty else { return }
        made.withLock { $0.merge(created) { $0 + $1 } }
    }

    /// Counts those of a slice no more: it is read again. None of them is under way.
    func readAgain(_ slice: Int32) { made.withLock { $0[slice] = nil } }

    init(
        transport: HTTPTransport, destinations: [Destination], ledger: Ledger, deadLetters: DeadLetterWriter,
        traffic: BulkTraffic, failure: FailureLatch<WorkError>, lease: Lease, confirmed: Lease,
        events: WorkEvents, staleLook: StaleLook? = nil,
        finished: @escaping @Sendable (BulkBatch) -> Void,
        laneResult: @escaping @Sendable (BulkBatch, BatchItem, LaneWriteResult) -> Void
    ) {
        (self.transport, self.destinations, self.ledger) = (transport, destinations, ledger)
        (self.deadLetters, self.traffic, self.failure, self.lease) = (deadLetters, traffic, failure, lease)
        (self.confirmed, self.staleLook) = (confirmed, staleLook)
        (self.events, self.finished, self.laneResult) = (events, finished, laneResult)
        delays.start()
    }

    /// The size at which a batch should be handed over.
    package var batchLimits: BatchLimits { condition.withLock { traffic.batchLimits } }

    /// Whether no request is under way: then there is no point in waiting for a fuller batch.
    package var isIdle: Bool { condition.withLock { traffic.inFlight == 0 } }

    /// What keeps the cluster from taking writes at present; nil when nothing does.
    package var presentTrouble: String? {
        if let trouble = condition.withLock({ traffic.trouble }) { return trouble }
        guard !confirmed.isValid else { return nil }
        return "the state was not read for \(confirmed.age / 1000) s: it is not known whether this work still is the "
            + "confirmed one"
    }

    package var load: BulkLoad { condition.withLock { traffic.load } }

    /// Takes the batch and returns when its first request is on its way. False when the work has failed meanwhile.
    func submit(_ batch: BulkBatch) -> Bool {
        let isIn = condition.withLock {
            while !failure.isSet {
                if traffic.enter(bytes: batch.weight) { return true }
                condition.wait(milliseconds: 500)
            }
            return false
        }
        guard isIn else { return false }
        batch.delivery.begin(items: batch.items.count)
        send(batch)
        return true
    }

    /// No more repetitions. Requests under way are left to the transport.
    package func stop() { delays.stop() }

    // MARK: Steps

    private func send(_ batch: BulkBatch) {
        let isOurs = ledger.isOurs(batch.id.generation)
        switch BulkDelivery.permission(isOurs: isOurs, leaseIsValid: lease.isValid && confirmed.isValid) {
        case .drop:
            batch.keep([])
            return finish(batch)
        case .wait(let milliseconds): return sendLater(batch, after: milliseconds)
        case .send: break
        }
        let whole = batch.body.count
        let ticket = condition.withLock { traffic.began() }
        batch.body.count = batch.windowBytes
        let request = HTTPRequest(
            .post, destinations[batch.id.entry].path, body: .buffer(batch.body), contentType: .ndjson,
            timeoutSeconds: 120)
        transport.submit(request) { [self] result in
            batch.body.count = whole
            complete(batch, ticket, result)
        }
    }

    private func sendLater(_ batch: BulkBatch, after milliseconds: Int) {
        guard !failure.isSet else { return leave(batch) }
        delays.after(milliseconds: milliseconds) { [self] in
            if failure.isSet { leave(batch) } else { send(batch) }
        }
    }

    private func finish(_ batch: BulkBatch) {
        ledger.release(batch.held)
        leave(batch)
        finished(batch)
    }

    private func leave(_ batch: BulkBatch) {
        condition.withLock {
            traffic.leave(bytes: batch.weight)
            condition.broadcast()
        }
    }

    private func complete(
        _ batch: BulkBatch, _ ticket: ConcurrencyLimit.Ticket, _ result: Result<HTTPResponse, ClusterError>
    ) {
        var random = SystemRandomNumberGenerator()
        let step: BulkStep
        switch result {
        case .failure(let error):
            events.bulkUnanswered()
            step = batch.delivery.failed(BulkFailure(.connection, because: error.message), using: &random)
        case .success(let response):
            defer { transport.recycle(response.body) }
            events.bulkAnswered(status: response.status, seconds: response.seconds, bytes: batch.windowBytes)
            step =
                response.status == 200
                ? answered(batch, ticket, response, using: &random) : rejected(batch, response, using: &random)
        }
        perform(step, batch, ticket)
    }

    private func perform(_ step: BulkStep, _ batch: BulkBatch, _ ticket: ConcurrencyLimit.Ticket) {
        switch step {
        case .finish: finish(batch)
        case .send: send(batch)
        case .sendHalf:
            events.bulkRepeated(.split)
            send(batch)
        case .sendItemsAgain(let milliseconds): sendLater(batch, after: milliseconds)
        case .sendAgain(let failure, let milliseconds):
            events.bulkRepeated(WorkEvents.Retry(failure.kind))
            tell(condition.withLock { traffic.failed(ticket, failure, documents: batch.delivery.window) })
            sendLater(batch, after: milliseconds)
        // Performed by `rejected`, while the answer is at hand.
        case .buryFirst, .stop: leave(batch)
        }
    }

    // MARK: Traffic

    /// Reports an answer, and lets waiting workers look at the limits again.
    func report(
        _ batch: BulkBatch, _ ticket: ConcurrencyLimit.Ticket, _ verdicts: ItemVerdicts, _ response: HTTPResponse
    ) {
        tell(
            condition.withLock {
                defer { condition.broadcast() }
                return traffic.answered(
                    ticket, batch.delivery, verdicts, bytes: batch.windowBytes,
                    tookMilliseconds: Int(response.seconds * 1000))
            })
    }

    func reportTooLarge(bytes: Int) { condition.withLock { traffic.tooLarge(bytes: bytes) } }

    private func tell(_ change: BulkTraffic.Change) {
        switch change {
        case .none: break
        case .refusesAll(let why): events.targetRefusesAll(because: why)
        case .refusesSome(let why): events.targetRefusesSome(because: why)
        case .over: events.targetTakesWrites()
        }
    }
}

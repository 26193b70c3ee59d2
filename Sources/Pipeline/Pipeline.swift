import CommandLog
import Commands
import Failures
import Foundation
import Indexing
import LogGuard
import Runtime
import SearchCluster
import Synchronization
import Telemetry

/// The one road from records and pages to acknowledged items: workers, sink, dead letters and the ledger over them.
/// Copy, replay and follow differ only in what they feed into it.
///
/// `@unchecked Sendable` because its parts are, and `workers` does not change after `init`.
package final class Pipeline: @unchecked Sendable {
    package let plan: PipelinePlan
    package let ledger: Ledger
    package let events: WorkEvents
    package let failure = FailureLatch<WorkError>()
    /// Runs out when the group may have given our partitions to somebody else; never for work that is no member.
    package let lease = Lease()
    /// Runs out when it was not looked for so long whether this work still is the confirmed one; see
    /// ``isConfirmedFor``.
    package let confirmed = Lease()
    package let deadLetters: DeadLetterWriter
    package let sink: BulkSink
    private let pool: BatchPool
    private let reader: BaseReader
    private let staleLook: StaleLook?
    private(set) var workers: [Worker] = []
    private var threads: [JoinableThread] = []
    private let nextWorker = Atomic<Int>(0)

    package init(
        _ plan: PipelinePlan, target: Cluster, source: Cluster?, deadLetters options: DeadLetterWriter.Options,
        events: WorkEvents, staleLook look: StaleLook.Options? = nil,
        settled: (@Sendable (RunID, Outcome, Int) -> Void)? = nil
    ) {
        (self.plan, self.events) = (plan, events)
        ProcessMemory.keep(buffers: plan.memory.reusable, free: plan.memory.spare)
        ledger = Ledger(limit: plan.memory.inFlight, queueLimit: plan.memory.queued, settled: settled)
        pool = BatchPool(keeping: plan.memory.idle)
        deadLetters = DeadLetterWriter(
            options, ledger: ledger, failure: failure, memory: plan.memory.letters, logger: events.logger)
        staleLook =
            look.flatMap { [ledger, failure] options in
                plan.watchesIDs && plan.format.version == .offset
                    ? StaleLook(options, ledger: ledger, failure: failure, logger: events.logger) : nil
            }
        let mailboxes = (0..<plan.workers).map { _ in Mailbox<WorkItem>() }
        sink = BulkSink(
            transport: target.transport,
            destinations: plan.entries.map {
                BulkSink.Destination(index: $0.index, name: $0.alias, path: target.writer.bulkPath($0.alias))
            },
            ledger: ledger, deadLetters: deadLetters,
            traffic: BulkTraffic(
                limit: ConcurrencyLimit(maximum: plan.inFlight ?? 16, start: plan.inFlight ?? 2),
                byteLimit: plan.memory.requests),
            failure: failure, lease: lease, confirmed: confirmed, events: events, staleLook: staleLook,
            finished: { [pool, mergesPossible = plan.mergesPossible] batch in
                let (worker, serial) = (batch.worker, batch.id.serial)
                pool.put(batch)
                // Only partial updates wait for a batch.
                if mergesPossible { mailboxes[worker].put(.finished(batch: serial)) }
            },
            laneResult: { batch, item, result in
                mailboxes[batch.worker].put(.written(batch.laneKeys[Int(item.lane)], result))
            })
        reader = BaseReader(target: target, source: source, plan: plan, events: events)
        let ids = plan.watchesIDs ? CrossPartitionIDDetector() : nil
        for number in 0..<plan.workers {
            let worker = Worker(
                number: number, mailbox: mailboxes[number], plan: plan, ledger: ledger, sink: sink,
                deadLetters: deadLetters, pool: pool, reader: reader, failure: failure, ids: ids)
            workers.append(worker)
        }
    }

    package func start() {
        threads = workers.map { worker in JoinableThread("cf-worker-\(worker.number)") { worker.run() } }
    }

    /// Whether feeders must wait: the bytes in flight have reached the budget, or the workers are behind. More in their
    /// queues would not make anything faster, and each record of the log pins the whole fetch response it came in.
    package var isFull: Bool { ledger.heldBytes.isFull }

    /// Records of one partition always go to the same worker: their order is kept as far as it matters.
    package func feed(_ chunk: RecordChunk) {
        events.recordsTaken(chunk.messages.count, bytes: chunk.bytes)
        ledger.enqueue(chunk.bytes)
        workers[Int(chunk.run.partition) % workers.count].mailbox.put(.records(chunk))
    }

    package func feed(_ chunk: PageChunk) {
        events.pageTaken(documents: chunk.page.hits.count, bytes: chunk.page.sourceBytes)
        ledger.enqueue(chunk.page.sourceBytes)
        let next = nextWorker.wrappingAdd(1, ordering: .relaxed).oldValue
        workers[next % workers.count].mailbox.put(.page(chunk))
    }

    /// For work that is no member of a group: throws when the process was stopped for so long that tombstones of what
    /// it still holds may have been purged meanwhile.
    package func checkAwake() throws {
        guard !lease.renewIfValid() else { return }
        let error = WorkError(
            .log,
            "this process was stopped for \(lease.age / 1000) s, and deletes may have been purged meanwhile that are "
                + "newer than what it holds: nothing of that was written. Start it again, it goes on where it stood")
        failure.set(error)
        throw error
    }

    /// Hand over everything that is open.
    package func flush() { for worker in workers { worker.mailbox.put(.flush) } }

    /// Drops everything under way, because all partitions were given up.
    package func abandonAll() {
        let generation = ledger.abandonAll()
        for worker in workers { worker.mailbox.put(.abandon(generation: generation)) }
    }

    /// Tells the workers whether documents may still come from the copy.
    package func copyIs(unfinished: Bool) {
        for worker in workers { worker.mailbox.put(.copyIs(unfinished: unfinished)) }
    }

    /// Whether bases can be read from the source; see ``reads(from:)``.
    package var readsSource: Bool { reader.hasSource }

    /// For work that began without a source, because the copy was finished then.
    package func reads(from source: Cluster) { reader.connects(to: source) }

    /// Milliseconds for which a look at the state counts. It is shorter than others wait for a member that is silent
    /// (`MemberWatch`): when they take it for ended, it writes nothing any more before it has looked again.
    package static let isConfirmedFor: Int64 = 30_000

    /// So long is work waited for that a signal found, where nothing else sets a limit; milliseconds.
    package static let drainsFor: Int64 = 20_000

    /// Waits until nothing of the given partitions is unsettled. False when the work has failed, or after `seconds`;
    /// nil waits as long as nobody asks for a stop.
    package func drain(_ partitions: [Int32], seconds: Double?) -> Bool {
        flush()
        var end = seconds.map { MonotonicClock.milliseconds() + Int64($0 * 1000) }
        while ledger.unsettled(in: partitions) > 0 {
            // A process that was stopped meanwhile does not know whose they are now.
            guard !failure.isSet, lease.isValid else { return false }
            lease.renew()
            if let end, MonotonicClock.milliseconds() > end { return false }
            if end == nil, StopSignal.isAsked { end = MonotonicClock.milliseconds() + Self.drainsFor }
            Thread.sleep(forTimeInterval: 0.002)
        }
        return true
    }

    /// Ends the threads; what is not settled stays unsettled.
    package func close() {
        for worker in workers { worker.mailbox.close() }
        for thread in threads { thread.join(seconds: 5) }
        staleLook?.close()
        deadLetters.close()
        sink.stop()
        reader.stop()
    }
}

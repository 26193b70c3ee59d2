import CommandLog
import Commands
import Failures
import Foundation
import Indexing
import LogGuard
import Runtime
import Telemetry

/// Feeds records of the topic into the pipeline and commits what is settled. What is read and committed is decided by
/// ``PartitionAssignment``. Everything here runs on the poll thread.
///
/// `@unchecked Sendable` because the consumer calls it back on that same thread only.
package final class LogFeed: LogConsumerDelegate, @unchecked Sendable {
    let pipeline: Pipeline
    let options: Options
    let logger: Logger
    var consumer: LogConsumer?
    var assignment: PartitionAssignment<RecordFingerprint>
    var unread: UnreadDeletes
    /// Not checked for exclusive access while running: it belongs to the poll thread, and is asked for each record.
    @exclusivity(unchecked) private var headerWatch = HeaderWatch(seed: .random(in: 0 ... .max))
    var timeouts = GroupTimeouts(session: 45_000, heartbeat: 3000, poll: 300_000)
    /// What a rail refused in a callback of the consumer, which would make another error of it.
    var refusal: WorkError?
    /// Nothing is committed any more: the log may not be the one that was read.
    var isHalted = false
    /// Whether everything that was read had its outcome when the reading ended.
    package private(set) var drained = true

    package init(_ pipeline: Pipeline, _ options: Options, logger: Logger) {
        (self.pipeline, self.options, self.logger) = (pipeline, options, logger)
        assignment = PartitionAssignment(ends: options.ends, commitEvery: options.commitEvery)
        unread = UnreadDeletes(retention: options.compaction?.retention)
    }

    /// Reads partitions that are assigned by hand.
    package func run(from starts: [Int32: Int64], _ settings: KafkaSettings) throws -> Bool {
        let consumer = try LogConsumer(
            settings: settings, topic: options.topic, mode: .assigned(starts), log: logger.kafka)
        _ = try assigned(Array(starts.keys))
        return try run(consumer)
    }

    /// Reads until the end, a stop, or a failure; then drains, commits and closes. True when every end was reached.
    package func run(_ consumer: LogConsumer) throws -> Bool {
        self.consumer = consumer
        let found = consumer.timeouts
        timeouts = GroupTimeouts(session: found.session, heartbeat: found.heartbeat, poll: found.poll)
        if options.isMember { pipeline.lease.runsOut(after: timeouts.lease) }
        defer { self.consumer = nil }
        // The commit comes after the draining; ten seconds are the consumer's own limit for it.
        StopSignal.drains(atMost: seconds(timeouts.drain) + 10)
        let over: Bool
        do {
            over = try loop(consumer)
        } catch {
            throw stopped(consumer, by: error)
        }
        if let error = pipeline.failure.value, error.code == .refused { throw stopped(consumer, by: error) }
        drained = pipeline.drain(assignment.numbers, seconds: over ? nil : seconds(timeouts.drain))
        commitLast(consumer)
        options.onTick()
        consumer.close()
        if let error = pipeline.failure.value { throw error }
        if !drained { logger.warning("stopped with records in flight; they are read again at the next start") }
        return over
    }

    func seconds(_ milliseconds: Int64) -> Double { Double(milliseconds) / 1000 }

    private func loop(_ consumer: LogConsumer) throws -> Bool {
        let records = RecordBatch(capacity: 4096)
        var over = false
        while !over, !StopSignal.isAsked, !pipeline.failure.isSet {
            if options.isMember {
                if !pipeline.lease.isValid { try askGroup(consumer, records) }
                pipeline.lease.renew()
            } else {
                try pipeline.checkAwake()
            }
            let full = pipeline.isFull
            let began = full ? MonotonicClock.milliseconds() : 0
            try consumer.poll(into: records, timeoutMs: full ? 5 : 50, paused: full)
            if full { pipeline.events.readingWaited(milliseconds: Int(MonotonicClock.milliseconds() - began)) }
            take(records)
            if assignment.isCommitDue(now: MonotonicClock.milliseconds()) { try commit(consumer, last: false) }
            options.onTick()
            over = assignment.isOver
        }
        return over
    }

    private func stopped(_ consumer: LogConsumer, by error: any Error) -> any Error {
        let read = assignment.positions
        isHalted = true
        let reason: any Error
        if let refusal {
            reason = refusal
        } else if let error = error as? LogError, error.code == .missingTopic, !read.isEmpty {
            reason = Refusal.topicDeleted(options.topic, read: read).error(underlying: error.underlying)
        } else {
            reason = error
        }
        let isRail = (reason as? WorkError)?.code == .refused || (reason as? LogError)?.code == .startDeleted
        // So that the workers let go, too.
        pipeline.failure.set(WorkError(isRail ? .refused : .log, "\(reason)"))
        consumer.close()
        return reason
    }

    // MARK: Records

    private func take(_ records: RecordBatch) {
        var from = 0
        while from < records.count {
            var headers = 0
            let run = PolledRun.next(
                from: from, count: records.count, end: assignment.end(of:),
                record: { place in
                    let record = records[place]
                    let more = headerWatch.bytes { record.headerBytes }
                    headers += more
                    return PolledRecord(
                        partition: record.partition, offset: record.offset, bytes: record.size + more)
                })
            // Nothing is read past records that were left out.
            if !run.records.isEmpty, !pipeline.failure.isSet {
                hand(records, run, headerBytes: headers / run.records.count)
            }
            if !run.surplus.isEmpty {
                // Between the last record and the end lay markers, aborted records or gaps.
                let end = assignment.end(of: run.partition)
                let now = WallClock.now()
                if !stops(at: unread.passed(run.partition, to: end, now: now), in: run.partition, now) {
                    reached(run.partition, end)
                }
            }
            from = run.surplus.upperBound
        }
        records.releaseAll()
        tell(records.events)
    }

    /// Hands records of one partition to the workers.
    private func hand(_ records: RecordBatch, _ run: PolledRun, headerBytes: Int) {
        let first = records[run.records.lowerBound].offset
        let last = records[run.records.upperBound - 1]
        let next = last.offset + 1
        guard !losesDeletes(records, run, next: next) else { return }
        options.onRead?(records, run)
        let messages = records.take(run.records)
        guard assignment.read(run.partition, next: next, RecordFingerprint(last)),
            let id = pipeline.ledger.open(run.partition, first: first, next: next, count: messages.count)
        else { return }
        pipeline.feed(RecordChunk(run: id, messages: messages, bytes: run.bytes, headerBytes: headerBytes))
    }

    /// Whether deletes may be missing among these records. Then the work ends.
    private func losesDeletes(_ records: RecordBatch, _ run: PolledRun, next: Int64) -> Bool {
        let now = WallClock.now()
        let loss = unread.read(run.partition, count: run.records.count, next: next, now: now) { place in
            let record = records[run.records.lowerBound + place]
            return UnreadDeletes.Record(
                offset: record.offset, timestamp: record.timestamp, key: record.key.map { KeyHash.hash($0) })
        }
        return stops(at: loss, in: run.partition, now)
    }

    private func stops(at loss: UnreadDeletes.Loss?, in partition: Int32, _ now: Int64) -> Bool {
        guard let loss, let compaction = options.compaction else { return false }
        pipeline.failure.set(compaction.refusal(partition, loss, now).error())
        return true
    }

    /// Nothing that is to be applied lies between what was read and `next`.
    private func reached(_ partition: Int32, _ next: Int64) {
        guard let reached = assignment.reached(partition, next) else { return }
        unread.reached(partition, reached)
        pipeline.ledger.advance(partition, to: reached)
    }

    /// What a poll brought besides records.
    func tell(_ events: [LogEvent]) {
        for event in events {
            switch event {
            case .endOfPartition(let partition, let end): reached(partition, end)
            case .committed(let offsets, let error):
                assignment.commitAnswered(offsets, isKept: error == nil)
                if let error {
                    pipeline.events.commitFailed(error.message)
                } else {
                    pipeline.events.offsetsKept(now: WallClock.now())
                }
            }
        }
    }
}

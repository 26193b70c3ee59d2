import CommandLog
import Commands
import Failures
import Foundation
import Indexing
import LogGuard
import Runtime
import Telemetry

/// Feeds records of the topic into the pipeline and commits what is settled. Owns the poll thread: everything here
/// runs on it.
///
/// `@unchecked Sendable` because the consumer calls it back on that same thread only.
package final class LogFeed: LogConsumerDelegate, @unchecked Sendable {
    /// Where partitions begin, and records by which their log is known.
    package struct Start {
        package var offsets: [Int32: Int64]
        package var known: [Int32: RecordFingerprint]
        /// From where on nobody can have applied a record before; see ``Ledger/own(_:start:fresh:)``.
        package var fresh: [Int32: Int64] = [:]

        package init(offsets: [Int32: Int64], known: [Int32: RecordFingerprint], fresh: [Int32: Int64] = [:]) {
            self.offsets = offsets
            self.known = known
            self.fresh = fresh
        }
    }

    package struct Options {
        package var topic: String
        /// Frozen end of each partition for a bounded replay; nil: stay until told to stop.
        package var ends: [Int32: Int64]?
        /// Where each partition starts that becomes ours.
        package var start: (_ partitions: [Int32]) throws -> Start
        /// Keeps settled offsets, with what is to be said beside each; called at least every `commitEvery` milliseconds
        /// while there are new ones. False when they could not be kept now.
        package var commit:
            (LogConsumer, _ offsets: [Int32: Int64], _ notes: [Int32: String], _ synchronously: Bool) throws -> Bool
        package var commitEvery: Int64 = 1000
        /// Whether a group may give our partitions to others.
        package var isMember = false
        package var watch: LogMonitor?
        package var onTick: () -> Void

        package init(
            topic: String, ends: [Int32: Int64]? = nil,
            start: @escaping (_ partitions: [Int32]) throws -> Start,
            commit:
                @escaping (LogConsumer, _ offsets: [Int32: Int64], _ notes: [Int32: String], _ synchronously: Bool)
                throws -> Bool,
            commitEvery: Int64 = 1000, isMember: Bool = false, watch: LogMonitor? = nil,
            onTick: @escaping () -> Void
        ) {
            (self.topic, self.ends, self.start, self.commit) = (topic, ends, start, commit)
            (self.commitEvery, self.isMember, self.watch, self.onTick) = (commitEvery, isMember, watch, onTick)
        }
    }

    private let pipeline: Pipeline
    private let options: Options
    private let logger: Logger
    private var consumer: LogConsumer?
    private var position: [Int32: Int64] = [:]
    private var begun: [Int32: Int64] = [:]
    private var committed: [Int32: Int64] = [:]
    private var trails: [Int32: FingerprintTrail] = [:]
    private var nextCommit: Int64 = 0
    /// What a rail refused in a callback of the consumer, which would make another error of it.
    private var refusal: WorkError?
    private var timeouts = (session: 45_000, heartbeat: 3000, poll: 300_000)
    /// Whether everything that was read had its outcome when the reading ended.
    package private(set) var drained = true

    /// Longest wait for unsettled records when partitions are taken away, in seconds: half of what the group allows, so
    /// that the commit has its time, too.
    private var drainSeconds: Double { Double(min(timeouts.session, timeouts.poll)) / 2000 }
    /// The same for the commit.
    private var commitSeconds: Double { min(10, drainSeconds / 2) }

    package init(_ pipeline: Pipeline, _ options: Options, logger: Logger) {
        self.pipeline = pipeline
        self.options = options
        self.logger = logger
    }

    /// The same with partitions that are assigned by hand.
    package func run(from starts: [Int32: Int64], _ settings: KafkaSettings) throws -> Bool {
        let consumer = try LogConsumer(
            settings: settings, topic: options.topic, mode: .assigned(starts), log: logger.kafka)
        _ = try assigned(Array(starts.keys))
        return try run(consumer)
    }

    /// Reads until the end, a stop, or a failure; then drains, commits and closes. True when every end was reached.
    package func run(_ consumer: LogConsumer) throws -> Bool {
        self.consumer = consumer
        timeouts = consumer.timeouts
        if options.isMember {
            // The broker counts from the last heartbeat, which may be older than the last poll.
            pipeline.lease.runsOut(after: Int64(max(timeouts.session / 2, timeouts.session - 2 * timeouts.heartbeat)))
        }
        defer { self.consumer = nil }
        // The commit comes after the draining; ten seconds are the consumer's own limit for it.
        StopSignal.drains(atMost: drainSeconds + 10)
        let over: Bool
        do {
            over = try loop(consumer)
        } catch {
            // Nothing is committed any more: the log may not be the one that was read.
            throw stopped(consumer, by: error)
        }
        if let error = pipeline.failure.value, error.code == .refused { throw stopped(consumer, by: error) }
        drained = pipeline.drain(Array(position.keys), seconds: over ? nil : drainSeconds)
        try? commit(consumer, synchronously: true)
        options.onTick()
        consumer.close()
        if let error = pipeline.failure.value { throw error }
        if !drained { logger.warning("stopped with records in flight; they are read again at the next start") }
        return over
    }

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
            try commitIfDue(consumer)
            options.onTick()
            over = isOver
        }
        return over
    }

    private func stopped(_ consumer: LogConsumer, by error: any Error) -> any Error {
        let read = position
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

    private var isHalted = false

    private var isOver: Bool {
        guard let ends = options.ends else { return false }
        return ends.allSatisfy { (position[$0.key] ?? 0) >= $0.value || $0.value == 0 }
    }

    // MARK: Records

    /// Records of a run at most.
    private static let runLength = 1000

    private func take(_ records: RecordBatch) {
        var from = 0
        while from < records.count {
            let partition = records[from].partition
            // A bounded replay ends where it was frozen, though the log may have grown since.
            let end = options.ends?[partition] ?? .max
            let most = min(records.count, from + Self.runLength)
            var next = from
            var bytes = 0
            while next < most, records[next].partition == partition, records[next].offset < end {
                bytes += records[next].size
                next += 1
            }
            if next > from { hand(records, from..<next, bytes) }
            from = next
            while next < records.count, records[next].partition == partition, records[next].offset >= end { next += 1 }
            // Between the last record and the end lay markers, aborted records or gaps.
            if next > from { reached(partition, end) }
            from = next
        }
        records.releaseAll()
        tell(records.events)
    }

    /// Hands records of one partition to the workers.
    private func hand(_ records: RecordBatch, _ range: Range<Int>, _ bytes: Int) {
        let first = records[range.lowerBound]
        let last = records[range.upperBound - 1]
        let partition = first.partition
        let next = last.offset + 1
        position[partition] = next
        trails[partition, default: FingerprintTrail()].read(RecordFingerprint(last))
        let messages = records.take(range)
        if let run = pipeline.ledger.open(lane: partition, first: first.offset, next: next, count: messages.count) {
            pipeline.feed(RecordChunk(run: run, messages: messages, bytes: bytes))
        }
    }

    /// Nothing that is to be applied lies between what was read and `next`.
    private func reached(_ partition: Int32, _ next: Int64) {
        // A bounded replay has taken nothing beyond its end, wherever the log's is by now.
        let next = min(next, options.ends?[partition] ?? next)
        pipeline.ledger.advance(lane: partition, to: next)
        position[partition] = max(position[partition] ?? 0, next)
    }

    private func tell(_ events: [LogEvent]) {
        for event in events {
            switch event {
            case .endOfPartition(let partition, let end):
                // One that was taken away meanwhile is none of ours.
                if position[partition] != nil { reached(partition, end) }
            case .committed(_, let error):
                if let error {
                    pipeline.events.commitFailed(error.message)
                } else {
                    pipeline.events.offsetsKept(now: WallClock.now())
                }
            }
        }
    }

    // MARK: Commit

    private func commitIfDue(_ consumer: LogConsumer) throws {
        let now = MonotonicClock.milliseconds()
        guard now >= nextCommit else { return }
        nextCommit = now + options.commitEvery
        try commit(consumer, synchronously: false)
    }

    private func commit(_ consumer: LogConsumer, synchronously: Bool) throws {
        guard !isHalted else { return }
        let settled = pipeline.ledger.committable()
        for (partition, offset) in settled { trails[partition]?.settle(upTo: offset) }
        options.watch?.moved(position, applied: trails.compactMapValues(\.settled))
        let offsets = settled.filter { committed[$0.key] != $0.value }
        guard !offsets.isEmpty else { return }
        guard try options.commit(consumer, offsets, notes(offsets), synchronously) else {
            return pipeline.events.offsetsNotKept()
        }
        committed.merge(offsets) { _, new in new }
        // Of the others the broker's answer tells, at a later poll.
        if synchronously || !options.isMember { pipeline.events.offsetsKept(now: WallClock.now()) }
    }

    private func notes(_ offsets: [Int32: Int64]) -> [Int32: String] {
        let epoch = pipeline.plan.format.epoch
        return Dictionary(
            uniqueKeysWithValues: offsets.keys.map {
                let anchor = options.watch?.anchor(of: $0)
                return ($0, CommitNote(epoch: epoch, fingerprint: trails[$0]?.settled, anchor: anchor).text)
            })
    }

    // MARK: Rebalance

    package func assigned(_ partitions: [Int32]) throws -> [Int32: Int64] {
        let begin: Start
        do {
            begin = try options.start(partitions)
        } catch {
            refusal = error as? WorkError
            throw error
        }
        let start = begin.offsets
        for partition in partitions {
            pipeline.ledger.own(partition, start: start[partition], fresh: begin.fresh[partition])
            // Committed before anything is read: where a member began is known even if it is killed before its first
            // commit and retention takes what it had read.
            if let first = start[partition] { pipeline.ledger.advance(lane: partition, to: first) }
            position[partition] = start[partition]
            begun[partition] = start[partition]
            committed[partition] = nil
            // So that a commit of which nothing was read still says whose log it is of.
            let known = begin.known[partition].flatMap { $0.offset < start[partition] ?? 0 ? $0 : nil }
            trails[partition] = FingerprintTrail(known: known)
        }
        nextCommit = 0
        options.watch?.began(start, known: begin.known)
        pipeline.events.partitionsAssigned(partitions)
        return start
    }

    package func revoked(_ partitions: [Int32], lost: Bool) {
        // One that was stopped while it was asked to give them up learns it as an ordinary revocation.
        let lost = lost || !pipeline.lease.isValid && !isStillMember(partitions)
        pipeline.lease.renew()
        let drained = !lost && !isHalted && pipeline.drain(partitions, seconds: drainSeconds)
        if !lost, let consumer { try? commit(consumer, synchronously: true) }
        for partition in partitions {
            pipeline.ledger.disown(partition)
            position[partition] = nil
            begun[partition] = nil
            committed[partition] = nil
            trails[partition] = nil
        }
        options.watch?.ended(partitions)
        // A cooperative assignment keeps some: what is under way may be theirs, and versions keep the rest from harm.
        if position.isEmpty { pipeline.abandon() }
        pipeline.events.partitionsRevoked(partitions, lost: lost, drained: drained)
    }

    // MARK: After a stop

    /// The process did not run for so long that the group may have given its partitions away: nothing is written before
    /// the group has taken a commit of ours, which it refuses to a member it no longer knows, or has taken them away.
    private func askGroup(_ consumer: LogConsumer, _ records: RecordBatch) throws {
        guard !position.isEmpty else { return }
        pipeline.events.processWasStopped(
            milliseconds: pipeline.lease.age, sessionTimeout: timeouts.session)
        while !position.isEmpty, !StopSignal.isAsked, !pipeline.failure.isSet {
            if isStillMember(Array(position.keys)) { return }
            try consumer.poll(into: records, timeoutMs: 100, paused: true)
            tell(records.events)
        }
    }

    private func isStillMember(_ partitions: [Int32]) -> Bool {
        guard let consumer, !isHalted else { return false }
        let settled = pipeline.ledger.committable()
        var offsets: [Int32: Int64] = [:]
        for partition in partitions { offsets[partition] = settled[partition] ?? begun[partition] }
        for (partition, offset) in offsets { trails[partition]?.settle(upTo: offset) }
        let left = try? consumer.commit(
            offsets, notes: notes(offsets), synchronously: true, timeout: min(2, commitSeconds))
        return left?.isEmpty == true
    }
}

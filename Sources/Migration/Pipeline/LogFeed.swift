import CommandLog
import Commands
import Foundation
import Indexing
import Telemetry

/// Feeds records of the topic into the pipeline and commits what is settled. Owns the poll thread: everything here
/// runs on it.
///
/// `@unchecked Sendable` because the consumer calls it back on that same thread only.
final class LogFeed: LogConsumerDelegate, @unchecked Sendable {
    struct Options {
        var topic: String
        /// Frozen end of each partition for a bounded replay; nil: stay until told to stop.
        var ends: [Int32: Int64]?
        /// Where each partition starts that becomes ours.
        var start: ([Int32]) throws -> [Int32: Int64]
        /// Keeps settled offsets; called at least every `commitEvery` milliseconds while there are new ones. False when
        /// they could not be kept now.
        var commit: (LogConsumer, [Int32: Int64], _ synchronously: Bool) throws -> Bool
        var commitEvery: Int64 = 1000
        /// Longest wait for unsettled records when partitions are taken away; must fit the session timeout (45 s).
        var drainSeconds: Double = 15
        var onTick: () -> Void
        /// From where on nobody can have applied a record of these partitions before; see ``Ledger/own(_:start:fresh:)``.
        var fresh: ([Int32]) -> [Int32: Int64] = { _ in [:] }
    }

    private let pipeline: Pipeline
    private let options: Options
    private let logger: Logger
    private var consumer: LogConsumer?
    private var position: [Int32: Int64] = [:]
    private var committed: [Int32: Int64] = [:]
    private var nextCommit: Int64 = 0
    /// Whether everything that was read had its outcome when the reading ended.
    private(set) var drained = true

    init(_ pipeline: Pipeline, _ options: Options, logger: Logger) {
        self.pipeline = pipeline
        self.options = options
        self.logger = logger
    }

    /// Reads until the end, a stop, or a failure; then drains, commits and closes. True when every end was reached.
    func run(_ consumer: LogConsumer) throws -> Bool {
        self.consumer = consumer
        let records = RecordBatch(capacity: 4096)
        defer { self.consumer = nil }
        var over = false
        while !over, !Interruption.isAsked, !pipeline.failure.isSet {
            let full = pipeline.isFull
            try consumer.poll(into: records, timeoutMs: full ? 5 : 50, paused: full)
            take(records)
            try commitIfDue(consumer)
            options.onTick()
            over = isOver
        }
        let lanes = Array(position.keys)
        drained = pipeline.drain(lanes, seconds: over ? nil : options.drainSeconds)
        try? commit(consumer, synchronously: true)
        options.onTick()
        consumer.close()
        if let error = pipeline.failure.value { throw error }
        if !drained { logger.warning("stopped with records in flight; they are read again at the next start") }
        return over
    }

    private var isOver: Bool {
        guard let ends = options.ends else { return false }
        return ends.allSatisfy { (position[$0.key] ?? 0) >= $0.value || $0.value == 0 }
    }

    // MARK: Records

    /// Records of a run at most.
    private static let runLength = 1000

    private func take(_ records: RecordBatch) {
        var messages: [LogMessage] = []
        messages.reserveCapacity(Self.runLength)
        var partition: Int32 = -1
        var bytes = 0
        func hand() {
            guard let first = messages.first, let last = messages.last else { return }
            let next = last.offset + 1
            position[partition] = next
            if let run = pipeline.ledger.open(lane: partition, first: first.offset, next: next, count: messages.count) {
                pipeline.feed(RecordChunk(run: run, messages: messages, bytes: bytes))
            } else {
                for message in messages { message.release() }
            }
            // A new array: the old one is the worker's now.
            messages = []
            messages.reserveCapacity(Self.runLength)
            bytes = 0
        }
        for index in 0..<records.count {
            let message = records[index]
            if message.partition != partition || messages.count == Self.runLength {
                hand()
                partition = message.partition
            }
            // A bounded replay ends where it was frozen, though the log may have grown since.
            if let end = options.ends?[partition], message.offset >= end {
                message.release()
                continue
            }
            messages.append(message)
            bytes += message.size
        }
        hand()
        records.forget()
        for event in records.events {
            switch event {
            case .endOfPartition(let partition, let end):
                // A bounded replay has taken nothing beyond its end, wherever the log's is by now.
                let next = min(end, options.ends?[partition] ?? end)
                pipeline.ledger.advance(lane: partition, to: next)
                position[partition] = max(position[partition] ?? 0, next)
            case .committed(_, let error):
                if let error { logger.warning("a commit failed; the next one repeats it", ["error": error.message]) }
            }
        }
    }

    // MARK: Commit

    private func commitIfDue(_ consumer: LogConsumer) throws {
        let now = Monotonic.milliseconds()
        guard now >= nextCommit else { return }
        nextCommit = now + options.commitEvery
        try commit(consumer, synchronously: false)
    }

    private func commit(_ consumer: LogConsumer, synchronously: Bool) throws {
        let offsets = pipeline.ledger.committable().filter { committed[$0.key] != $0.value }
        guard !offsets.isEmpty else { return }
        if try options.commit(consumer, offsets, synchronously) { committed.merge(offsets) { _, new in new } }
    }

    // MARK: Rebalance

    func assigned(_ partitions: [Int32]) throws -> [Int32: Int64] {
        let start = try options.start(partitions)
        let fresh = options.fresh(partitions)
        for partition in partitions {
            pipeline.ledger.own(partition, start: start[partition], fresh: fresh[partition])
            position[partition] = start[partition]
            committed[partition] = nil
        }
        logger.info("partitions assigned", ["partitions": list(partitions)])
        return start
    }

    func revoked(_ partitions: [Int32], lost: Bool) {
        let drained = !lost && pipeline.drain(partitions, seconds: options.drainSeconds)
        if !lost, let consumer { try? commit(consumer, synchronously: true) }
        for partition in partitions {
            pipeline.ledger.disown(partition)
            position[partition] = nil
            committed[partition] = nil
        }
        pipeline.forget()
        logger.info(
            "partitions revoked",
            ["partitions": list(partitions), "lost": String(lost), "drained": String(drained)])
    }

    private func list(_ partitions: [Int32]) -> String { partitions.sorted().map(String.init).joined(separator: ",") }
}

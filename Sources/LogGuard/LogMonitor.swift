import CommandLog
import Failures
import Foundation
import Indexing
import Runtime
import Synchronization
import Telemetry

/// Looks at the topic while it is read (P9 in docs/architecture.md), on a thread of its own: partitions that are added,
/// a log that goes backwards, a topic that is deleted or made again, and a transaction that holds the end back. What
/// must stop the work becomes its failure, of code `refused`.
///
/// The poll thread tells it how far it has read. It answers only through `failure`.
package final class LogMonitor: Sendable {
    package struct Options: Sendable {
        package var settings: KafkaSettings
        package var topic: String
        /// The number of partitions that the topic had when the work began.
        package var partitions: Int
        package var versionsAreOffsets: Bool
        /// Milliseconds between two looks at the topic, and between two looks at the records themselves.
        package var every: Int64 = 2000
        package var probeEvery: Int64 = 10_000
        /// Keeps fingerprints of records that were found again. Returns false if they could not be kept now.
        package var keep: @Sendable ([Int32: RecordFingerprint]) throws -> Bool

        package init(
            settings: KafkaSettings, topic: String, partitions: Int, versionsAreOffsets: Bool, every: Int64 = 2000,
            probeEvery: Int64 = 10_000, keep: @escaping @Sendable ([Int32: RecordFingerprint]) throws -> Bool
        ) {
            (self.settings, self.topic, self.partitions) = (settings, topic, partitions)
            (self.versionsAreOffsets, self.every, self.probeEvery) = (versionsAreOffsets, every, probeEvery)
            self.keep = keep
        }
    }

    private struct Book: Sendable {
        var records = AppliedRecords()
        var pinned: [Int32: OpenTransaction.Pin] = [:]
    }

    private let options: Options
    private let failure: FailureLatch<WorkError>
    private let logger: Logger
    private let book = Mutex(Book())
    private let contact = Mutex(LogContact())
    private let stopping = Mailbox<Bool>()
    private let thread = Mutex<JoinableThread?>(nil)

    package init(_ options: Options, failure: FailureLatch<WorkError>, logger: Logger) {
        (self.options, self.failure, self.logger) = (options, failure, logger)
    }

    package func start() {
        thread.withLock { $0 = JoinableThread("cf-log-watch") { [self] in loop() } }
    }

    /// Stops. If the work has not failed, a last look keeps what was applied.
    package func stop() {
        stopping.close()
        thread.withLock { $0 }?.join(seconds: 30)
    }

    // MARK: From the poll thread

    /// Partitions are read from these positions on. `known`: records that were just found in the log.
    package func began(_ positions: [Int32: Int64], known: [Int32: RecordFingerprint]) {
        book.withLock { book in
            for (partition, position) in positions {
                book.records.began(partition, at: position, known: known[partition])
            }
        }
    }

    package func ended(_ partitions: [Int32]) {
        book.withLock { book in
            book.records.ended(partitions)
            for partition in partitions { book.pinned[partition] = nil }
        }
    }

    /// The partitions have been read up to these positions. `applied`: per partition the last settled record.
    package func moved(_ positions: [Int32: Int64], applied: [Int32: RecordFingerprint]) {
        book.withLock { $0.records.moved(positions, applied: applied) }
    }

    /// An applied record by which the log is known. It is older than all records that are still to be looked for.
    package func anchor(of partition: Int32) -> RecordFingerprint? {
        book.withLock { $0.records.partitions[partition]?.anchor }
    }

    /// Why no records come: no broker answers, or a transaction is open; nil: nothing keeps them.
    package var waiting: String? {
        if let silence = contact.withLock({ $0.trouble(now: MonotonicClock.milliseconds()) }) { return silence }
        return book.withLock { book in
            let pinned = book.pinned.sorted { $0.key < $1.key }
                .first { $0.value.isHeld && $0.value.stable <= (book.records.partitions[$0.key]?.position ?? -1) }
            return pinned.map { OpenTransaction.words(partition: $0.key, stable: $0.value.stable, end: $0.value.end) }
        }
    }

    /// The last stable offset of each partition that is read; nil: the ends are not known now.
    package var ends: [Int32: Int64]? { contact.withLock { $0.ends(now: MonotonicClock.milliseconds()) } }

    /// The same, and how long ago the brokers told them, in milliseconds.
    package var agedEnds: (ends: [Int32: Int64], age: Int64)? {
        contact.withLock { contact in
            let now = MonotonicClock.milliseconds()
            guard let ends = contact.ends(now: now), let age = contact.age(now: now) else { return nil }
            return (ends, age)
        }
    }

    /// Per partition the timestamp of the last applied record, in milliseconds since 1970.
    package var appliedTimes: [Int32: Int64] {
        book.withLock { book in
            book.records.partitions.compactMapValues(\.last?.timestamp).filter { $0.value >= 0 }
        }
    }

    // MARK: The thread

    private func loop() {
        var seen = LogObservation(
            partitions: options.partitions, versionsAreOffsets: options.versionsAreOffsets,
            probeEvery: options.probeEvery, now: MonotonicClock.milliseconds())
        do {
            let admin = try LogAdmin(settings: options.settings, log: logger.kafka)
            defer { admin.close() }
            let whole = try OpenTransaction.reader(options.settings, logger: logger)
            defer { whole?.close() }
            var isLast = false
            while !isLast {
                _ = stopping.take(waiting: Int(options.every))
                let hasFailed = failure.isSet
                isLast = hasFailed || stopping.isClosed
                // A broker that is away proves nothing. The next look judges.
                do { if !hasFailed { try look(&seen, admin, whole, isLast: isLast) } } catch {
                    logger.debug("the topic could not be looked at", ["error": "\(error)"])
                }
                // Anchors are kept after a failure too: the next start needs them to know the log.
                keepAnchors()
            }
        } catch {
            logger.warning("the topic cannot be watched", ["error": "\(error)"])
        }
    }

    private func look(_ seen: inout LogObservation, _ admin: LogAdmin, _ whole: LogAdmin?, isLast: Bool) throws {
        let read = book.withLock { $0.records.partitions }
        let isThere = try asking { () throws(LogError) in try topicIsThere(&seen, admin, read.mapValues(\.position)) }
        guard isThere, !read.isEmpty else { return }
        let partitions = read.keys.sorted()
        // The real ends are asked first. Otherwise records written between the two questions would look like an open
        // transaction.
        let ends = try whole.map { whole in
            try asking { () throws(LogError) in try whole.watermarks(options.topic, partitions: partitions) }
        }
        let marks = try asking(\.self) { () throws(LogError) in
            try admin.watermarks(options.topic, partitions: partitions)
        }
        let logs = marks.mapValues { LogExtent(low: $0.low, high: $0.high) }
        if let found = seen.judge(read.mapValues(\.position), logs: logs) {
            return refuse(
                .logWentBackwards(
                    topic: options.topic, partition: found.partition, applied: found.read, low: found.log.low,
                    high: found.log.high))
        }
        book.withLock { book in
            book.pinned = OpenTransaction.pins(
                marks.mapValues(\.high), ends: (ends ?? [:]).mapValues(\.high), before: book.pinned
            ).filter { book.records.partitions[$0.key] != nil }
        }
        guard seen.isProbeDue(now: MonotonicClock.milliseconds(), isLast: isLast) else { return }
        try probe(&seen, read, marks, all: isLast)
    }

    /// Asks the brokers, and remembers whether they answered. `marks`: the extent of the log, if the answer has it.
    private func asking<Answer>(
        _ marks: ((Answer) -> [Int32: (low: Int64, high: Int64)])? = nil, _ question: () throws(LogError) -> Answer
    ) throws(LogError) -> Answer {
        contact.withLock { $0.ask(now: MonotonicClock.milliseconds()) }
        do throws(LogError) {
            let answer = try question()
            contact.withLock { $0.answer(marks?(answer).mapValues(\.high), now: MonotonicClock.milliseconds()) }
            return answer
        } catch {
            contact.withLock { $0.fail(error, now: MonotonicClock.milliseconds()) }
            throw error
        }
    }

    private func refuse(_ refusal: Refusal) { failure.set(refusal.error()) }

    /// Checks the topic's partitions and notes changed leaders. Returns false if there is nothing more to look at.
    private func topicIsThere(
        _ seen: inout LogObservation, _ admin: LogAdmin, _ read: [Int32: Int64]
    ) throws(LogError) -> Bool {
        let topic: TopicDescription
        do {
            topic = try admin.describe(options.topic)
        } catch {
            guard error.code == .missingTopic else { throw error }
            if seen.isMissing(reading: read.keys) { refuse(.topicDeleted(options.topic, read: read)) }
            return false
        }
        let count = topic.partitions.count
        switch seen.isThere(partitions: count, leaders: topic.leaders) {
        case .same: return true
        case .grown(let before):
            logger.info("the topic has more partitions", ["before": before, "now": count])
            return true
        case .changed(let before):
            refuse(.partitionsChanged(topic: options.topic, before: before, now: count))
            return false
        }
    }

    /// Reads applied records again, and compares.
    private func probe(
        _ seen: inout LogObservation, _ read: [Int32: AppliedRecords.Partition],
        _ marks: [Int32: (low: Int64, high: Int64)], all: Bool
    ) throws {
        let probe = LogProbe(settings: options.settings, topic: options.topic, logger: logger)
        // Only the last look has somebody waiting for it.
        let found = try probe.find(seen.choose(from: read, all: all), marks: marks, seconds: all ? 3 : 10)
        for (partition, findings) in found.sorted(by: { $0.key < $1.key }) {
            if let refusal = LogWentBackwards.refusal(
                findings, topic: options.topic, partition: partition, mark: marks[partition] ?? (0, 0))
            {
                return refuse(refusal)
            }
        }
        seen.probed()
        book.withLock { book in
            for (partition, findings) in found {
                guard let last = findings.last(where: { $0.finding == .same })?.fingerprint else { continue }
                book.records.proved(partition, last)
            }
        }
    }

    /// Writes anchors that are not kept yet into the state.
    private func keepAnchors() {
        let kept = book.withLock(\.records.unkept)
        guard !kept.isEmpty, (try? options.keep(kept)) == true else { return }
        book.withLock { $0.records.kept(kept) }
    }
}

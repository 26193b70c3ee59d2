import CommandLog
import Failures
import Foundation
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
            self.settings = settings
            self.topic = topic
            self.partitions = partitions
            self.versionsAreOffsets = versionsAreOffsets
            self.every = every
            self.probeEvery = probeEvery
            self.keep = keep
        }
    }

    private struct Watched: Sendable {
        /// The offset after the last record taken.
        package var position: Int64
        /// Applied records after `proven`, oldest first.
        package var trail: [RecordFingerprint] = []
        /// The last applied record that was found again in the log.
        package var proven: RecordFingerprint?
        package var isKept = true

        /// The record by which the log is known: the last one found again, or else the first that was applied.
        package var anchor: RecordFingerprint? { proven ?? trail.first }
    }

    private struct Book: Sendable {
        package var watched: [Int32: Watched] = [:]
        package var pinned: [Int32: OpenTransaction.Pin] = [:]
        /// Anchors that still have to be kept, of partitions that were given up.
        package var left: [Int32: RecordFingerprint] = [:]

        /// Anchors that still have to be kept.
        package var unkept: [Int32: RecordFingerprint] {
            left.merging(watched.filter { !$0.value.isKept }.compactMapValues(\.anchor)) { _, new in new }
        }
    }

    private let options: Options
    private let failure: FailureLatch<WorkError>
    private let logger: Logger
    private let book = Mutex(Book())
    private let contact = Mutex(LogContact())
    private let stopping = Mailbox<Bool>()
    private let thread = Mutex<JoinableThread?>(nil)

    package init(_ options: Options, failure: FailureLatch<WorkError>, logger: Logger) {
        self.options = options
        self.failure = failure
        self.logger = logger
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
                book.watched[partition] = Watched(position: position, proven: known[partition])
            }
        }
    }

    package func ended(_ partitions: [Int32]) {
        book.withLock { book in
            book.left = book.unkept
            for partition in partitions {
                book.watched[partition] = nil
                book.pinned[partition] = nil
            }
        }
    }

    /// The partitions have been read up to these positions. `applied`: per partition the last settled record.
    package func moved(_ positions: [Int32: Int64], applied: [Int32: RecordFingerprint]) {
        book.withLock { book in
            for (partition, position) in positions { book.watched[partition]?.position = position }
            for (partition, fingerprint) in applied where book.watched[partition]?.trail.last != fingerprint {
                // Every second one is enough: the place where another log begins lies between two of them.
                if let trail = book.watched[partition]?.trail, trail.count >= 16 {
                    book.watched[partition]?.trail = trail.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
                }
                if book.watched[partition]?.anchor == nil { book.watched[partition]?.isKept = false }
                book.watched[partition]?.trail.append(fingerprint)
            }
        }
    }

    /// An applied record by which the log is known. It is older than all records that are still to be looked for.
    package func anchor(of partition: Int32) -> RecordFingerprint? { book.withLock { $0.watched[partition]?.anchor } }

    /// Why no records come: no broker answers, or a transaction is open; nil: nothing keeps them.
    package var waiting: String? {
        if let silence = contact.withLock({ $0.trouble(now: MonotonicClock.milliseconds()) }) { return silence }
        return book.withLock { book in
            let pinned = book.pinned.sorted { $0.key < $1.key }
                .first { $0.value.isHeld && $0.value.stable <= (book.watched[$0.key]?.position ?? -1) }
            return pinned.map { OpenTransaction.words(partition: $0.key, stable: $0.value.stable, end: $0.value.end) }
        }
    }

    /// The last stable offset of each partition that is read; nil: the ends are not known now.
    package var ends: [Int32: Int64]? { contact.withLock { $0.ends(now: MonotonicClock.milliseconds()) } }

    /// Per partition the timestamp of the last applied record, in milliseconds since 1970.
    package var appliedTimes: [Int32: Int64] {
        book.withLock { book in
            book.watched.compactMapValues { ($0.trail.last ?? $0.proven)?.timestamp }.filter { $0.value >= 0 }
        }
    }

    // MARK: The thread

    /// State that only the monitor's thread uses.
    private struct LookState: Sendable {
        package var partitions: Int
        package var leaders: [Int32: Int32] = [:]
        /// Partitions whose leader changed since their records were looked at.
        package var changed: Set<Int32> = []
        package var missing = 0
        package var nextProbe: Int64 = 0
        package var turn: Int32 = -1
        /// Partitions whose end was once seen to lie before what was read.
        package var shrunk: Set<Int32> = []
    }

    private func loop() {
        var state = LookState(partitions: options.partitions)
        state.nextProbe = MonotonicClock.milliseconds() + options.probeEvery
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
                do { if !hasFailed { try look(&state, admin, whole, isLast: isLast) } } catch {
                    logger.debug("the topic could not be looked at", ["error": "\(error)"])
                }
                // Anchors are kept after a failure too: the next start needs them to know the log.
                keepAnchors()
            }
        } catch {
            logger.warning("the topic cannot be watched", ["error": "\(error)"])
        }
    }

    private func look(_ state: inout LookState, _ admin: LogAdmin, _ whole: LogAdmin?, isLast: Bool) throws {
        let watched = book.withLock { $0.watched }
        let isThere = try asking { () throws(LogError) in try topicIsThere(&state, admin, watched) }
        guard isThere, !watched.isEmpty else { return }
        let partitions = watched.keys.sorted()
        // The real ends are asked first. Otherwise records written between the two questions would look like an open
        // transaction.
        let ends = try whole.map { whole in
            try asking { () throws(LogError) in try whole.watermarks(options.topic, partitions: partitions) }
        }
        let marks = try asking(\.self) { () throws(LogError) in
            try admin.watermarks(options.topic, partitions: partitions)
        }
        guard judgeEnds(&state, watched, marks) else { return }
        book.withLock { book in
            book.pinned = OpenTransaction.pins(
                marks.mapValues(\.high), ends: (ends ?? [:]).mapValues(\.high), before: book.pinned
            ).filter { book.watched[$0.key] != nil }
        }
        guard isLast || MonotonicClock.milliseconds() >= state.nextProbe || !state.changed.isEmpty else { return }
        state.nextProbe = MonotonicClock.milliseconds() + options.probeEvery
        try probe(&state, watched, marks, all: isLast)
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
    private func topicIsThere(_ state: inout LookState, _ admin: LogAdmin, _ watched: [Int32: Watched]) throws(LogError)
        -> Bool
    {
        let topic: TopicDescription
        do {
            topic = try admin.describe(options.topic)
            state.missing = 0
        } catch {
            guard error.code == .missingTopic else { throw error }
            state.missing += 1
            // If the topic is there again at the next look, its records must show that it is the same.
            state.changed.formUnion(watched.keys)
            // A single miss may come from a broker that has just started.
            if state.missing > 1 { refuse(.topicDeleted(options.topic, read: watched.mapValues(\.position))) }
            return false
        }
        let count = topic.partitions.count
        if count != state.partitions {
            if options.versionsAreOffsets || count < state.partitions {
                refuse(.partitionsChanged(topic: options.topic, before: state.partitions, now: count))
                return false
            }
            logger.info(
                "the topic has more partitions", ["before": state.partitions, "now": count])
            state.partitions = count
        }
        for (partition, leader) in topic.leaders where leader >= 0 {
            if let before = state.leaders[partition], before != leader { state.changed.insert(partition) }
            state.leaders[partition] = leader
        }
        return true
    }

    private func judgeEnds(
        _ state: inout LookState, _ watched: [Int32: Watched], _ marks: [Int32: (low: Int64, high: Int64)]
    ) -> Bool {
        for (partition, seen) in watched.sorted(by: { $0.key < $1.key }) {
            guard let mark = marks[partition], mark.high < seen.position else {
                state.shrunk.remove(partition)
                continue
            }
            // A new leader may not know yet how far its followers are, so one look is not enough.
            guard !state.shrunk.insert(partition).inserted else { continue }
            refuse(
                .logWentBackwards(
                    topic: options.topic, partition: partition, applied: seen.position, low: mark.low, high: mark.high))
            return false
        }
        return true
    }

    /// Reads applied records again. Of partitions whose leader changed it reads all that are remembered. Of up to 16
    /// others it reads the oldest and the newest.
    private func probe(
        _ state: inout LookState, _ watched: [Int32: Watched], _ marks: [Int32: (low: Int64, high: Int64)], all: Bool
    ) throws {
        let order = watched.keys.sorted { ($0 <= state.turn ? 1 : 0, $0) < ($1 <= state.turn ? 1 : 0, $1) }
        let chosen =
            all ? order : Array(order.filter(state.changed.contains) + order.filter { !state.changed.contains($0) })
        var wanted: [Int32: [RecordFingerprint]] = [:]
        for partition in chosen {
            guard all || wanted.count < 16, let seen = watched[partition] else { continue }
            let known = [seen.proven].compactMap { $0 } + seen.trail
            guard let first = known.first, let last = known.last else { continue }
            wanted[partition] = state.changed.contains(partition) ? known : first == last ? [first] : [first, last]
            if !state.changed.contains(partition) { state.turn = partition }
        }
        let probe = LogProbe(settings: options.settings, topic: options.topic, logger: logger)
        // Only the last look has somebody waiting for it.
        let found = try probe.find(wanted, marks: marks, seconds: all ? 3 : 10)
        for (partition, findings) in found.sorted(by: { $0.key < $1.key }) {
            if let refusal = LogMismatch.refusal(
                findings, topic: options.topic, partition: partition, mark: marks[partition] ?? (0, 0))
            {
                return refuse(refusal)
            }
        }
        state.changed = []
        prove(found)
    }

    private func prove(_ found: [Int32: [(fingerprint: RecordFingerprint, finding: LogProbe.Finding)]]) {
        book.withLock { book in
            for (partition, findings) in found {
                guard let last = findings.last(where: { $0.finding == .same })?.fingerprint,
                    var seen = book.watched[partition], seen.proven != last
                else { continue }
                seen.proven = last
                seen.trail.removeAll { $0.offset <= last.offset }
                seen.isKept = false
                book.watched[partition] = seen
            }
        }
    }

    /// Writes anchors that are not kept yet into the state.
    private func keepAnchors() {
        let kept = book.withLock(\.unkept)
        guard !kept.isEmpty, (try? options.keep(kept)) == true else { return }
        book.withLock { book in
            for (partition, fingerprint) in kept {
                if book.left[partition] == fingerprint { book.left[partition] = nil }
                if book.watched[partition]?.anchor == fingerprint { book.watched[partition]?.isKept = true }
            }
        }
    }
}

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
/// The poll thread tells it how far it is; it tells the poll thread nothing but through `failure`.
package final class LogMonitor: Sendable {
    package struct Options: Sendable {
        package var settings: KafkaSettings
        package var topic: String
        /// Partitions that the topic had when the work began.
        package var partitions: Int
        package var versionsAreOffsets: Bool
        /// Milliseconds between two looks at the topic, and between two at the records themselves.
        package var every: Int64 = 2000
        package var probeEvery: Int64 = 10_000
        /// Keeps witnesses that were found to be still there; false when that was not possible now.
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

    private struct Lane: Sendable {
        /// The offset after the last record taken.
        package var position: Int64
        /// Applied records since the last that was found again, oldest first.
        package var trail: [RecordFingerprint] = []
        /// The last applied record that was found again later.
        package var proven: RecordFingerprint?
        package var isKept = true

        /// By which the log is known: what was found again, before that the first record that was applied.
        package var anchor: RecordFingerprint? { proven ?? trail.first }
    }

    private struct Book: Sendable {
        package var lanes: [Int32: Lane] = [:]
        package var pinned: [Int32: OpenTransaction.Pin] = [:]
        /// Anchors of partitions that were given up before these could be kept.
        package var left: [Int32: RecordFingerprint] = [:]

        /// What is still to be kept.
        package var unkept: [Int32: RecordFingerprint] {
            left.merging(lanes.filter { !$0.value.isKept }.compactMapValues(\.anchor)) { _, new in new }
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

    /// Ends the looking, with a last look when all went well, so that what was applied is kept.
    package func stop() {
        stopping.close()
        thread.withLock { $0 }?.join(seconds: 30)
    }

    // MARK: From the poll thread

    /// Partitions are read now, from where they stand. `known`: records that were found in the log just now.
    package func began(_ positions: [Int32: Int64], known: [Int32: RecordFingerprint]) {
        book.withLock { book in
            for (partition, position) in positions {
                book.lanes[partition] = Lane(position: position, proven: known[partition])
            }
        }
    }

    package func ended(_ partitions: [Int32]) {
        book.withLock { book in
            book.left = book.unkept
            for partition in partitions {
                book.lanes[partition] = nil
                book.pinned[partition] = nil
            }
        }
    }

    /// How far the partitions are, and the last record of each that is settled.
    package func moved(_ positions: [Int32: Int64], applied: [Int32: RecordFingerprint]) {
        book.withLock { book in
            for (partition, position) in positions { book.lanes[partition]?.position = position }
            for (partition, witness) in applied where book.lanes[partition]?.trail.last != witness {
                // Evenly thinned: the seam of two logs lies between two of them.
                if let trail = book.lanes[partition]?.trail, trail.count >= 16 {
                    book.lanes[partition]?.trail = trail.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
                }
                if book.lanes[partition]?.anchor == nil { book.lanes[partition]?.isKept = false }
                book.lanes[partition]?.trail.append(witness)
            }
        }
    }

    /// An applied record by which the log is known, older than any that a look at the records has still to judge.
    package func anchor(of partition: Int32) -> RecordFingerprint? { book.withLock { $0.lanes[partition]?.anchor } }

    /// What keeps records from coming: no broker answers, or an open transaction; nil when nothing does.
    package var waiting: String? {
        if let silence = contact.withLock({ $0.trouble(now: MonotonicClock.milliseconds()) }) { return silence }
        return book.withLock { book in
            let pinned = book.pinned.sorted { $0.key < $1.key }
                .first { $0.value.isHeld && $0.value.stable <= (book.lanes[$0.key]?.position ?? -1) }
            return pinned.map { OpenTransaction.words(partition: $0.key, stable: $0.value.stable, end: $0.value.end) }
        }
    }

    /// Where each partition that is read ends, up to the last stable offset; nil: that is not known at present.
    package var ends: [Int32: Int64]? { contact.withLock { $0.ends(now: MonotonicClock.milliseconds()) } }

    /// When the last applied record of each partition was written, by its own timestamp, milliseconds since 1970.
    package var appliedTimes: [Int32: Int64] {
        book.withLock { book in
            book.lanes.compactMapValues { ($0.trail.last ?? $0.proven)?.timestamp }.filter { $0.value >= 0 }
        }
    }

    // MARK: The thread

    /// What only the thread uses.
    private struct Looker: Sendable {
        package var partitions: Int
        package var leaders: [Int32: Int32] = [:]
        /// Partitions whose leader changed since their records were looked at.
        package var changed: Set<Int32> = []
        package var missing = 0
        package var nextProbe: Int64 = 0
        package var turn: Int32 = -1
        /// Partitions that were seen to end before what was read, once.
        package var shrunk: Set<Int32> = []
    }

    private func loop() {
        var looker = Looker(partitions: options.partitions)
        looker.nextProbe = MonotonicClock.milliseconds() + options.probeEvery
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
                // A broker that is away is nothing to judge by; the next look will.
                do { if !hasFailed { try look(&looker, admin, whole, isLast: isLast) } } catch {
                    logger.debug("the topic could not be looked at", ["error": "\(error)"])
                }
                // When the work ends by a failure, what its log is known by is needed more than ever.
                keepAnchors()
            }
        } catch {
            logger.warning("the topic cannot be watched", ["error": "\(error)"])
        }
    }

    private func look(_ looker: inout Looker, _ admin: LogAdmin, _ whole: LogAdmin?, isLast: Bool) throws {
        let lanes = book.withLock { $0.lanes }
        let isThere = try asking { () throws(LogError) in try topicIsThere(&looker, admin, lanes) }
        guard isThere, !lanes.isEmpty else { return }
        let partitions = lanes.keys.sorted()
        // The real ends first: what is written between the two questions is no open transaction.
        let ends = try whole.map { whole in
            try asking { () throws(LogError) in try whole.watermarks(options.topic, partitions: partitions) }
        }
        let marks = try asking(\.self) { () throws(LogError) in
            try admin.watermarks(options.topic, partitions: partitions)
        }
        guard judgeEnds(&looker, lanes, marks) else { return }
        book.withLock { book in
            book.pinned = OpenTransaction.pins(
                marks.mapValues(\.high), ends: (ends ?? [:]).mapValues(\.high), before: book.pinned
            ).filter { book.lanes[$0.key] != nil }
        }
        guard isLast || MonotonicClock.milliseconds() >= looker.nextProbe || !looker.changed.isEmpty else { return }
        looker.nextProbe = MonotonicClock.milliseconds() + options.probeEvery
        try probe(&looker, lanes, marks, all: isLast)
    }

    /// One question to the brokers, whose answer, or failure, is remembered. `marks`: what it tells of where the log
    /// ends.
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

    /// Partitions and their leaders; false when there is nothing more to look at.
    private func topicIsThere(_ looker: inout Looker, _ admin: LogAdmin, _ lanes: [Int32: Lane]) throws(LogError)
        -> Bool
    {
        let topic: TopicDescription
        do {
            topic = try admin.describe(options.topic)
            looker.missing = 0
        } catch {
            guard error.code == .missingTopic else { throw error }
            looker.missing += 1
            // If it is there again at the next look, it is to be shown that it is the same.
            looker.changed.formUnion(lanes.keys)
            // Once may be a broker that has just started.
            if looker.missing > 1 { refuse(.topicDeleted(options.topic, read: lanes.mapValues(\.position))) }
            return false
        }
        let count = topic.partitions.count
        if count != looker.partitions {
            if options.versionsAreOffsets || count < looker.partitions {
                refuse(.partitionsChanged(topic: options.topic, before: looker.partitions, now: count))
                return false
            }
            logger.info(
                "the topic has more partitions", ["before": looker.partitions, "now": count])
            looker.partitions = count
        }
        for (partition, leader) in topic.leaders where leader >= 0 {
            if let before = looker.leaders[partition], before != leader { looker.changed.insert(partition) }
            looker.leaders[partition] = leader
        }
        return true
    }

    private func judgeEnds(
        _ looker: inout Looker, _ lanes: [Int32: Lane], _ marks: [Int32: (low: Int64, high: Int64)]
    ) -> Bool {
        for (partition, lane) in lanes.sorted(by: { $0.key < $1.key }) {
            guard let mark = marks[partition], mark.high < lane.position else {
                looker.shrunk.remove(partition)
                continue
            }
            // A leader that is new in office may not know yet how far its followers are.
            guard !looker.shrunk.insert(partition).inserted else { continue }
            refuse(
                .logWentBackwards(
                    topic: options.topic, partition: partition, applied: lane.position, low: mark.low, high: mark.high))
            return false
        }
        return true
    }

    /// Reads applied records again: of partitions whose leader changed all that are remembered, of the others, some at
    /// a time, the oldest and the newest.
    private func probe(
        _ looker: inout Looker, _ lanes: [Int32: Lane], _ marks: [Int32: (low: Int64, high: Int64)], all: Bool
    ) throws {
        let order = lanes.keys.sorted { ($0 <= looker.turn ? 1 : 0, $0) < ($1 <= looker.turn ? 1 : 0, $1) }
        let chosen =
            all ? order : Array(order.filter(looker.changed.contains) + order.filter { !looker.changed.contains($0) })
        var wanted: [Int32: [RecordFingerprint]] = [:]
        for partition in chosen {
            guard all || wanted.count < 16, let lane = lanes[partition] else { continue }
            let known = [lane.proven].compactMap { $0 } + lane.trail
            guard let first = known.first, let last = known.last else { continue }
            wanted[partition] = looker.changed.contains(partition) ? known : first == last ? [first] : [first, last]
            if !looker.changed.contains(partition) { looker.turn = partition }
        }
        let probe = LogProbe(settings: options.settings, topic: options.topic, logger: logger)
        // Nobody waits for it but at the end.
        let found = try probe.find(wanted, marks: marks, seconds: all ? 3 : 10)
        for (partition, findings) in found.sorted(by: { $0.key < $1.key }) {
            if let refusal = LogMismatch.refusal(
                findings, topic: options.topic, partition: partition, mark: marks[partition] ?? (0, 0))
            {
                return refuse(refusal)
            }
        }
        looker.changed = []
        prove(found)
    }

    private func prove(_ found: [Int32: [(witness: RecordFingerprint, finding: LogProbe.Finding)]]) {
        book.withLock { book in
            for (partition, findings) in found {
                guard let last = findings.last(where: { $0.finding == .same })?.witness,
                    var lane = book.lanes[partition], lane.proven != last
                else { continue }
                lane.proven = last
                lane.trail.removeAll { $0.offset <= last.offset }
                lane.isKept = false
                book.lanes[partition] = lane
            }
        }
    }

    /// Keeps the anchors that are not kept yet.
    private func keepAnchors() {
        let kept = book.withLock(\.unkept)
        guard !kept.isEmpty, (try? options.keep(kept)) == true else { return }
        book.withLock { book in
            for (partition, witness) in kept {
                if book.left[partition] == witness { book.left[partition] = nil }
                if book.lanes[partition]?.anchor == witness { book.lanes[partition]?.isKept = true }
            }
        }
    }
}

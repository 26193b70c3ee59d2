import CommandLog
import Commands
import DeadLetters
import Failures
import Foundation
import Indexing
import JSONText
import Runtime
import SearchCluster
import Synchronization
import Telemetry

/// Records that can never become a write, sent to their own topic as they were (promise P7). A record counts as
/// dead-lettered only when Kafka has acknowledged the letter.
///
/// The producer is started by the first letter: a migration without any needs no right to write to a topic.
/// `@unchecked Sendable` because `producer`, `senders` and `isClosed` are touched only under `lock`.
package final class DeadLetterWriter: @unchecked Sendable {
    package struct Options: Sendable {
        package var settings: KafkaSettings
        package var topic: String
        package var sourceTopic: String
        /// The migration's name.
        package var migration: String
        package var epoch: Int64
        /// Whether the records are dead letters themselves, read again.
        package var redriven = false
        /// There is no log that could keep a letter: the first one ends the work.
        package var isOff = false

        package init(
            settings: KafkaSettings, topic: String, sourceTopic: String, migration: String, epoch: Int64,
            redriven: Bool = false, isOff: Bool = false
        ) {
            (self.settings, self.topic, self.sourceTopic, self.migration) = (settings, topic, sourceTopic, migration)
            (self.epoch, self.redriven, self.isOff) = (epoch, redriven, isOff)
        }
    }

    private let options: Options
    private let ledger: Ledger
    private let failure: FailureLatch<WorkError>
    private let logger: Logger
    private let lock = NSLock()
    private var producer: DeadLetterProducer?
    /// Threads that are handing a letter to the producer. It is ended only when there are none.
    private var senders = 0
    private var isClosed = false
    private let pending = Mutex<
        (next: UInt64, runs: [UInt64: (run: RunID, bytes: Int, reason: String)], reasons: [Int32: [String: Int]])
    >((0, [:], [:]))
    /// The first letter of each reason, in words.
    private let firsts = Mutex<[String: String]>([:])
    private let room: ByteSemaphore
    private let acknowledged = Atomic<Int>(0)

    /// - Parameter memory: bytes of letters on their way at most; who would send more waits.
    package init(_ options: Options, ledger: Ledger, failure: FailureLatch<WorkError>, memory: Int, logger: Logger) {
        room = ByteSemaphore(memory)
        (self.options, self.ledger, self.failure, self.logger) = (options, ledger, failure, logger)
    }

    /// How many letters Kafka has acknowledged. Those of a slice that was read again count again, because they are in
    /// the topic.
    package var written: Int { acknowledged.load(ordering: .acquiring) }

    /// Dead-lettered records by reason so far: in sum what the ledger counts as that outcome.
    package var reasons: [String: Int] {
        pending.withLock { $0.reasons.values.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) } }
    }

    /// Counts those of a slice no more: it is read again, and dies again. None of them is under way.
    func readAgain(_ slice: Int32) { pending.withLock { $0.reasons[slice] = nil } }

    /// The first letter of each reason, in words: its id, and what was wrong with it.
    package var examples: [String: String] { firsts.withLock { $0 } }

    /// A record that could not be understood or transformed.
    package func send(_ message: LogMessage, run: RunID, reason: String, detail: String, version: Int64 = 0) {
        send(
            key: message.key.map(Array.init), value: message.value.map(Array.init), headers: message.copiedHeaders(),
            place: .record(
                partition: message.partition, offset: message.offset,
                timestamp: message.time(redriven: options.redriven)),
            run: run, why: (reason, detail, version))
    }

    /// A write that the cluster will never take.
    func send(_ batch: BulkBatch, _ item: BatchItem, reason: String, detail: String) {
        let run = batch.runs[Int(item.run)]
        if let message = batch.messages[Int(item.message)] {
            send(message, run: run, reason: reason, detail: detail, version: item.version)
            return batch.messages.giveBack(Int(item.message))
        }
        guard item.page >= 0 else { return }
        let page = batch.pages[Int(item.page)]
        let hit = page.hits[Int(item.hit)]
        withExtendedLifetime(page) {
            send(page, hit, run: run, reason: reason, detail: detail, version: item.version)
        }
    }

    /// A document of the copy. `text`: what is kept of it, where that is not what the page has.
    package func send(
        _ page: Page, _ hit: Hit, run: RunID, reason: String, detail: String, version: Int64, text: [UInt8]? = nil
    ) {
        func plain(_ quoted: Range<Int>?) -> [UInt8]? {
            guard let quoted else { return nil }
            let text = ByteBuffer(capacity: quoted.count)
            // What cannot be unescaped is kept as the server said it.
            if (try? JSONString.unescape(page.bytes(quoted), into: text)) == nil { return Array(page.bytes(quoted)) }
            return Array(text.bytes)
        }
        send(
            key: plain(hit.id), value: text ?? Array(page.bytes(hit.source)), headers: [],
            place: .document(
                index: plain(hit.index) ?? [], type: plain(hit.type), routing: plain(hit.routing),
                parent: plain(hit.parent), version: hit.version),
            run: run, why: (reason, detail, version))
    }

    /// Where the letter is from: a record of the topic, or a document of the copy.
    package enum Place {
        case record(partition: Int32, offset: Int64, timestamp: Int64)
        /// Of this index of the source.
        case document(index: [UInt8], type: [UInt8]?, routing: [UInt8]?, parent: [UInt8]?, version: Int64?)
    }

    package func send(
        key: [UInt8]?, value: [UInt8]?, headers: [(String, [UInt8]?)], place: Place, run: RunID,
        why: (reason: String, detail: String, version: Int64)
    ) {
        remember(key, why.reason, why.detail)
        guard !options.isOff else {
            let id = String(decoding: key ?? [], as: UTF8.self)
            return failure.set(Refusal.noPlaceForLetters(id: id, reason: why.reason, detail: why.detail).error())
        }
        // A letter that dies again says why it did so now.
        var headers = headers.filter { !$0.0.hasPrefix(DeadLetterHeader.prefix) }
        func add(_ name: String, _ text: String) { headers.append((name, Array(text.utf8))) }
        add(DeadLetterHeader.reason, why.reason)
        add(DeadLetterHeader.detail, String(why.detail.prefix(1000)))
        add(DeadLetterHeader.version, String(why.version))
        headers += common
        switch place {
        case .record(let partition, let offset, let timestamp):
            add(DeadLetterHeader.topic, options.sourceTopic)
            add(DeadLetterHeader.partition, String(partition))
            add(DeadLetterHeader.offset, String(offset))
            add(DeadLetterHeader.timestamp, String(timestamp))
        case .document(let index, let type, let routing, let parent, let version):
            add(DeadLetterHeader.source, "copy")
            headers.append((DeadLetterHeader.index, index))
            if let type { headers.append((DeadLetterHeader.type, type)) }
            if let routing { headers.append((DeadLetterHeader.routing, routing)) }
            if let parent { headers.append((DeadLetterHeader.parent, parent)) }
            if let version { add(DeadLetterHeader.sourceVersion, String(version)) }
        }
        let named = headers.reduce(0) { $0 + $1.0.utf8.count + ($1.1?.count ?? 0) }
        let bytes = (key?.count ?? 0) + (value?.count ?? 0) + named + Self.letterCost
        room.enter(bytes, unless: failure)
        ledger.hold(bytes)
        let token = pending.withLock { pending in
            pending.next += 1
            pending.runs[pending.next] = (run, bytes, why.reason)
            return pending.next
        }
        deliver(key: key, value: value, headers: headers, token: token)
    }

    private func remember(_ key: [UInt8]?, _ reason: String, _ detail: String) {
        firsts.withLock { firsts in
            guard firsts[reason] == nil, firsts.count < 100 else { return }
            let id = key.map { "id \(VisibleText.line($0, limit: 60)): " } ?? ""
            firsts[reason] = id + VisibleText.line(DeadLetterText.withoutValue(detail), limit: 200)
        }
    }

    /// What a letter needs in the producer beside its key and value.
    private static let letterCost = 1_000

    /// What letters and resolutions alike say of themselves.
    private var common: [(String, [UInt8]?)] {
        [
            (DeadLetterHeader.time, Array(String(WallClock.now()).utf8)),
            (DeadLetterHeader.migration, Array(options.migration.utf8)),
            (DeadLetterHeader.epoch, Array(String(options.epoch).utf8)),
        ]
    }

    /// Records that a letter has its final outcome. Lies in the letter's own partition, so that it comes after it.
    package func resolve(_ letter: DeadLetter, as outcome: Outcome) {
        let headers = letter.resolution(outcome.name, migration: options.migration, time: WallClock.now())
        let token = pending.withLock { pending in
            pending.next += 1
            return pending.next
        }
        deliver(key: letter.key, value: nil, headers: headers, token: token, partition: letter.place.partition)
    }

    /// Waits until Kafka has acknowledged everything that was sent. False when it did not within `seconds`, or the
    /// work has failed.
    package func flush(seconds: Double) -> Bool {
        lock.lock()
        let producer = producer
        lock.unlock()
        return (producer?.flush(seconds: seconds) ?? true) && !failure.isSet
    }

    private func deliver(
        key: [UInt8]?, value: [UInt8]?, headers: [(String, [UInt8]?)], token: UInt64, partition: Int32? = nil
    ) {
        do {
            guard let producer = try started() else { return }
            defer { lock.withLock { senders -= 1 } }
            while try !with(
                key,
                { key throws(LogError) in
                    try with(value) { value throws(LogError) in
                        try producer.send(
                            topic: options.topic, key: key, value: value, headers: headers, token: token,
                            partition: partition)
                    }
                })
            {
                guard !failure.isSet, !lock.withLock({ isClosed }) else { return }
            }
        } catch {
            fail(error.message, underlying: error.underlying)
        }
    }

    private func with<Result>(
        _ bytes: [UInt8]?, _ body: (Bytes?) throws(LogError) -> Result
    ) throws(LogError) -> Result {
        guard let bytes else { return try body(nil) }
        return try bytes.withUnsafeBufferPointer { buffer throws(LogError) in try body(buffer) }
    }

    /// The producer, with this thread counted as a sender; nil: the work is over, and the letter's record stays
    /// unsettled.
    private func started() throws(LogError) -> DeadLetterProducer? {
        lock.lock()
        defer { lock.unlock() }
        guard !isClosed else { return nil }
        if let producer {
            senders += 1
            return producer
        }
        try prepareTopic()
        let made = try DeadLetterProducer(
            settings: options.settings, delivered: { [weak self] token, error in self?.delivered(token, error) },
            log: logger.kafka)
        producer = made
        senders += 1
        return made
    }

    /// The topic is made where it is missing; one that is there must keep what it is given.
    private func prepareTopic() throws(LogError) {
        let admin = try LogAdmin(settings: options.settings, log: logger.kafka)
        defer { admin.close() }
        let brokers: Int
        do {
            _ = try admin.describe(options.topic)
            return try checkTopic(admin)
        } catch {
            guard error.code == .missingTopic else { throw error }
            brokers = try admin.describe(options.sourceTopic).brokers.count
        }
        let config = [
            "cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1",
            // Whatever the command topic took, with the headers that say why.
            "max.message.bytes": "104857600",
        ]
        let made: Bool
        do {
            made = try admin.createTopic(
                options.topic, partitions: 1, replication: min(3, brokers), config: config)
        } catch {
            // A cluster that allows other numbers only says so; its own default it allows.
            guard error.code == .refused else { throw error }
            made = try admin.createTopic(options.topic, partitions: 1, config: config)
        }
        if made { logger.info("created the dead-letter topic", ["topic": options.topic]) }
    }

    private func checkTopic(_ admin: LogAdmin) throws(LogError) {
        let found: [String: String]
        do {
            found = try admin.configuration(of: options.topic)
        } catch {
            guard error.isUnanswerable else { throw error }
            return logger.warning(
                "the dead-letter topic's configuration is not known; it must not be compacted",
                ["topic": options.topic, "because": "\(error)"])
        }
        if let policy = found["cleanup.policy"], policy.contains("compact") {
            throw LogError(.refused, Refusal.deadLettersCompacted(options.topic, policy: policy).text)
        }
        if let retention = found["retention.ms"].flatMap({ OutsideNumber.time(text: $0) }), retention >= 0 {
            logger.warning(
                "the dead-letter topic does not keep its records for ever; redrive them in time",
                ["topic": options.topic, "retention_ms": retention])
        }
    }

    private func delivered(_ token: UInt64, _ error: LogError?) {
        if let error { return fail(error.message, underlying: error.underlying) }
        // A resolution settles nothing.
        guard let letter = pending.withLock({ $0.runs.removeValue(forKey: token) }) else { return }
        acknowledged.add(1, ordering: .releasing)
        room.leave(letter.bytes)
        ledger.release(letter.bytes)
        // Under the lock, so that who sees the last record settled sees its reason, too.
        pending.withLock { pending in
            if ledger.settle(letter.run, .deadLettered, 1) {
                pending.reasons[letter.run.partition, default: [:]][letter.reason, default: 0] += 1
            }
        }
    }

    private func fail(_ message: String, underlying: String?) {
        failure.set(
            WorkError(
                .deadLetters,
                "a dead letter could not be written to topic \(options.topic): \(message). Its record is not counted "
                    + "as done and nothing after it is committed: make the topic writable (and its max.message.bytes "
                    + "larger than the command topic's) and start again",
                underlying: underlying))
    }

    /// Waits for what is under way. Answers that come later, of requests that are under way still, find it closed.
    package func close() {
        lock.withLock { isClosed = true }
        while lock.withLock({ senders > 0 }) { Thread.sleep(forTimeInterval: 0.001) }
        lock.withLock { producer }?.close(seconds: 10)
    }
}

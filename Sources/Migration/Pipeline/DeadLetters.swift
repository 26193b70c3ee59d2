import CommandLog
import Commands
import Foundation
import JSONText
import SearchCluster
import Synchronization
import Telemetry

/// Records that can never become a write, sent to their own topic as they were (design 6.7). A record counts as
/// dead-lettered only when Kafka has acknowledged the letter.
///
/// The producer is started by the first letter: a migration without any needs no right to write to a topic.
/// `@unchecked Sendable` because `producer` is touched only under `lock`.
final class DeadLetters: @unchecked Sendable {
    struct Options: Sendable {
        var settings: KafkaSettings
        var topic: String
        var sourceTopic: String
    }

    private let options: Options
    private let ledger: Ledger
    private let failure: FirstFailure
    private let logger: Logger
    private let lock = NSLock()
    private var producer: DeadLetterProducer?
    private let pending = Mutex<
        (next: UInt64, runs: [UInt64: (run: RunReference, bytes: Int)], reasons: [String: Int])
    >((0, [:], [:]))
    private let room: ByteRoom

    /// - Parameter memory: bytes of letters on their way at most; who would send more waits.
    init(_ options: Options, ledger: Ledger, failure: FirstFailure, memory: Int, logger: Logger) {
        room = ByteRoom(memory)
        self.options = options
        self.ledger = ledger
        self.failure = failure
        self.logger = logger
    }

    /// Letters by reason so far, acknowledged or not.
    var reasons: [String: Int] { pending.withLock { $0.reasons } }

    /// A record that could not be understood or transformed.
    func send(_ message: LogMessage, run: RunReference, reason: String, detail: String, version: Int64 = 0) {
        var headers: [(String, [UInt8]?)] = []
        message.headers?.forEachHeader { name, value in
            headers.append((String(repairing: name), value.map(Array.init)))
        }
        send(
            key: message.key.map(Array.init), value: message.value.map(Array.init), headers: headers,
            place: .record(partition: message.partition, offset: message.offset, timestamp: message.timestamp),
            run: run, why: (reason, detail, version))
    }

    /// A write that the cluster will never take.
    func send(_ batch: BulkBatch, _ item: BatchItem, reason: String, detail: String) {
        let run = batch.runs[Int(item.run)]
        if let message = item.message {
            return send(message, run: run, reason: reason, detail: detail, version: item.version)
        }
        guard item.page >= 0 else { return }
        let page = batch.pages[Int(item.page)]
        let hit = page.hits[Int(item.hit)]
        withExtendedLifetime(page) {
            send(page, hit, run: run, reason: reason, detail: detail, version: item.version)
        }
    }

    /// A document of the copy.
    func send(_ page: Page, _ hit: Hit, run: RunReference, reason: String, detail: String, version: Int64) {
        let id = ByteBuffer()
        // What cannot be unescaped is kept as the server said it.
        if (try? JSONString.unescape(page.bytes(hit.id), into: id)) == nil { id.append(page.bytes(hit.id)) }
        send(
            key: Array(id.bytes), value: Array(page.bytes(hit.source)), headers: [], place: .document, run: run,
            why: (reason, detail, version))
    }

    /// Where the letter is from: a record of the topic, or a document of the copy.
    enum Place {
        case record(partition: Int32, offset: Int64, timestamp: Int64)
        case document
    }

    func send(
        key: [UInt8]?, value: [UInt8]?, headers: [(String, [UInt8]?)], place: Place, run: RunReference,
        why: (reason: String, detail: String, version: Int64)
    ) {
        var headers = headers.filter { !$0.0.hasPrefix("crossfade.") }
        func add(_ name: String, _ text: String) { headers.append(("crossfade.\(name)", Array(text.utf8))) }
        add("reason", why.reason)
        add("detail", String(why.detail.prefix(1000)))
        add("version", String(why.version))
        add("time", String(Int64(Date().timeIntervalSince1970 * 1000)))
        switch place {
        case .record(let partition, let offset, let timestamp):
            add("topic", options.sourceTopic)
            add("partition", String(partition))
            add("offset", String(offset))
            add("timestamp", String(timestamp))
        case .document: add("source", "copy")
        }
        let bytes = (key?.count ?? 0) + (value?.count ?? 0) + Self.letterCost
        room.enter(bytes, unless: failure)
        ledger.hold(bytes)
        let token = pending.withLock { pending in
            pending.next += 1
            pending.runs[pending.next] = (run, bytes)
            pending.reasons[why.reason, default: 0] += 1
            return pending.next
        }
        deliver(key: key, value: value, headers: headers, token: token)
    }

    /// What a letter needs in the producer beside its key and value.
    private static let letterCost = 1_000

    private func deliver(key: [UInt8]?, value: [UInt8]?, headers: [(String, [UInt8]?)], token: UInt64) {
        do {
            let producer = try started()
            while try !with(
                key,
                { key throws(LogError) in
                    try with(value) { value throws(LogError) in
                        try producer.send(topic: options.topic, key: key, value: value, headers: headers, token: token)
                    }
                })
            {
                guard !failure.isSet else { return }
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

    private func started() throws(LogError) -> DeadLetterProducer {
        lock.lock()
        defer { lock.unlock() }
        if let producer { return producer }
        let admin = try LogAdmin(settings: options.settings, log: logger.kafka)
        defer { admin.close() }
        do {
            _ = try admin.describe(options.topic)
        } catch {
            guard error.code == .missingTopic else { throw error }
            try admin.createTopic(
                options.topic, partitions: 1,
                config: [
                    "cleanup.policy": "delete",
                    // Whatever the command topic took, with the headers that say why.
                    "max.message.bytes": "104857600",
                ])
            logger.info("created the dead-letter topic", ["topic": options.topic])
        }
        let made = try DeadLetterProducer(
            settings: options.settings, delivered: { [weak self] token, error in self?.delivered(token, error) },
            log: logger.kafka)
        producer = made
        return made
    }

    private func delivered(_ token: UInt64, _ error: LogError?) {
        if let error { return fail(error.message, underlying: error.underlying) }
        guard let letter = pending.withLock({ $0.runs.removeValue(forKey: token) }) else { return }
        room.leave(letter.bytes)
        ledger.release(letter.bytes)
        ledger.settle(letter.run, .deadLettered, 1)
    }

    private func fail(_ message: String, underlying: String?) {
        failure.set(
            WorkError(
                .deadLetters,
                "a dead letter could not be written to topic \(options.topic): \(message). Its record is not counted as "
                    + "done and nothing after it is committed: make the topic writable (and its max.message.bytes larger than the "
                    + "command topic's) and start again",
                underlying: underlying))
    }

    /// Waits for what is under way.
    func close() {
        lock.lock()
        let producer = producer
        lock.unlock()
        producer?.close(seconds: 10)
    }
}

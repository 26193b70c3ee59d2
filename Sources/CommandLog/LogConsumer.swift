import CLibrdkafka
import Glibc
import Synchronization

/// Who is told of partitions that come and go. Both calls come from within
/// ``LogConsumer/poll(into:maximum:timeoutMs:paused:)`` or
/// ``LogConsumer/close(seconds:)``, on the poll thread, and may call the consumer back (committed, commit, watermarks).
public protocol LogConsumerDelegate: AnyObject {
    /// The partitions are ours now. Returns where each is to start; a partition without a start is an error. What it
    /// throws ends the consumer: the next poll throws it.
    func assigned(_ partitions: [Int32]) throws -> [Int32: Int64]
    /// The partitions are to be given up: drain and commit here, in less than `max.poll.interval.ms`. When they are
    /// `lost`, another member may have them already: forget them, a commit is refused. A member that hung while it was
    /// asked to give them up learns it as an ordinary revocation; then the broker refuses its commit (groupActive).
    func revoked(_ partitions: [Int32], lost: Bool)
}

/// Reads one topic.
///
/// **One thread.** Everything but ``wake()`` is called by one thread, the poll thread.
///
/// **How records come.** Batch consumption is what makes librdkafka fast, and up to 2.0.2 it loses records when a
/// rebalance,
/// a pause or a seek happens beside it. So nothing happens beside it: the records of all assigned partitions are
/// forwarded to a queue of our own (`data`), which only batches are taken from, while librdkafka's main queue carries
/// rebalances and errors and is served between two batches by the same thread. Forwarding is set in the rebalance
/// callback,
/// before the assignment starts a fetch, by `rd_kafka_queue_forward`, which marks the partition's queue as forwarded by
/// the application, so that the fetch start leaves it alone; the fetch stop of a revocation clears it, and the next
/// assignment sets it again. Records of a former assignment that are still in `data` carry an outdated version and are
/// dropped by librdkafka itself.
///
/// **Back-pressure.** A caller whose buffers are full polls with `paused: true`: callbacks are served and the group
/// membership stays alive, but no record is taken. No partition is ever paused in librdkafka (its resume skips records
/// before 2.1). What is then prefetched is bounded by `queued.max.messages.kbytes` (8 MiB here for all partitions
/// together, because they share one queue) plus one fetch response a broker (`fetch.max.bytes`).
///
/// `@unchecked Sendable` because of the one-thread rule, which the caller keeps; it is handed to its thread once.
public final class LogConsumer: @unchecked Sendable {
    public enum Mode: Sendable {
        /// Member of the settings' group: partitions come and go.
        case group
        /// These partitions from these offsets, as no member of any group.
        case assigned([Int32: Int64])
    }

    let topic: String
    let handle: KafkaHandle
    let target: ConsumerTarget
    private let data: OpaquePointer
    private let main: OpaquePointer
    private let mode: Mode
    private var closed: Bool { gate.withLock { $0 } }
    /// True once closed; held while another thread wakes, so that the queues are there.
    private let gate = Mutex(false)
    private let woken = Atomic<Bool>(false)
    /// Records that came where none should, for the next batch.
    private var strays: [LogMessage] = []
    /// The partitions assigned, for which commits are let through.
    var owned: Set<Int32> = []
    /// Thrown by the next poll that has no records to hand over.
    var pending: LogError?
    /// Whether a record or an end of a partition has ever come: then errors of connections pass.
    private var served = false
    private var refill: RefillNudge

    var rk: OpaquePointer { handle.rk }

    /// Connects nothing yet: the first poll does.
    public init(
        settings: KafkaSettings, topic: String, mode: Mode, delegate: (any LogConsumerDelegate)? = nil,
        log: @escaping KafkaLogSink = { _ in }
    ) throws(LogError) {
        self.topic = topic
        self.mode = mode
        var settings = settings
        if case .assigned = mode { settings = settings.withoutMembership }
        target = ConsumerTarget(context: HandleContext(settings: settings, sink: log))
        target.delegate = delegate
        handle = try KafkaHandle(
            RD_KAFKA_CONSUMER, settings: settings, ours: Self.properties(settings),
            optional: [("fetch.queue.backoff.ms", "5")].filter { settings.passthrough[$0.0] == nil }, target: target,
            configure: ConsumerTarget.register)
        guard let data = rd_kafka_queue_new(handle.rk), let main = rd_kafka_queue_get_consumer(handle.rk) else {
            throw LogError(.fatal, "librdkafka: no memory")
        }
        self.data = data
        self.main = main
        refill = RefillNudge(rk: handle.rk, settings: settings)
        // Callbacks and errors of connections come through consumer_poll too.
        rd_kafka_poll_set_consumer(handle.rk)
        target.consumer = self
        try start()
    }

    private static func properties(_ settings: KafkaSettings) -> [(String, String)] {
        let properties = [
            ("group.id", settings.group), ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "error"), ("enable.partition.eof", "true"), ("allow.auto.create.topics", "false"),
        ]
        let defaults = [
            ("partition.assignment.strategy", "range,roundrobin"), ("isolation.level", "read_committed"),
            ("queued.max.messages.kbytes", String(max(1, settings.prefetchedBytes >> 10))),
            ("queued.min.messages", "1000000"), ("fetch.max.bytes", String(settings.fetchBytes)),
            ("fetch.wait.max.ms", "100"),
            ("fetch.error.backoff.ms", "200"), ("socket.nagle.disable", "true"),
        ]
        return defaults.filter { settings.passthrough[$0.0] == nil } + properties
    }

    private func start() throws(LogError) {
        switch mode {
        case .group:
            let list = PartitionList(topic, [Int32(RD_KAFKA_PARTITION_UA)])
            let err = rd_kafka_subscribe(rk, list.list)
            guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: "subscribing to topic \(topic)") }
        case .assigned(let starts):
            try assign(starts)
        }
    }

    /// Takes records into `batch`, up to `maximum` in it, and what else there is to know into its events, which it
    /// clears
    /// first. Waits up to `timeoutMs` milliseconds for the first record, and serves callbacks. With `paused` it
    /// takes no
    /// record. Throws what ends the reading (startDeleted, missingTopic, authentication, fatal, what the delegate
    /// threw),
    /// but only when the records before it have been handed over.
    public func poll(
        into batch: RecordBatch, maximum: Int = .max, timeoutMs: Int32 = 100, paused: Bool = false
    ) throws(LogError) {
        batch.events.removeAll(keepingCapacity: true)
        guard !closed else { throw LogError(.closed, "the consumer of topic \(topic) is closed") }
        serve(batch, timeoutMs: paused && !takeWake() ? timeoutMs : 0)
        batch.events.append(contentsOf: target.takeEvents())
        if !paused, pending == nil {
            let before = batch.count
            while batch.count < min(maximum, batch.capacity), let stray = strays.popLast() { batch.append(stray) }
            batch.take(from: data, maximum: maximum) { self.sort($0, into: batch) }
            // With a timeout librdkafka waits until the batch is full; so only one record is waited for.
            if batch.count == before, batch.events.isEmpty, pending == nil, timeoutMs > 0, !takeWake() {
                batch.take(from: data, maximum: before + 1, milliseconds: timeoutMs) { self.sort($0, into: batch) }
            }
            if batch.count > before {
                served = true
                refill.nudge(data)
            }
        }
        guard let pending, batch.count == 0 else { return }
        throw pending
    }

    /// Ends a poll that is waiting. From any thread.
    public func wake() {
        woken.store(true, ordering: .sequentiallyConsistent)
        gate.withLock { closed in
            guard !closed else { return }
            rd_kafka_queue_yield(data)
            rd_kafka_queue_yield(main)
        }
    }

    private func takeWake() -> Bool { woken.exchange(false, ordering: .sequentiallyConsistent) }

    private func serve(_ batch: RecordBatch, timeoutMs: Int32) {
        var wait = timeoutMs
        while let message = rd_kafka_consumer_poll(rk, wait) {
            wait = 0
            // A record cannot come here, as all are forwarded; it would not be lost.
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                strays.insert(LogMessage(message), at: 0)
            } else {
                sort(message.pointee, into: batch)
                rd_kafka_message_destroy(message)
            }
        }
        if !served, pending == nil {
            pending = handle.context.hopeless(doing: "reading topic \(topic)")
        }
    }

    /// What a message that is no record means.
    private func sort(_ message: rd_kafka_message_t, into batch: RecordBatch) {
        let text = rd_kafka_message_errstr_safe(message)
        let doing = "reading topic \(topic)\(message.partition >= 0 ? " [\(message.partition)]" : "")"
        switch message.err {
        case RD_KAFKA_RESP_ERR__PARTITION_EOF:
            served = true
            batch.events.append(.endOfPartition(partition: message.partition, nextOffset: message.offset))
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
            guard pending == nil else { return }
            pending = startDeleted(message.partition, asked: message.offset, text: text)
        case RD_KAFKA_RESP_ERR__FATAL:
            var words = ErrorText()
            let err = rd_kafka_fatal_error(rk, &words.bytes, words.bytes.count)
            let said = handle.context.redact(words.string)
            pending =
                err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID
                ? LogError(err, doing: doing, text: said)
                : LogError(
                    .fatal, "\(doing): the client can go no further (\(err.rawValue)); start again", underlying: said)
        case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
            pending = LogError(
                .groupActive,
                "\(doing): the group has members of another kind (another assignment strategy); use a "
                    + "group of its own, or stop them", underlying: text)
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            guard pending == nil else { return }
            guard isMissing(message.partition) else {
                return handle.context.log(4, "CONSUME", "\(doing): \(text); but it is there")
            }
            pending = LogError(message.err, doing: doing, text: text)
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
            RD_KAFKA_RESP_ERR__BAD_MSG, RD_KAFKA_RESP_ERR__BAD_COMPRESSION, RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED,
            RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED:
            pending = pending ?? LogError(message.err, doing: doing, text: text)
        default:
            handle.context.log(4, "CONSUME", "\(doing): \(text)")
        }
    }

    /// Whether the topic, or the partition, is not there: a broker that has just started, or has not heard of a new topic
    /// yet, says so too early.
    private func isMissing(_ partition: Int32) -> Bool {
        guard let local = rd_kafka_topic_new(rk, topic, nil) else { return true }
        defer { rd_kafka_topic_destroy(local) }
        for attempt in 0..<3 {
            if attempt > 0 { usleep(500_000) }
            var metadata: UnsafePointer<rd_kafka_metadata>?
            let err = rd_kafka_metadata(rk, 0, local, &metadata, 3000)
            // Who does not answer has not said that it is gone.
            guard err == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { return false }
            defer { rd_kafka_metadata_destroy(metadata) }
            guard metadata.pointee.topic_cnt > 0, let found = metadata.pointee.topics?[0] else { continue }
            let isThere = found.err == RD_KAFKA_RESP_ERR_NO_ERROR && found.partition_cnt > partition
            if isThere || LogError.isRetriable(found.err) { return false }
        }
        return true
    }

    private func startDeleted(_ partition: Int32, asked: Int64, text: String) -> LogError {
        let deadline = Deadline(seconds: 3)
        func look(_ time: Int64) -> Int64? {
            try? listOffsets(rk, topic: topic, partitions: [partition], time: time, deadline: deadline, doing: "")[
                partition]
        }
        let first = look(firstOffset)
        let end = look(endOffset)
        let known = "the log has \(first.map(String.init) ?? "?") to \(end.map(String.init) ?? "?")"
        return LogError(
            .startDeleted,
            "topic \(topic) [\(partition)]: offset \(asked) is not there (\(known)); records were deleted by "
                + "retention or the topic was recreated: copy again and start from what there is",
            underlying: text,
            coordinates: .init(topic: topic, partition: partition, asked: asked, first: first, end: end))
    }

    // MARK: Offsets

    /// Commits offsets (of the next record to read), with `notes` beside them. Offsets of partitions that are not ours,
    /// or lost, are left out and returned. Asynchronously the answer is a `.committed` event of a later poll;
    /// synchronously it is waited for up to `timeout` seconds, and an error is thrown: groupActive when the group no
    /// longer knows this member, fenced when another has its instance id.
    @discardableResult
    public func commit(
        _ offsets: [Int32: Int64], notes: [Int32: String] = [:], synchronously: Bool, timeout: Double = 10
    ) throws(LogError) -> [Int32] {
        guard !closed else { throw LogError(.closed, "the consumer of topic \(topic) is closed") }
        let mine = offsets.filter { owned.contains($0.key) && $0.value >= 0 }
        let left = offsets.keys.filter { mine[$0] == nil }.sorted()
        guard !mine.isEmpty else { return left }
        let list = PartitionList(topic, mine, notes: notes)
        let doing = "committing offsets of topic \(topic)"
        guard synchronously else {
            let err = rd_kafka_commit(rk, list.list, 1)
            guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: doing) }
            return left
        }
        // librdkafka's own synchronous commit knows no timeout.
        guard let queue = rd_kafka_queue_new(rk) else { throw LogError(.fatal, "\(doing): no memory") }
        defer { rd_kafka_queue_destroy(queue) }
        let err = rd_kafka_commit_queue(rk, list.list, queue, nil, nil)
        guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: doing) }
        let milliseconds = Deadline(seconds: timeout).milliseconds
        guard let event = rd_kafka_queue_poll(queue, max(1, milliseconds)) else {
            throw LogError(RD_KAFKA_RESP_ERR__TIMED_OUT, doing: doing)
        }
        defer { rd_kafka_event_destroy(event) }
        let answer = rd_kafka_event_error(event)
        if answer == RD_KAFKA_RESP_ERR__NO_OFFSET { return left }
        guard answer == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(answer, doing: doing) }
        if let result = rd_kafka_event_topic_partition_list(event), let failure = PartitionList.failure(result) {
            throw LogError(failure.err, doing: "\(doing) [\(failure.partition)]")
        }
        return left
    }

    /// The group's committed offsets, for starts in ``LogConsumerDelegate/assigned(_:)``; partitions without are
    /// left out.
    public func committed(_ partitions: [Int32], timeout: Double = 10) throws(LogError) -> [Int32: CommittedOffset] {
        let deadline = Deadline(seconds: timeout)
        while true {
            let list = PartitionList(topic, partitions)
            var err = rd_kafka_committed(rk, list.list, max(1, deadline.milliseconds))
            if err == RD_KAFKA_RESP_ERR_NO_ERROR { err = list.failure?.err ?? err }
            if err == RD_KAFKA_RESP_ERR_NO_ERROR { return list.committed }
            guard LogError.isRetriable(err), !deadline.isOver else {
                throw LogError(err, doing: "reading the committed offsets of topic \(topic)")
            }
        }
    }

    /// First offset and end of each partition, as ``LogAdmin/watermarks(_:partitions:timeout:)``.
    public func watermarks(
        _ partitions: [Int32], timeout: Double = 10
    ) throws(LogError) -> [Int32: (low: Int64, high: Int64)] {
        let deadline = Deadline(seconds: timeout)
        let doing = "reading the first and last offsets of topic \(topic)"
        func list(_ time: Int64) throws(LogError) -> [Int32: Int64] {
            try listOffsets(rk, topic: topic, partitions: partitions, time: time, deadline: deadline, doing: doing)
        }
        let low = try list(firstOffset)
        let high = try list(endOffset)
        return Dictionary(
            uniqueKeysWithValues: low.compactMap { entry in
                high[entry.key].map { (entry.key, (low: entry.value, high: $0)) }
            })
    }

    /// The offset after the last record taken, past control records that were met; partitions of which nothing came
    /// are left out.
    /// For display only: neither a commit nor "caught up" may be derived from it, as records taken are not records
    /// applied.
    public func position() -> [Int32: Int64] {
        let list = PartitionList(topic, Array(owned))
        guard rd_kafka_position(rk, list.list) == RD_KAFKA_RESP_ERR_NO_ERROR else { return [:] }
        return list.offsets.filter { $0.value >= 0 }
    }

    // MARK: Assignment

    /// Starts the partitions: forwarding first, then fetching.
    func assign(_ starts: [Int32: Int64]) throws(LogError) {
        for partition in starts.keys {
            guard let queue = rd_kafka_queue_get_partition(rk, topic, partition) else {
                throw LogError(.missingTopic, "topic \(topic) has no partition \(partition); look at the topic")
            }
            rd_kafka_queue_forward(queue, data)
            rd_kafka_queue_destroy(queue)
        }
        let list = PartitionList(topic, starts)
        let doing = "starting to read topic \(topic)"
        if Self.isCooperative(rk) {
            if let error = rd_kafka_incremental_assign(rk, list.list) {
                defer { rd_kafka_error_destroy(error) }
                throw LogError(rd_kafka_error_code(error), doing: doing)
            }
            owned.formUnion(starts.keys)
            return
        }
        let err = rd_kafka_assign(rk, list.list)
        guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: doing) }
        owned = Set(starts.keys)
    }

    /// Whether partitions come and go a few at a time.
    static func isCooperative(_ rk: OpaquePointer) -> Bool {
        rd_kafka_rebalance_protocol(rk).map { String(cString: $0) } == "COOPERATIVE"
    }

    func unassign(_ partitions: [Int32]) {
        if Self.isCooperative(rk) {
            owned.subtract(partitions)
            let list = PartitionList(topic, partitions)
            if let error = rd_kafka_incremental_unassign(rk, list.list) { rd_kafka_error_destroy(error) }
        } else {
            owned = []
            rd_kafka_assign(rk, nil)
        }
    }

    // MARK: Membership

    /// What librdkafka goes by, in milliseconds: a member unheard of for `session` is out of the group, as is one that has
    /// not polled for `poll`; heartbeats are sent every `heartbeat`.
    public var timeouts: (session: Int, heartbeat: Int, poll: Int) {
        func number(_ name: String) -> Int? {
            var text = ErrorText()
            var size = text.bytes.count
            let result = rd_kafka_conf_get(rd_kafka_conf(rk), name, &text.bytes, &size)
            return result == RD_KAFKA_CONF_OK ? Int(text.string) : nil
        }
        return (
            number("session.timeout.ms") ?? 45_000, number("heartbeat.interval.ms") ?? 3000,
            number("max.poll.interval.ms") ?? 300_000
        )
    }

    /// Leaves the group (the delegate is told of the revocation) and gives everything back, in about `seconds` at
    /// most. All records
    /// must have been released. False when the broker or a thread did not end in time: it then ends in the background.
    @discardableResult
    public func close(seconds: Double = 10) -> Bool {
        guard !closed else { return true }
        let deadline = Deadline(seconds: seconds)
        if let queue = rd_kafka_queue_new(rk) {
            if let error = rd_kafka_consumer_close_queue(rk, queue) {
                rd_kafka_error_destroy(error)
            } else {
                var message: UnsafeMutablePointer<rd_kafka_message_t>?
                while rd_kafka_consumer_closed(rk) == 0, !deadline.isOver {
                    // Serves the rebalance callback; what comes out is an error of the closing.
                    if rd_kafka_consume_batch_queue(queue, min(100, deadline.milliseconds), &message, 1) == 1 {
                        rd_kafka_message_destroy(message)
                    }
                }
            }
            rd_kafka_queue_destroy(queue)
        }
        gate.withLock { $0 = true }
        owned = []
        target.consumer = nil
        while let stray = strays.popLast() { stray.release() }
        rd_kafka_queue_destroy(data)
        rd_kafka_queue_destroy(main)
        return handle.destroy(
            flags: RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE, seconds: max(1, Double(deadline.milliseconds) / 1000))
    }

    deinit { close(seconds: 5) }
}

/// The text of an error message, which librdkafka gives as a borrowed pointer.
private func rd_kafka_message_errstr_safe(_ message: rd_kafka_message_t) -> String {
    var message = message
    return rd_kafka_message_errstr(&message).map { String(cString: $0) } ?? ""
}

import CLibrdkafka
import Synchronization

/// Reads one topic.
///
/// **One thread.** Only ``wake()`` may be called from any thread. One thread, the poll thread, makes all other calls.
///
/// **Two queues.** librdkafka is fast only when records are taken in batches. But up to 2.0.2 it loses records when a
/// rebalance, a pause or a seek happens while a batch is taken. So the two are kept apart. The records of all
/// partitions are forwarded to a queue of our own (`data`), and only batches are taken from it. Rebalances and errors
/// come through librdkafka's main queue, which the poll thread serves between two batches. The rebalance callback sets
/// the forwarding with `rd_kafka_queue_forward` before the assignment starts to fetch. That call marks the partition's
/// queue as forwarded by the application, so that the start of the fetch leaves it alone. A revocation clears the mark,
/// and the next assignment sets it again. Records of an earlier assignment may still be in `data`; librdkafka drops
/// them itself, because their version is outdated.
///
/// **Back-pressure.** A caller whose buffers are full polls with `paused: true`. Then callbacks are served and the
/// member stays in the group, but no record is taken. No partition is paused in librdkafka, because resuming skips
/// records before 2.1. librdkafka prefetches at most `queued.max.messages.kbytes` (by default 8 MiB for all partitions
/// together, because they share one queue) and one fetch response per broker (`fetch.max.bytes`).
///
/// `@unchecked Sendable`: the caller keeps the rule of one thread. It hands the consumer to that thread once.
package final class LogConsumer: @unchecked Sendable {
    package enum Mode: Sendable {
        /// As a member of the group of the settings. The group decides which partitions this member has.
        case group
        /// These partitions from these offsets, without a group.
        case assigned([Int32: Int64])
    }

    let topic: String
    let handle: KafkaHandle
    let target: ConsumerTarget
    /// The queue of the records.
    let data: OpaquePointer
    private let main: OpaquePointer
    private let mode: Mode
    var closed: Bool { gate.withLock { $0 } }
    /// True when the consumer is closed. ``wake()`` holds the lock, so that the queues still exist.
    private let gate = Mutex(false)
    private let woken = Atomic<Bool>(false)
    /// Records that came through the main queue, where none should come. They go into the next batch.
    private let strays = MessageList()
    /// The partitions that this consumer has now. Offsets of others are not committed.
    var owned: Set<Int32> = []
    /// The next poll that has no records to give throws this.
    var pending: LogError?
    /// Whether a record or the end of a partition has ever come. From then on failed connections end nothing: they may
    /// come back.
    var served = false
    private var refill: RefillNudge

    var rk: OpaquePointer { handle.rk }

    /// Makes the client. It connects with the first poll.
    package init(
        settings: KafkaSettings, topic: String, mode: Mode, delegate: (any LogConsumerDelegate)? = nil,
        log: @escaping KafkaLogSink = { _ in }
    ) throws(LogError) {
        (self.topic, self.mode) = (topic, mode)
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
        (self.data, self.main) = (data, main)
        refill = RefillNudge(rk: handle.rk, settings: settings)
        // So that consumer_poll also serves callbacks and errors of connections.
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

    /// Takes records until `batch` holds `maximum` of them, puts what else happened into its events, and serves
    /// callbacks. It clears the events first. `timeoutMs`: how long to wait for the first record, in milliseconds.
    /// `paused`: takes no record.
    ///
    /// Throws the error that ends the reading: `startDeleted`, `missingTopic`, `authentication`, `fatal`, or the error
    /// that the delegate threw. It gives the records before that error first.
    package func poll(
        into batch: RecordBatch, maximum: Int = .max, timeoutMs: Int32 = 100, paused: Bool = false
    ) throws(LogError) {
        batch.events.removeAll(keepingCapacity: true)
        guard !closed else { throw LogError(.closed, "the consumer of topic \(topic) is closed") }
        serve(batch, timeoutMs: paused && !takeWake() ? timeoutMs : 0)
        batch.events.append(contentsOf: target.takeEvents())
        if !paused, pending == nil {
            let before = batch.count
            while batch.count < min(maximum, batch.capacity), let stray = strays.takeFirst() { batch.append(stray) }
            batch.take(from: data, maximum: maximum) { self.sort($0, into: batch) }
            // With a timeout librdkafka waits until the batch is full. So this waits for one record only.
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

    /// Ends a poll that is waiting. May be called from any thread.
    package func wake() {
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
            let owned = OwnedMessage(LogMessage(message))
            // All records are forwarded, so none should come here. If one does, it is kept.
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                strays.append(owned)
            } else {
                sort(message.pointee, into: batch)
            }
        }
        if !served, pending == nil {
            pending = handle.context.hopeless(doing: "reading topic \(topic)")
        }
    }

    /// Leaves the group and frees the client, in about `seconds` at most. The delegate is told of the revocation. All
    /// records must have been released. False when the broker or a thread needs longer; then it ends in the background.
    @discardableResult
    package func close(seconds: Double = 10) -> Bool {
        guard !closed else { return true }
        let deadline = Deadline(seconds: seconds)
        if let queue = rd_kafka_queue_new(rk) {
            if let error = rd_kafka_consumer_close_queue(rk, queue) {
                rd_kafka_error_destroy(error)
            } else {
                var message: UnsafeMutablePointer<rd_kafka_message_t>?
                while rd_kafka_consumer_closed(rk) == 0, !deadline.isOver {
                    // This serves the rebalance callback. A message that comes out is an error of the closing.
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
        strays.removeAll()
        rd_kafka_queue_destroy(data)
        rd_kafka_queue_destroy(main)
        return handle.destroy(
            flags: RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE, seconds: max(1, Double(deadline.milliseconds) / 1000))
    }

    deinit { close(seconds: 5) }
}

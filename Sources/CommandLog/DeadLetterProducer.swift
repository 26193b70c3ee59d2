import Basics
import CLibrdkafka
import Foundation
import JSONText
import Synchronization

/// Writes dead letters to Kafka. It is idempotent, waits for all replicas, and reports each record by its token. May be
/// used from several threads.
package final class DeadLetterProducer: Sendable {
    /// Is called once for every record that ``send(topic:key:value:headers:token:partition:timestamp:waitMs:)`` has
    /// taken, on the producer's thread.
    package typealias Delivered = @Sendable (_ token: UInt64, _ error: LogError?) -> Void

    private let handle: KafkaHandle
    private let target: ProducerTarget
    private let stopped = DispatchSemaphore(value: 0)

    package init(
        settings: KafkaSettings, delivered: @escaping Delivered, log: @escaping KafkaLogSink = { _ in }
    ) throws(LogError) {
        target = ProducerTarget(context: HandleContext(settings: settings, sink: log), delivered: delivered)
        let defaults = [
            ("linger.ms", "5"), ("partitioner", "murmur2_random"), ("compression.type", "lz4"),
            // A dead letter is as large as its record, so only the limit of the topic shall count.
            ("message.max.bytes", "104857600"),
        ]
        handle = try KafkaHandle(
            RD_KAFKA_PRODUCER, settings: settings,
            ours: defaults.filter { settings.passthrough[$0.0] == nil } + [
                ("enable.idempotence", "true"), ("acks", "all"),
            ],
            target: target, configure: ProducerTarget.register)
        let thread = Thread { [target, handle, stopped] in
            while !target.stopping.load(ordering: .relaxed) { rd_kafka_poll(handle.rk, 100) }
            stopped.signal()
        }
        thread.name = "dead-letters"
        thread.start()
    }

    /// Queues one record. Key and value are copied; nil means null. False when the queue stayed full for `waitMs`
    /// milliseconds: then the record was not taken, and the caller tries again. Throws when the record can never be
    /// sent (too large, unknown topic) or the producer cannot go on.
    package func send(
        topic: String, key: Bytes?, value: Bytes?, headers: [(String, [UInt8]?)] = [], token: UInt64,
        partition: Int32? = nil, timestamp: Int64? = nil, waitMs: Int = 1000
    ) throws(LogError) -> Bool {
        let deadline = Deadline(seconds: Double(waitMs) / 1000)
        while true {
            let err = enqueue(topic, key, value, headers, token, partition, timestamp)
            if err == RD_KAFKA_RESP_ERR_NO_ERROR { return true }
            guard err == RD_KAFKA_RESP_ERR__QUEUE_FULL else {
                throw LogError(err, doing: "writing to topic \(topic)", text: fatalText(err))
            }
            if deadline.isOver { return false }
            Thread.sleep(forTimeInterval: 0.005)
        }
    }

    private func enqueue(
        _ topic: String, _ key: Bytes?, _ value: Bytes?, _ headers: [(String, [UInt8]?)], _ token: UInt64,
        _ partition: Int32?, _ timestamp: Int64?
    ) -> rd_kafka_resp_err_t {
        var list: OpaquePointer?
        if !headers.isEmpty {
            list = rd_kafka_headers_new(headers.count)
            for (name, content) in headers {
                guard let content else {
                    _ = rd_kafka_header_add(list, name, -1, nil, 0)
                    continue
                }
                content.withUnsafeBytes {
                    // -1 means that the name ends with a zero. An empty value needs an address, because nil means null.
                    _ = rd_kafka_header_add(list, name, -1, $0.baseAddress ?? Self.nothing, $0.count)
                }
            }
        }
        target.sent.add(1, ordering: .relaxed)
        let err = crossfade_produce(
            handle.rk, topic, partition ?? Int32(RD_KAFKA_PARTITION_UA), Self.start(key), key?.count ?? 0,
            Self.start(value), value?.count ?? 0, timestamp ?? 0, list, token)
        if err != RD_KAFKA_RESP_ERR_NO_ERROR {
            target.sent.subtract(1, ordering: .relaxed)
            if let list { rd_kafka_headers_destroy(list) }
        }
        return err
    }

    /// An address for empty bytes, because librdkafka takes nil as null. Nobody reads or writes there.
    nonisolated(unsafe) private static let nothing = UnsafeRawPointer(
        UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1))

    private static func start(_ bytes: Bytes?) -> UnsafeRawPointer? {
        guard let bytes else { return nil }
        return bytes.baseAddress.map { UnsafeRawPointer($0) } ?? nothing
    }

    private func fatalText(_ err: rd_kafka_resp_err_t) -> String? {
        guard err == RD_KAFKA_RESP_ERR__FATAL else { return nil }
        var text = ErrorText()
        rd_kafka_fatal_error(handle.rk, &text.bytes, text.bytes.count)
        return handle.context.redact(text.string)
    }

    /// How many records were taken but not yet reported.
    package var inFlight: Int { target.sent.load(ordering: .relaxed) }

    /// Waits at most `seconds` until every record is reported. True when all are.
    package func flush(seconds: Double) -> Bool {
        let deadline = Deadline(seconds: seconds)
        while inFlight > 0 {
            if deadline.isOver { return false }
            Thread.sleep(forTimeInterval: 0.002)
        }
        return true
    }

    /// Flushes and ends. Records without an answer after `seconds` are reported as failed.
    @discardableResult
    package func close(seconds: Double = 10) -> Bool {
        guard !target.stopping.load(ordering: .relaxed) else { return true }
        let flushed = flush(seconds: seconds)
        target.stopping.store(true, ordering: .relaxed)
        stopped.wait()
        if !flushed {
            rd_kafka_purge(handle.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
            while rd_kafka_poll(handle.rk, 50) > 0 {}
        }
        return handle.destroy(seconds: 5) && flushed
    }

    deinit { close(seconds: 0) }
}

/// Receives the delivery reports. `@unchecked Sendable`: all its state is constant or atomic.
private final class ProducerTarget: CallbackTarget, @unchecked Sendable {
    let sent = Atomic<Int>(0)
    let stopping = Atomic<Bool>(false)
    private let delivered: DeadLetterProducer.Delivered

    init(context: HandleContext, delivered: @escaping DeadLetterProducer.Delivered) {
        self.delivered = delivered
        super.init(context: context)
    }

    static func register(_ conf: OpaquePointer) {
        rd_kafka_conf_set_dr_msg_cb(conf) { _, message, opaque in
            guard let message else { return }
            CallbackContext.object(opaque, as: ProducerTarget.self)?.report(message.pointee)
        }
    }

    private func report(_ message: rd_kafka_message_t) {
        let token = UInt64(UInt(bitPattern: message._private))
        if message.err == RD_KAFKA_RESP_ERR_NO_ERROR {
            delivered(token, nil)
        } else {
            let topic = message.rkt.flatMap { rd_kafka_topic_name($0) }.map { String(cString: $0) } ?? "?"
            delivered(
                token, LogError(message.err, doing: "writing to topic \(topic)", text: context.lastTransportError))
        }
        sent.subtract(1, ordering: .relaxed)
    }
}

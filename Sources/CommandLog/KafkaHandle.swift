import CLibrdkafka
import Foundation
import Synchronization

/// A log line of librdkafka.
public struct KafkaLogLine: Sendable {
    /// syslog's: 0 emergency to 7 debug.
    public var level: Int
    /// librdkafka's facility, for instance `FAIL` or `REBALANCE`.
    public var facility: String
    public var text: String
}

/// Where librdkafka's log lines go. Called from librdkafka's threads: must be quick and may not call Kafka.
public typealias KafkaLogSink = @Sendable (KafkaLogLine) -> Void

/// What the callbacks of one client share: the log sink and the last errors of its connections.
final class HandleContext: Sendable {
    private struct Errors {
        var authentication: String?
        var tls: String?
        var transport: String?
    }

    private let errors = Mutex(Errors())
    private let settings: KafkaSettings
    let sink: KafkaLogSink

    init(settings: KafkaSettings, sink: @escaping KafkaLogSink) {
        self.settings = settings
        self.sink = sink
    }

    func redact(_ text: String) -> String { settings.redact(text) }

    func log(_ level: Int, _ facility: String, _ text: String) {
        // Recipe properties go to consumers and producers alike; that one of them ignores some is as meant.
        if facility == "CONFWARN", text.contains("will be ignored by") { return }
        sink(KafkaLogLine(level: level, facility: facility, text: redact(text)))
    }

    /// An error of a connection, as librdkafka's error callback tells it.
    func connectionFailed(_ err: rd_kafka_resp_err_t, _ reason: String) {
        let reason = redact(reason)
        log(4, "ERROR", reason)
        errors.withLock {
            switch err {
            case RD_KAFKA_RESP_ERR__AUTHENTICATION: $0.authentication = reason
            case RD_KAFKA_RESP_ERR__SSL: $0.tls = reason
            case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN: $0.transport = $0.transport ?? reason
            default: $0.transport = reason
            }
        }
    }

    /// An error that no waiting will cure.
    func hopeless(doing: String) -> LogError? {
        let (authentication, tls) = errors.withLock { ($0.authentication, $0.tls) }
        if let authentication {
            return LogError(RD_KAFKA_RESP_ERR__AUTHENTICATION, doing: doing, text: authentication)
        }
        return tls.map { LogError(RD_KAFKA_RESP_ERR__SSL, doing: doing, text: $0) }
    }

    /// The last thing a connection died of.
    var lastTransportError: String? { errors.withLock { $0.transport } }

    func forgetErrors() { errors.withLock { $0 = Errors() } }
}

/// One client of librdkafka.
///
/// `@unchecked Sendable` because librdkafka's handle may be used from any thread; it is given back exactly once, by
/// ``destroy(flags:seconds:)`` or deinit, after which nobody can reach it.
final class KafkaHandle: @unchecked Sendable {
    let rk: OpaquePointer
    let context: HandleContext
    private let destroyed = Atomic<Bool>(false)

    /// A client of `type` with `ours` over the passthrough properties. `optional` are properties that only later
    /// librdkafkas know. `target` is what every callback gets as its opaque; `configure` may set further callbacks.
    init(
        _ type: rd_kafka_type_t, settings: KafkaSettings, ours: [(String, String)], optional: [(String, String)] = [],
        target: CallbackTarget, configure: (OpaquePointer) -> Void = { _ in }
    ) throws(LogError) {
        let fault = settings.validate().first
        if let fault {
            throw LogError(.invalidSetting, "commands.kafka: \(fault.message)")
        }
        guard let conf = rd_kafka_conf_new() else { throw LogError(.fatal, "librdkafka: no memory") }
        var text = ErrorText()
        let defaults = [("client.id", "crossfade"), ("log.connection.close", "false")]
            .filter { settings.passthrough[$0.0] == nil }
        let all =
            defaults + optional + settings.passthrough.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            + [("bootstrap.servers", settings.bootstrap)] + ours
        for (key, value) in all {
            let result = rd_kafka_conf_set(conf, key, value, &text.bytes, text.bytes.count)
            if result == RD_KAFKA_CONF_OK { continue }
            if result == RD_KAFKA_CONF_UNKNOWN, optional.contains(where: { $0.0 == key }) { continue }
            rd_kafka_conf_destroy(conf)
            throw LogError(
                .invalidSetting, "Kafka property \(key) was not accepted", underlying: settings.redact(text.string))
        }
        rd_kafka_conf_set_opaque(conf, Unmanaged.passUnretained(target).toOpaque())
        rd_kafka_conf_set_log_cb(conf) { rk, level, facility, buffer in
            guard let rk, let opaque = rd_kafka_opaque(rk), let buffer else { return }
            Unmanaged<CallbackTarget>.fromOpaque(opaque).takeUnretainedValue().context.log(
                Int(level), facility.map { String(cString: $0) } ?? "", String(cString: buffer))
        }
        rd_kafka_conf_set_error_cb(conf) { _, err, reason, opaque in
            guard let opaque else { return }
            Unmanaged<CallbackTarget>.fromOpaque(opaque).takeUnretainedValue().context.connectionFailed(
                rd_kafka_resp_err_t(rawValue: err), reason.map { String(cString: $0) } ?? "")
        }
        configure(conf)
        guard let rk = rd_kafka_new(type, conf, &text.bytes, text.bytes.count) else {
            rd_kafka_conf_destroy(conf)
            throw LogError(
                .invalidSetting, "the Kafka client cannot be made from these properties",
                underlying: settings.redact(text.string))
        }
        self.rk = rk
        context = target.context
        self.target = target
    }

    /// Kept as long as callbacks can come.
    private let target: CallbackTarget

    /// Gives the client back, waiting at most `seconds` for its threads. False when it did not end in time: it then
    /// goes
    /// on ending in the background, and what the callbacks need is kept for it.
    @discardableResult
    func destroy(flags: Int32 = 0, seconds: Double = 5) -> Bool {
        guard !destroyed.exchange(true, ordering: .sequentiallyConsistent) else { return true }
        let done = DispatchSemaphore(value: 0)
        let keep = target
        nonisolated(unsafe) let rk = rk
        let thread = Thread {
            rd_kafka_destroy_flags(rk, flags)
            withExtendedLifetime(keep) {}
            done.signal()
        }
        thread.name = "kafka-destroy"
        thread.start()
        return done.wait(timeout: .now() + seconds) == .success
    }

    deinit { destroy() }
}

/// What librdkafka's callbacks get as their opaque pointer; clients with more callbacks subclass it.
///
/// `@unchecked Sendable` because the base holds only a Sendable constant and each subclass says its own rule.
class CallbackTarget: @unchecked Sendable {
    let context: HandleContext

    init(context: HandleContext) { self.context = context }
}

/// A point in time not to go beyond.
struct Deadline {
    private let end: ContinuousClock.Instant

    init(seconds: Double) { end = .now + .milliseconds(Int64(max(0, min(seconds, 1e6)) * 1000)) }

    /// Milliseconds left, at least 0.
    var milliseconds: Int32 {
        let left = ContinuousClock.now.duration(to: end).components
        let total = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
        return Int32(clamping: max(0, total))
    }

    var isOver: Bool { milliseconds == 0 }
}

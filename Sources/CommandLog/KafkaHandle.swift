import Basics
import CLibrdkafka
import Foundation
import Synchronization

/// One client of librdkafka.
///
/// `@unchecked Sendable`: librdkafka's handle may be used from any thread. ``destroy(flags:seconds:)`` or `deinit`
/// frees it exactly once.
final class KafkaHandle: @unchecked Sendable {
    let rk: OpaquePointer
    let context: HandleContext
    private let destroyed = Atomic<Bool>(false)

    /// Makes a client. `ours`: properties that go before those of the recipe. `optional`: properties that may be
    /// unknown to this librdkafka. `target`: receives the callbacks. `configure`: may set further callbacks. Throws
    /// `invalidSetting`.
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
        rd_kafka_conf_set_opaque(conf, CallbackContext.borrowed(target))
        rd_kafka_conf_set_log_cb(conf) { rk, level, facility, buffer in
            guard let rk, let buffer else { return }
            CallbackContext.object(rd_kafka_opaque(rk), as: CallbackTarget.self)?.context.log(
                Int(level), facility.map { String(cString: $0) } ?? "", String(cString: buffer))
        }
        rd_kafka_conf_set_error_cb(conf) { _, err, reason, opaque in
            CallbackContext.object(opaque, as: CallbackTarget.self)?.context.connectionFailed(
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

    /// Kept alive as long as callbacks can come.
    private let target: CallbackTarget

    /// Frees the client and waits at most `seconds` for its threads. False when they need longer. Then they end in the
    /// background, and the target of the callbacks is kept alive until they have.
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

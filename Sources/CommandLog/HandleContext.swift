import CLibrdkafka
import Synchronization

/// The state that the callbacks of one client share: the log sink and the last errors of its connections.
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
        (self.settings, self.sink) = (settings, sink)
    }

    func redact(_ text: String) -> String { settings.redact(text) }

    func log(_ level: Int, _ facility: String, _ text: String) {
        // The recipe's properties go to consumers and producers. It is no fault that one of them ignores some.
        if facility == "CONFWARN", text.contains("will be ignored by") { return }
        // These lines quote what the recipe says, which may come from a variable.
        let text = facility == "CONFWARN" ? settings.redactAll(text) : redact(text)
        sink(KafkaLogLine(level: level, facility: facility, text: text))
    }

    /// Remembers and logs an error of a connection, from librdkafka's error callback.
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

    /// The error that ends all hope: refused credentials or a failed TLS handshake. Nil when there was none.
    func hopeless(doing: String) -> LogError? {
        let (authentication, tls) = errors.withLock { ($0.authentication, $0.tls) }
        if let authentication {
            return LogError(RD_KAFKA_RESP_ERR__AUTHENTICATION, doing: doing, text: authentication)
        }
        return tls.map { LogError(RD_KAFKA_RESP_ERR__SSL, doing: doing, text: $0) }
    }

    /// Why a connection failed last.
    var lastTransportError: String? { errors.withLock { $0.transport } }

    func forgetErrors() { errors.withLock { $0 = Errors() } }
}

/// Receives librdkafka's callbacks, which get it as their opaque pointer. Clients with more callbacks subclass it.
///
/// `@unchecked Sendable`: this class holds only a Sendable constant. Each subclass gives its own reason.
class CallbackTarget: @unchecked Sendable {
    let context: HandleContext

    init(context: HandleContext) { self.context = context }
}

/// A call to Kafka that failed. The message says what happened, to which topic, partition or broker, and what to do.
///
/// It never holds a secret: ``HandleContext/redact(_:)`` takes secrets out of librdkafka's texts.
package struct LogError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// No broker could be reached.
        case unreachable
        /// The brokers refuse the credentials.
        case authentication
        /// The TLS handshake failed: certificate, host name or protocol.
        case tls
        /// The credentials are good, but not for this topic or group.
        case authorization
        /// The broker cannot answer this request: it is too old, or a simulation.
        case unsupported
        /// The topic or the partition does not exist.
        case missingTopic
        /// The offset at which to start is not in the log; see ``LogError/coordinates``.
        case startDeleted
        /// The group has members, so its offsets cannot be set from outside.
        case groupActive
        /// The broker did not answer in time.
        case timedOut
        /// A Kafka property of the recipe, or a start offset, cannot be used.
        case invalidSetting
        /// Another process has taken this member's `group.instance.id`.
        case fenced
        /// The client cannot go on. The process must make a new one.
        case fatal
        /// The consumer or producer was closed.
        case closed
        /// The broker refused for another reason; see ``LogError/underlying``.
        case refused
    }

    /// Where it happened, for ``Code/startDeleted``.
    package struct Coordinates: Sendable, Equatable {
        package var topic: String
        package var partition: Int32
        /// The offset asked for.
        package var asked: Int64
        /// The first offset that the log has; nil when the broker gave no answer.
        package var first: Int64?
        /// The end of the partition; nil when the broker gave no answer.
        package var end: Int64?
    }

    package var code: Code
    package var message: String
    /// The words of librdkafka or of the broker.
    package var underlying: String?
    /// Whether the same call may succeed later, without anybody changing something.
    package var retriable: Bool
    package var coordinates: Coordinates?

    package init(
        _ code: Code, _ message: String, underlying: String? = nil, retriable: Bool = false,
        coordinates: Coordinates? = nil
    ) {
        (self.code, self.message, self.underlying, self.retriable) = (code, message, underlying, retriable)
        self.coordinates = coordinates
    }

    /// Whether the broker can be reached, but cannot or may not answer. Asking again would not help.
    package var isUnanswerable: Bool { code == .authorization || code == .unsupported }

    package var description: String { underlying.map { "\(message) (\($0))" } ?? message }
}

import CLibrdkafka

/// What went wrong with the command log: what happened, to which topic, partition or broker, and what to do.
///
/// Never holds a secret: texts of librdkafka go through ``HandleContext/redact(_:)`` first.
public struct LogError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable {
        /// No broker could be reached.
        case unreachable
        /// The brokers refuse the credentials.
        case authentication
        /// The TLS handshake failed: certificate, host name or protocol.
        case tls
        /// The credentials are good, but not for this topic or group.
        case authorization
        /// The broker does not know how to answer: it is too old, or a simulation.
        case unsupported
        /// The topic, or a partition of it, is not there (any more).
        case missingTopic
        /// The log does not reach back (or not far enough) to the offset asked for; see ``LogError/coordinates``.
        case startDeleted
        /// The group has members, so its offsets cannot be set from outside.
        case groupActive
        /// The broker did not answer in time.
        case timedOut
        /// A property of the recipe's `kafka` section, or the start a caller gave, is not usable.
        case invalidSetting
        /// Another process has taken this member's `group.instance.id`.
        case fenced
        /// The client can go no further; the process must make a new one.
        case fatal
        /// The consumer or producer was closed.
        case closed
        /// The broker said no for another reason, given in ``LogError/underlying``.
        case refused
    }

    /// Where, for ``Code/startDeleted``.
    public struct Coordinates: Sendable, Equatable {
        public var topic: String
        public var partition: Int32
        /// The offset asked for.
        public var asked: Int64
        /// The first offset that is there; nil when the broker could not be asked.
        public var first: Int64?
        /// The end of the partition; nil when the broker could not be asked.
        public var end: Int64?
    }

    public var code: Code
    public var message: String
    /// librdkafka's or the broker's own words.
    public var underlying: String?
    /// Whether the same call can succeed later without a change by a human.
    public var retriable: Bool
    public var coordinates: Coordinates?

    public init(
        _ code: Code, _ message: String, underlying: String? = nil, retriable: Bool = false,
        coordinates: Coordinates? = nil
    ) {
        self.code = code
        self.message = message
        self.underlying = underlying
        self.retriable = retriable
        self.coordinates = coordinates
    }

    /// Whether the broker can be reached and cannot, or may not, tell: asking again would give the same.
    public var isUnanswerable: Bool { code == .authorization || code == .unsupported }

    public var description: String { underlying.map { "\(message) (\($0))" } ?? message }
}

extension LogError {
    /// The error for `err`, met while `doing`, for instance "reading the committed offsets of group g".
    init(_ err: rd_kafka_resp_err_t, doing: String, text: String? = nil) {
        let words = [text, String(cString: rd_kafka_err2str(err))].compactMap { $0 }.first { !$0.isEmpty }
        switch err {
        case RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
            self.init(
                .timedOut, "\(doing): no answer in time; the broker is slow or gone, try again or allow more time",
                underlying: words, retriable: true)
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
            self.init(
                .authentication, "\(doing): the brokers refuse the credentials; check the recipe's sasl properties",
                underlying: words)
        case RD_KAFKA_RESP_ERR__SSL:
            self.init(.tls, "\(doing): no TLS connection; check the recipe's ssl properties", underlying: words)
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            self.init(
                .authorization, "\(doing): the credentials are not allowed to; grant the topic and group to them",
                underlying: words)
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
            self.init(
                .missingTopic,
                "\(doing): the topic or partition does not exist; check its name and the bootstrap "
                    + "address, or create it", underlying: words)
        case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP,
            RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
            self.init(
                .groupActive, "\(doing): the group has members; stop them first", underlying: words, retriable: true)
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE:
            self.init(
                .unreachable, "\(doing): no broker can be reached; check the bootstrap address and the network",
                underlying: words, retriable: true)
        case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION,
            RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
            self.init(.unsupported, "\(doing): the brokers cannot answer this", underlying: words)
        case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
            self.init(
                .fenced,
                "\(doing): another process of the group has the same group.instance.id and has taken this one's place; "
                    + "give each process an id of its own, and start again only what is to run", underlying: words)
        case RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR__FENCED:
            self.init(.fatal, "\(doing): the client can go no further; start again", underlying: words)
        default:
            self.init(.refused, "\(doing): refused", underlying: words, retriable: Self.isRetriable(err))
        }
    }

    /// Errors that go away by themselves: leader elections, coordinators that move or load.
    static func isRetriable(_ err: rd_kafka_resp_err_t) -> Bool {
        switch err {
        case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
            RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
            RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS:
            true
        default: false
        }
    }
}

import CLibrdkafka

// What librdkafka's error codes mean.
extension LogError {
    /// The error for librdkafka's code `err`. `doing`: for instance "reading the committed offsets of group g".
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
            self.init(
                .tls,
                "\(doing): no TLS connection; check the recipe's ssl properties, and that the port expects TLS "
                    + "(security.protocol)", underlying: words)
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
                .unreachable,
                "\(doing): no broker can be reached; check the bootstrap address and the network"
                    + Self.protocolHint(words),
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
            self.init(.fatal, "\(doing): the client cannot go on; start again", underlying: words)
        default:
            self.init(.refused, "\(doing): refused", underlying: words, retriable: Self.isRetriable(err))
        }
    }

    /// A broker that expects TLS, or none, or a login, hangs up on a client that does not, and says nothing.
    private static func protocolHint(_ words: String?) -> String {
        guard words?.contains("Connection refused") != true, words?.contains("resolve") != true else { return "" }
        return ", and that the recipe's security.protocol is what that port expects (PLAINTEXT, SSL, SASL_PLAINTEXT "
            + "or SASL_SSL)"
    }

    /// Whether an error goes away by itself, as during an election of a leader or while a coordinator moves.
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

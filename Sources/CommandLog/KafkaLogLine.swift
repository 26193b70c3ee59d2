/// A log line of librdkafka.
public struct KafkaLogLine: Sendable {
    /// The level as in syslog: 0 (emergency) to 7 (debug).
    public var level: Int
    /// librdkafka's name for the kind of line, for instance `FAIL` or `REBALANCE`.
    public var facility: String
    public var text: String
}

/// Takes librdkafka's log lines. It is called on librdkafka's threads: it must be quick and must not call Kafka.
public typealias KafkaLogSink = @Sendable (KafkaLogLine) -> Void

/// A log line of librdkafka.
package struct KafkaLogLine: Sendable {
    /// The level as in syslog: 0 (emergency) to 7 (debug).
    package var level: Int
    /// librdkafka's name for the kind of line, for instance `FAIL` or `REBALANCE`.
    package var facility: String
    package var text: String
}

/// Takes librdkafka's log lines. It is called on librdkafka's threads: it must be quick and must not call Kafka.
package typealias KafkaLogSink = @Sendable (KafkaLogLine) -> Void

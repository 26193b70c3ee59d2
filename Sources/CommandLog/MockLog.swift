import CLibrdkafka
import Synchronization

/// librdkafka's broker inside the process, for tests, benchmarks and the demo.
///
/// A partition keeps only its last 5 MiB (older batches go silently, which is also how a deleted start is made). It
/// knows
/// no transactions' markers, no compaction, no offsets by time, no topics made by request, no description of
/// groups. A topic that is asked about is made, with 4 partitions. A group takes 3 s to form, and after a member
/// left as long as
/// the session timeout less a second: so clients should use ``settings(group:)``.
///
/// `@unchecked Sendable` because librdkafka's mock cluster may be called from any thread.
public final class MockLog: @unchecked Sendable {
    private let handle: KafkaHandle
    private let cluster: OpaquePointer

    /// A cluster of `brokers`; topics are made with ``createTopic(_:partitions:)``.
    public init(brokers: Int = 1, log: @escaping KafkaLogSink = { _ in }) throws(LogError) {
        let settings = KafkaSettings(bootstrap: "", group: "mock")
        handle = try KafkaHandle(
            RD_KAFKA_PRODUCER, settings: settings, ours: [],
            target: CallbackTarget(context: HandleContext(settings: settings, sink: log)))
        guard let cluster = rd_kafka_mock_cluster_new(handle.rk, Int32(clamping: max(1, brokers))) else {
            throw LogError(.fatal, "the mock cluster did not start")
        }
        self.cluster = cluster
    }

    /// Addresses, as ``KafkaSettings/bootstrap`` wants them; another process on this machine can use them too.
    public var bootstrap: String {
        rd_kafka_mock_cluster_bootstraps(cluster).map { String(cString: $0) } ?? ""
    }

    /// Settings of a client, with a session timeout that lets groups form again soon; less than the 3 s, and none
    /// forms.
    public func settings(group: String) -> KafkaSettings {
        KafkaSettings(
            bootstrap: bootstrap, group: group,
            passthrough: ["session.timeout.ms": "4000", "heartbeat.interval.ms": "200"])
    }

    public func createTopic(_ name: String, partitions: Int) throws(LogError) {
        let err = rd_kafka_mock_topic_create(cluster, name, Int32(clamping: partitions), 1)
        guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: "creating topic \(name)") }
    }

    /// The next `count` requests of that kind (Kafka's ApiKey) fail with `error` (Kafka's error code).
    public func fail(apiKey: Int16, error: Int32, count: Int) {
        let errors = [rd_kafka_resp_err_t](repeating: rd_kafka_resp_err_t(rawValue: error), count: max(0, count))
        rd_kafka_mock_push_request_errors_array(cluster, apiKey, errors.count, errors)
    }

    /// Cuts a broker (1 and on) off, or lets it serve again.
    public func setBroker(_ id: Int32, up: Bool) {
        _ = up ? rd_kafka_mock_broker_set_up(cluster, id) : rd_kafka_mock_broker_set_down(cluster, id)
    }

    /// Every answer of the broker takes `milliseconds` longer.
    public func setDelay(_ milliseconds: Int32, broker: Int32) {
        _ = rd_kafka_mock_broker_set_rtt(cluster, broker, milliseconds)
    }

    public func close() {
        guard !closed.exchange(true, ordering: .sequentiallyConsistent) else { return }
        rd_kafka_mock_cluster_destroy(cluster)
        handle.destroy()
    }

    private let closed = Atomic<Bool>(false)

    deinit { close() }
}

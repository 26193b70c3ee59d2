import CLibrdkafka
import Synchronization

/// librdkafka's broker inside the process, for tests, benchmarks and the demo.
///
/// A partition keeps only its last 5 MiB. Older batches disappear silently; tests make a deleted start that way. The
/// broker knows no transaction markers, no compaction and no offsets by time. Clients cannot create topics or describe
/// groups. A topic that a client asks about is created, with 4 partitions. A group needs 3 s to form. After a member
/// has left, it needs the session timeout less a second, so clients should use ``settings(group:)``.
///
/// `@unchecked Sendable`: librdkafka's mock cluster may be called from any thread.
package final class MockLog: @unchecked Sendable {
    private let handle: KafkaHandle
    private let cluster: OpaquePointer

    /// Starts a cluster with that many brokers and no topics.
    package init(brokers: Int = 1, log: @escaping KafkaLogSink = { _ in }) throws(LogError) {
        let settings = KafkaSettings(bootstrap: "", group: "mock")
        handle = try KafkaHandle(
            RD_KAFKA_PRODUCER, settings: settings, ours: [],
            target: CallbackTarget(context: HandleContext(settings: settings, sink: log)))
        guard let cluster = rd_kafka_mock_cluster_new(handle.rk, Int32(clamping: max(1, brokers))) else {
            throw LogError(.fatal, "the mock cluster did not start")
        }
        self.cluster = cluster
    }

    /// The addresses of the brokers, for ``KafkaSettings/bootstrap``. Other processes on this machine can use them too.
    package var bootstrap: String {
        rd_kafka_mock_cluster_bootstraps(cluster).map { String(cString: $0) } ?? ""
    }

    /// Settings for a client. The session timeout is short, so that a group forms again soon. With less than 3 s no
    /// group would form.
    package func settings(group: String) -> KafkaSettings {
        KafkaSettings(
            bootstrap: bootstrap, group: group,
            passthrough: ["session.timeout.ms": "4000", "heartbeat.interval.ms": "200"])
    }

    package func createTopic(_ name: String, partitions: Int) throws(LogError) {
        let err = rd_kafka_mock_topic_create(cluster, name, Int32(clamping: partitions), 1)
        guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: "creating topic \(name)") }
    }

    /// Makes the next `count` requests of a kind fail. `apiKey` and `error` are Kafka's numbers.
    package func fail(apiKey: Int16, error: Int32, count: Int) {
        let errors = [rd_kafka_resp_err_t](repeating: rd_kafka_resp_err_t(rawValue: error), count: max(0, count))
        rd_kafka_mock_push_request_errors_array(cluster, apiKey, errors.count, errors)
    }

    /// Stops or starts a broker. `id`: from 1.
    package func setBroker(_ id: Int32, up: Bool) {
        _ = up ? rd_kafka_mock_broker_set_up(cluster, id) : rd_kafka_mock_broker_set_down(cluster, id)
    }

    /// Delays every answer of a broker by `milliseconds`.
    package func setDelay(_ milliseconds: Int32, broker: Int32) {
        _ = rd_kafka_mock_broker_set_rtt(cluster, broker, milliseconds)
    }

    package func close() {
        guard !closed.exchange(true, ordering: .sequentiallyConsistent) else { return }
        rd_kafka_mock_cluster_destroy(cluster)
        handle.destroy()
    }

    private let closed = Atomic<Bool>(false)

    deinit { close() }
}

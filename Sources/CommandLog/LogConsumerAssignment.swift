import CLibrdkafka

// Which partitions a consumer has, and how long the group waits for it.
extension LogConsumer {
    /// Starts to read partitions. The forwarding must be set before the fetch starts.
    func assign(_ starts: [Int32: Int64]) throws(LogError) {
        for partition in starts.keys {
            guard let queue = rd_kafka_queue_get_partition(rk, topic, partition) else {
                throw LogError(.missingTopic, "topic \(topic) has no partition \(partition); look at the topic")
            }
            rd_kafka_queue_forward(queue, data)
            rd_kafka_queue_destroy(queue)
        }
        let list = PartitionList(topic, starts)
        let doing = "starting to read topic \(topic)"
        if Self.isCooperative(rk) {
            if let error = rd_kafka_incremental_assign(rk, list.list) {
                defer { rd_kafka_error_destroy(error) }
                throw LogError(rd_kafka_error_code(error), doing: doing)
            }
            owned.formUnion(starts.keys)
            return
        }
        let err = rd_kafka_assign(rk, list.list)
        guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: doing) }
        owned = Set(starts.keys)
    }

    /// Whether the group uses cooperative rebalancing, in which partitions come and go a few at a time.
    static func isCooperative(_ rk: OpaquePointer) -> Bool {
        rd_kafka_rebalance_protocol(rk).map { String(cString: $0) } == "COOPERATIVE"
    }

    func unassign(_ partitions: [Int32]) {
        if Self.isCooperative(rk) {
            owned.subtract(partitions)
            let list = PartitionList(topic, partitions)
            if let error = rd_kafka_incremental_unassign(rk, list.list) { rd_kafka_error_destroy(error) }
        } else {
            owned = []
            rd_kafka_assign(rk, nil)
        }
    }

    /// The timeouts of the group, in milliseconds. A member sends a heartbeat every `heartbeat`. A member that sends
    /// none for `session`, or does not poll for `poll`, is removed from the group.
    package var timeouts: (session: Int, heartbeat: Int, poll: Int) {
        func number(_ name: String) -> Int? {
            var text = ErrorText()
            var size = text.bytes.count
            let result = rd_kafka_conf_get(rd_kafka_conf(rk), name, &text.bytes, &size)
            return result == RD_KAFKA_CONF_OK ? Int(text.string) : nil
        }
        return (
            number("session.timeout.ms") ?? 45_000, number("heartbeat.interval.ms") ?? 3000,
            number("max.poll.interval.ms") ?? 300_000
        )
    }
}

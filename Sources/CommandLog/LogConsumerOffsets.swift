import CLibrdkafka

// Offsets of the partitions that a consumer has.
extension LogConsumer {
    /// Commits offsets: per partition, the offset of the next record to read. `notes` are stored beside them. Returns
    /// the partitions that were left out, because this consumer does not have them or has lost them.
    ///
    /// Asynchronously the answer is a `.committed` event of a later poll. Synchronously this waits up to `timeout`
    /// seconds and throws: `groupActive` when the group no longer knows this member, `fenced` when another process has
    /// its instance id.
    @discardableResult
    package func commit(
        _ offsets: [Int32: Int64], notes: [Int32: String] = [:], synchronously: Bool, timeout: Double = 10
    ) throws(LogError) -> [Int32] {
        guard !closed else { throw LogError(.closed, "the consumer of topic \(topic) is closed") }
        let mine = offsets.filter { owned.contains($0.key) && $0.value >= 0 }
        let left = offsets.keys.filter { mine[$0] == nil }.sorted()
        guard !mine.isEmpty else { return left }
        let list = PartitionList(topic, mine, notes: notes)
        let doing = "committing offsets of topic \(topic)"
        guard synchronously else {
            let err = rd_kafka_commit(rk, list.list, 1)
            guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: doing) }
            return left
        }
        // librdkafka's own synchronous commit has no timeout.
        guard let queue = rd_kafka_queue_new(rk) else { throw LogError(.fatal, "\(doing): no memory") }
        defer { rd_kafka_queue_destroy(queue) }
        let err = rd_kafka_commit_queue(rk, list.list, queue, nil, nil)
        guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: doing) }
        let milliseconds = Deadline(seconds: timeout).milliseconds
        guard let event = rd_kafka_queue_poll(queue, max(1, milliseconds)) else {
            throw LogError(RD_KAFKA_RESP_ERR__TIMED_OUT, doing: doing)
        }
        defer { rd_kafka_event_destroy(event) }
        let answer = rd_kafka_event_error(event)
        if answer == RD_KAFKA_RESP_ERR__NO_OFFSET { return left }
        guard answer == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(answer, doing: doing) }
        if let result = rd_kafka_event_topic_partition_list(event), let failure = PartitionList.failure(result) {
            throw LogError(failure.err, doing: "\(doing) [\(failure.partition)]")
        }
        return left
    }

    /// The offsets that the group has committed, by partition. Partitions without one are left out. Waits up to
    /// `timeout` seconds.
    package func committed(_ partitions: [Int32], timeout: Double = 10) throws(LogError) -> [Int32: CommittedOffset] {
        let deadline = Deadline(seconds: timeout)
        while true {
            let list = PartitionList(topic, partitions)
            var err = rd_kafka_committed(rk, list.list, max(1, deadline.milliseconds))
            if err == RD_KAFKA_RESP_ERR_NO_ERROR { err = list.failure?.err ?? err }
            if err == RD_KAFKA_RESP_ERR_NO_ERROR { return list.committed }
            guard LogError.isRetriable(err), !deadline.isOver else {
                throw LogError(err, doing: "reading the committed offsets of topic \(topic)")
            }
        }
    }

    /// The first offset and the end of each partition; see ``LogAdmin/watermarks(_:partitions:timeout:)``.
    package func watermarks(
        _ partitions: [Int32], timeout: Double = 10
    ) throws(LogError) -> [Int32: (low: Int64, high: Int64)] {
        let deadline = Deadline(seconds: timeout)
        let doing = "reading the first and last offsets of topic \(topic)"
        func list(_ time: Int64) throws(LogError) -> [Int32: Int64] {
            try listOffsets(rk, topic: topic, partitions: partitions, time: time, deadline: deadline, doing: doing)
        }
        let low = try list(firstOffset)
        let high = try list(endOffset)
        return Dictionary(
            uniqueKeysWithValues: low.compactMap { entry in
                high[entry.key].map { (entry.key, (low: entry.value, high: $0)) }
            })
    }

    /// The offset behind the last record that was taken, and behind control records, by partition. Partitions from
    /// which nothing has come are left out. Only for display: a record that was taken is not yet applied, so this must
    /// decide neither a commit (promise P2) nor "caught up" (P8).
    package func position() -> [Int32: Int64] {
        let list = PartitionList(topic, Array(owned))
        guard rd_kafka_position(rk, list.list) == RD_KAFKA_RESP_ERR_NO_ERROR else { return [:] }
        return list.offsets.filter { $0.value >= 0 }
    }
}

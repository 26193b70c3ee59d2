import CLibrdkafka

// The offsets of consumer groups.
extension LogAdmin {
    /// The offsets that a group has committed, by partition. Partitions without one are left out.
    ///
    /// A client of that group asks, without joining it. The Admin API is no help: ListConsumerGroupOffsets and
    /// AlterConsumerGroupOffsets of librdkafka 2.0.2 crash when the coordinator of the group is not ready, as on a
    /// cluster that has never had a group.
    package func committed(
        group: String, topic: String, partitions: [Int32], timeout: Double = 10
    ) throws(LogError) -> [Int32: Int64] {
        try committedOffsets(group: group, topic: topic, partitions: partitions, timeout: timeout)
            .mapValues(\.offset)
    }

    /// The same with the note beside each offset.
    package func committedOffsets(
        group: String, topic: String, partitions: [Int32], timeout: Double = 10
    ) throws(LogError) -> [Int32: CommittedOffset] {
        guard !partitions.isEmpty else { return [:] }
        let doing = "reading the offsets of group \(group) in topic \(topic)"
        return try asGroup(group, doing: doing, timeout: timeout) { (client, deadline) throws(LogError) in
            let list = PartitionList(topic, partitions)
            try Self.check(rd_kafka_committed(client, list.list, max(1, deadline.milliseconds)), list, doing: doing)
            return list.committed
        }
    }

    /// Sets the offsets of a group. Throws ``LogError/Code/groupActive`` when the group has members.
    package func commit(
        group: String, topic: String, offsets: [Int32: Int64], notes: [Int32: String] = [:], timeout: Double = 10
    ) throws(LogError) {
        guard !offsets.isEmpty else { return }
        let doing = "setting the offsets of group \(group) in topic \(topic)"
        try asGroup(group, doing: doing, timeout: timeout) { (client, _) throws(LogError) in
            let list = PartitionList(topic, offsets, notes: notes)
            try Self.check(rd_kafka_commit(client, list.list, 0), list, doing: doing)
        }
    }

    private static func check(
        _ err: rd_kafka_resp_err_t, _ list: borrowing PartitionList, doing: String
    ) throws(LogError) {
        guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: doing) }
        if let failure = list.failure { throw LogError(failure.err, doing: "\(doing) [\(failure.partition)]") }
    }

    private func asGroup<Answer>(
        _ group: String, doing: String, timeout: Double,
        _ body: (_ client: OpaquePointer, _ deadline: Deadline) throws(LogError) -> Answer
    ) throws(LogError) -> Answer {
        let deadline = Deadline(seconds: timeout)
        try connect(deadline)
        let client = try takeClient(of: group)
        // What went wrong may stay with the client: the next question gets another one.
        var isGood = false
        defer { giveBack(client, of: group, isGood: isGood) }
        while true {
            do throws(LogError) {
                // In steps of 2 s: librdkafka does not stop asking for a coordinator, even when the credentials do not
                // allow it.
                let step = Deadline(seconds: min(2, Double(deadline.milliseconds) / 1000))
                let answer = try body(client.rk, step)
                isGood = true
                return answer
            } catch {
                if let refusal = Self.refusal(client.rk) { throw LogError(refusal, doing: doing) }
                guard error.retriable, error.code != .groupActive, !deadline.isOver else { throw error }
                rd_kafka_poll(client.rk, 100)
            }
        }
    }

    /// A client that asks as the group, without joining it. Nobody else has it until it is given back.
    private func takeClient(of group: String) throws(LogError) -> KafkaHandle {
        if let client = groups.withLock({ $0.removeValue(forKey: group) }) { return client }
        return try KafkaHandle(
            RD_KAFKA_CONSUMER, settings: settings,
            ours: [("group.id", group), ("enable.auto.commit", "false"), ("allow.auto.create.topics", "false")],
            target: CallbackTarget(context: HandleContext(settings: settings, sink: handle.context.sink)))
    }

    private func giveBack(_ client: KafkaHandle, of group: String, isGood: Bool) {
        let isKept = groups.withLock { groups in
            guard isGood, groups[group] == nil else { return false }
            groups[group] = client
            return true
        }
        if !isKept { client.destroy(flags: RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE) }
    }

    /// The answer of the brokers that the credentials may not use the group; nil when no broker said so.
    private static func refusal(_ client: OpaquePointer) -> rd_kafka_resp_err_t? {
        while let message = rd_kafka_consumer_poll(client, 0) {
            defer { rd_kafka_message_destroy(message) }
            let err = message.pointee.err
            if err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED { return err }
        }
        return nil
    }
}

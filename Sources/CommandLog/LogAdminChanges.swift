import CLibrdkafka

extension LogAdmin {
    /// The group's committed offsets; partitions without one are left out.
    ///
    /// Asked by a client of that group that does not join it: the Admin API's ListConsumerGroupOffsets and
    /// AlterConsumerGroupOffsets of librdkafka 2.0.2 crash when the group's coordinator is not ready, as on a cluster that
    /// has never had a group.
    public func committed(
        group: String, topic: String, partitions: [Int32], timeout: Double = 10
    ) throws(LogError) -> [Int32: Int64] {
        try committedOffsets(group: group, topic: topic, partitions: partitions, timeout: timeout)
            .mapValues(\.offset)
    }

    /// The same with what was said beside each offset.
    public func committedOffsets(
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

    /// Sets the offsets of a group that has no members; ``LogError/Code/groupActive`` when it has.
    public func commit(
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
        let client = try KafkaHandle(
            RD_KAFKA_CONSUMER, settings: settings,
            ours: [("group.id", group), ("enable.auto.commit", "false"), ("allow.auto.create.topics", "false")],
            target: CallbackTarget(context: HandleContext(settings: settings, sink: handle.context.sink)))
        defer { client.destroy(flags: RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE) }
        while true {
            do throws(LogError) {
                // In steps, because librdkafka goes on asking for a coordinator that the credentials may not know of.
                let step = Deadline(seconds: min(2, Double(deadline.milliseconds) / 1000))
                return try body(client.rk, step)
            } catch {
                if let refusal = Self.refusal(client.rk) { throw LogError(refusal, doing: doing) }
                guard error.retriable, error.code != .groupActive, !deadline.isOver else { throw error }
                rd_kafka_poll(client.rk, 100)
            }
        }
    }

    /// What the brokers have said of the group's coordinator, if it is that the credentials may not use the group.
    private static func refusal(_ client: OpaquePointer) -> rd_kafka_resp_err_t? {
        while let message = rd_kafka_consumer_poll(client, 0) {
            defer { rd_kafka_message_destroy(message) }
            let err = message.pointee.err
            if err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED { return err }
        }
        return nil
    }

    /// Whether the group has members just now. A group that does not exist has none.
    public func groupHasMembers(_ group: String, timeout: Double = 10) throws(LogError) -> Bool {
        let doing = "looking at group \(group)"
        return try retrying(doing: doing, timeout: timeout) { (options, queue, next) throws(LogError) in
            let name = group.utf8CString
            let event = try name.withUnsafeBufferPointer { text throws(LogError) in
                var names: UnsafePointer<CChar>? = text.baseAddress
                rd_kafka_DescribeConsumerGroups(self.handle.rk, &names, 1, options, queue)
                return try next(RD_KAFKA_EVENT_DESCRIBECONSUMERGROUPS_RESULT)
            }
            defer { rd_kafka_event_destroy(event) }
            var count = 0
            guard let groups = rd_kafka_DescribeConsumerGroups_result_groups(event, &count), count > 0,
                let described = groups[0]
            else { return false }
            let err = rd_kafka_error_code(rd_kafka_ConsumerGroupDescription_error(described))
            if err == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND { return false }
            guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: doing) }
            return rd_kafka_ConsumerGroupDescription_member_count(described) > 0
        }
    }

    /// Makes a topic. False when it was there already. `replication` nil: the brokers' default.
    @discardableResult
    public func createTopic(
        _ name: String, partitions: Int, replication: Int? = nil, config: [String: String] = [:], timeout: Double = 15
    ) throws(LogError) -> Bool {
        let doing = "creating topic \(name)"
        var text = ErrorText()
        guard
            let topic = rd_kafka_NewTopic_new(
                name, Int32(clamping: partitions), Int32(clamping: replication ?? -1), &text.bytes, text.bytes.count)
        else { throw LogError(.invalidSetting, "\(doing): not possible", underlying: text.string) }
        defer { rd_kafka_NewTopic_destroy(topic) }
        for (key, value) in config { rd_kafka_NewTopic_set_config(topic, key, value) }
        let deadline = Deadline(seconds: timeout)
        let isNew = try retrying(doing: doing, timeout: timeout) { (options, queue, next) throws(LogError) in
            var request: OpaquePointer? = topic
            rd_kafka_CreateTopics(self.handle.rk, &request, 1, options, queue)
            let event = try next(RD_KAFKA_EVENT_CREATETOPICS_RESULT)
            defer { rd_kafka_event_destroy(event) }
            var count = 0
            guard let results = rd_kafka_CreateTopics_result_topics(event, &count), count > 0, let result = results[0]
            else { throw LogError(.refused, "\(doing): the broker gave no answer for it") }
            let err = rd_kafka_topic_result_error(result)
            if err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS { return false }
            guard err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                let why = rd_kafka_topic_result_error_string(result).map { String(cString: $0) }
                throw LogError(err, doing: doing, text: why)
            }
            return true
        }
        if isNew { try awaitTopic(name, deadline) }
        return isNew
    }

    /// The controller makes a topic before every broker has heard of it.
    private func awaitTopic(_ name: String, _ deadline: Deadline) throws(LogError) {
        while true {
            do throws(LogError) {
                _ = try describe(name, timeout: max(1, Double(deadline.milliseconds) / 1000))
                return
            } catch {
                guard error.code == .missingTopic, !deadline.isOver else { throw error }
                rd_kafka_poll(handle.rk, 50)
            }
        }
    }

    /// Deletes a topic and its records, for good. False when there was none.
    @discardableResult public func deleteTopic(_ name: String, timeout: Double = 15) throws(LogError) -> Bool {
        let doing = "deleting topic \(name)"
        return try retrying(doing: doing, timeout: timeout) { (options, queue, next) throws(LogError) in
            var request = rd_kafka_DeleteTopic_new(name)
            guard let topic = request else { throw LogError(.fatal, "\(doing): no memory") }
            defer { rd_kafka_DeleteTopic_destroy(topic) }
            rd_kafka_DeleteTopics(self.handle.rk, &request, 1, options, queue)
            let event = try next(RD_KAFKA_EVENT_DELETETOPICS_RESULT)
            defer { rd_kafka_event_destroy(event) }
            var count = 0
            guard let results = rd_kafka_DeleteTopics_result_topics(event, &count), count > 0, let result = results[0]
            else { throw LogError(.refused, "\(doing): the broker gave no answer for it") }
            let err = rd_kafka_topic_result_error(result)
            if err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART { return false }
            guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: doing) }
            return true
        }
    }

    /// Deletes a group's offsets. False when there was none of that name; ``LogError/Code/groupActive`` when it has
    /// members.
    @discardableResult public func deleteGroup(_ name: String, timeout: Double = 15) throws(LogError) -> Bool {
        let doing = "deleting group \(name)"
        return try retrying(doing: doing, timeout: timeout) { (options, queue, next) throws(LogError) in
            var request = rd_kafka_DeleteGroup_new(name)
            guard let group = request else { throw LogError(.fatal, "\(doing): no memory") }
            defer { rd_kafka_DeleteGroup_destroy(group) }
            rd_kafka_DeleteGroups(self.handle.rk, &request, 1, options, queue)
            let event = try next(RD_KAFKA_EVENT_DELETEGROUPS_RESULT)
            defer { rd_kafka_event_destroy(event) }
            var count = 0
            guard let results = rd_kafka_DeleteGroups_result_groups(event, &count), count > 0, let result = results[0]
            else { throw LogError(.refused, "\(doing): the broker gave no answer for it") }
            let err = rd_kafka_error_code(rd_kafka_group_result_error(result))
            if err == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND { return false }
            guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: doing) }
            return true
        }
    }

    /// Deletes the records before the offsets given, for good.
    public func deleteRecords(_ topic: String, before offsets: [Int32: Int64], timeout: Double = 15) throws(LogError) {
        let doing = "deleting records of topic \(topic)"
        try retrying(doing: doing, timeout: timeout) { (options, queue, next) throws(LogError) in
            let list = PartitionList(topic, offsets)
            var request: OpaquePointer? = rd_kafka_DeleteRecords_new(list.list)
            defer { rd_kafka_DeleteRecords_destroy(request) }
            rd_kafka_DeleteRecords(self.handle.rk, &request, 1, options, queue)
            let event = try next(RD_KAFKA_EVENT_DELETERECORDS_RESULT)
            defer { rd_kafka_event_destroy(event) }
            if let result = rd_kafka_DeleteRecords_result_offsets(event), let failed = PartitionList.failure(result) {
                throw LogError(failed.err, doing: "\(doing) [\(failed.partition)]")
            }
        }
    }

    /// Waits for the event of the given type.
    typealias NextEvent = (rd_kafka_event_type_t) throws(LogError) -> OpaquePointer

    /// Runs one request of the Admin API, again as long as the answer is one that passes.
    func retrying<Answer>(
        doing: String, timeout: Double,
        _ request: (_ options: OpaquePointer?, _ queue: OpaquePointer, _ next: NextEvent) throws(LogError) -> Answer
    ) throws(LogError) -> Answer {
        let deadline = Deadline(seconds: timeout)
        try connect(deadline)
        try awaitController(doing: doing, deadline)
        while true {
            do {
                return try once(doing: doing, deadline: deadline, request)
            } catch {
                guard error.retriable, error.code == .refused, !deadline.isOver else { throw error }
                rd_kafka_poll(handle.rk, 100)
            }
        }
    }

    /// librdkafka sends such requests to the controller, and waits for it until time is up. Where none of the brokers is
    /// it for 2 s, as with the mock cluster, this says so instead. After an election one of them soon is.
    private func awaitController(doing: String, _ deadline: Deadline) throws(LogError) {
        let patience = Deadline(seconds: min(2, Double(deadline.milliseconds) / 1000))
        while true {
            var metadata: UnsafePointer<rd_kafka_metadata>?
            let err = rd_kafka_metadata(handle.rk, 0, nil, &metadata, max(1, deadline.milliseconds))
            guard err == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { throw failure(err, doing: doing) }
            defer { rd_kafka_metadata_destroy(metadata) }
            let controller = rd_kafka_controllerid(handle.rk, 0)
            let brokers = UnsafeBufferPointer(
                start: metadata.pointee.brokers, count: Int(max(0, metadata.pointee.broker_cnt)))
            if brokers.contains(where: { $0.id == controller }) { return }
            guard !patience.isOver else {
                throw LogError(
                    .unsupported,
                    "\(doing): none of the brokers is the cluster's controller, which alone can answer this")
            }
            rd_kafka_poll(handle.rk, 100)
        }
    }

    private func once<Answer>(
        doing: String, deadline: Deadline,
        _ request: (_ options: OpaquePointer?, _ queue: OpaquePointer, _ next: NextEvent) throws(LogError) -> Answer
    ) throws(LogError) -> Answer {
        guard let queue = rd_kafka_queue_new(handle.rk) else { throw LogError(.fatal, "\(doing): no memory") }
        defer { rd_kafka_queue_destroy(queue) }
        let options = rd_kafka_AdminOptions_new(handle.rk, RD_KAFKA_ADMIN_OP_ANY)
        defer { rd_kafka_AdminOptions_destroy(options) }
        var text = ErrorText()
        let milliseconds = max(100, deadline.milliseconds)
        rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, &text.bytes, text.bytes.count)
        return try request(options, queue) { (type) throws(LogError) in
            // The request's own timeout comes first; the second more is for its answer.
            let limit = Deadline(seconds: Double(milliseconds) / 1000 + 1)
            while !limit.isOver {
                rd_kafka_poll(self.handle.rk, 0)
                guard let event = rd_kafka_queue_poll(queue, min(limit.milliseconds, 200)) else { continue }
                guard rd_kafka_event_type(event) == type else {
                    rd_kafka_event_destroy(event)
                    continue
                }
                let err = rd_kafka_event_error(event)
                guard err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                    let why = rd_kafka_event_error_string(event).map { self.handle.context.redact(String(cString: $0)) }
                    rd_kafka_event_destroy(event)
                    throw LogError(err, doing: doing, text: why)
                }
                return event
            }
            throw self.failure(RD_KAFKA_RESP_ERR__TIMED_OUT, doing: doing)
        }
    }
}

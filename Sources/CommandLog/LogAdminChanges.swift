import CLibrdkafka

extension LogAdmin {

    /// Creates a topic. False when it exists already. `replication`: nil means the default of the brokers.
    @discardableResult
    package func createTopic(
        _ name: String, partitions: Int, replication: Int? = nil, config: [String: String] = [:], timeout: Double = 15
    ) throws(LogError) -> Bool {
        let deadline = Deadline(seconds: timeout)
        let isNew = try create(
            name, partitions: partitions, replication: replication, config: config, timeout: timeout, isTrial: false)
        if isNew { try awaitTopic(name, deadline) }
        return isNew
    }

    /// Throws what the creation of a topic would throw, and creates nothing. One that exists already throws nothing.
    package func tryToCreate(_ name: String, timeout: Double = 15) throws(LogError) {
        _ = try create(name, partitions: 1, replication: nil, config: [:], timeout: timeout, isTrial: true)
    }

    private func create(
        _ name: String, partitions: Int, replication: Int?, config: [String: String], timeout: Double, isTrial: Bool
    ) throws(LogError) -> Bool {
        let doing = "creating topic \(name)"
        var text = ErrorText()
        guard
            let topic = rd_kafka_NewTopic_new(
                name, Int32(clamping: partitions), Int32(clamping: replication ?? -1), &text.bytes, text.bytes.count)
        else { throw LogError(.invalidSetting, "\(doing): not possible", underlying: text.string) }
        defer { rd_kafka_NewTopic_destroy(topic) }
        for (key, value) in config { rd_kafka_NewTopic_set_config(topic, key, value) }
        return try retrying(doing: doing, timeout: timeout) { (options, queue, next) throws(LogError) in
            if isTrial {
                var text = ErrorText()
                let err = rd_kafka_AdminOptions_set_validate_only(options, 1, &text.bytes, text.bytes.count)
                // Without it the topic would be created.
                guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: doing, text: text.string) }
            }
            var request: OpaquePointer? = topic
            rd_kafka_CreateTopics(self.handle.rk, &request, 1, options, queue)
            let event = try next(RD_KAFKA_EVENT_CREATETOPICS_RESULT)
            defer { rd_kafka_event_destroy(event) }
            let result = try Self.first(rd_kafka_CreateTopics_result_topics, of: event, doing: doing)
            let err = rd_kafka_topic_result_error(result)
            if err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS { return false }
            guard err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                let why = rd_kafka_topic_result_error_string(result).map { String(cString: $0) }
                throw LogError(err, doing: doing, text: why)
            }
            return true
        }
    }

    /// Waits until the topic is known. The controller creates a topic before every broker has heard of it.
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

    /// Deletes a topic and its records. False when there is no such topic.
    @discardableResult package func deleteTopic(_ name: String, timeout: Double = 15) throws(LogError) -> Bool {
        let doing = "deleting topic \(name)"
        return try retrying(doing: doing, timeout: timeout) { (options, queue, next) throws(LogError) in
            var request = rd_kafka_DeleteTopic_new(name)
            guard let topic = request else { throw LogError(.fatal, "\(doing): no memory") }
            defer { rd_kafka_DeleteTopic_destroy(topic) }
            rd_kafka_DeleteTopics(self.handle.rk, &request, 1, options, queue)
            let event = try next(RD_KAFKA_EVENT_DELETETOPICS_RESULT)
            defer { rd_kafka_event_destroy(event) }
            let result = try Self.first(rd_kafka_DeleteTopics_result_topics, of: event, doing: doing)
            let err = rd_kafka_topic_result_error(result)
            if err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART { return false }
            guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: doing) }
            return true
        }
    }

    /// Deletes a group with its offsets. False when there is no such group. Throws ``LogError/Code/groupActive`` when
    /// it has members.
    @discardableResult package func deleteGroup(_ name: String, timeout: Double = 15) throws(LogError) -> Bool {
        let doing = "deleting group \(name)"
        return try retrying(doing: doing, timeout: timeout) { (options, queue, next) throws(LogError) in
            var request = rd_kafka_DeleteGroup_new(name)
            guard let group = request else { throw LogError(.fatal, "\(doing): no memory") }
            defer { rd_kafka_DeleteGroup_destroy(group) }
            rd_kafka_DeleteGroups(self.handle.rk, &request, 1, options, queue)
            let event = try next(RD_KAFKA_EVENT_DELETEGROUPS_RESULT)
            defer { rd_kafka_event_destroy(event) }
            let result = try Self.first(rd_kafka_DeleteGroups_result_groups, of: event, doing: doing)
            let err = rd_kafka_error_code(rd_kafka_group_result_error(result))
            if err == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND { return false }
            guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: doing) }
            return true
        }
    }

    /// Deletes the records of each partition that are before an offset.
    package func deleteRecords(_ topic: String, before offsets: [Int32: Int64], timeout: Double = 15) throws(LogError) {
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
}

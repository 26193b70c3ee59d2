import CLibrdkafka
import Glibc

// Messages of librdkafka that are not records.
extension LogConsumer {
    /// Handles a message that is not a record: the end of a partition, or an error.
    func sort(_ message: rd_kafka_message_t, into batch: RecordBatch) {
        let text = rd_kafka_message_errstr_safe(message)
        let doing = "reading topic \(topic)\(message.partition >= 0 ? " [\(message.partition)]" : "")"
        switch message.err {
        case RD_KAFKA_RESP_ERR__PARTITION_EOF:
            served = true
            batch.events.append(.endOfPartition(partition: message.partition, nextOffset: message.offset))
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
            guard pending == nil else { return }
            pending = startDeleted(message.partition, asked: message.offset, text: text)
        case RD_KAFKA_RESP_ERR__FATAL:
            var words = ErrorText()
            let err = rd_kafka_fatal_error(rk, &words.bytes, words.bytes.count)
            let said = handle.context.redact(words.string)
            pending =
                err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID
                ? LogError(err, doing: doing, text: said)
                : LogError(
                    .fatal, "\(doing): the client cannot go on (\(err.rawValue)); start again", underlying: said)
        case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
            pending = LogError(
                .groupActive,
                "\(doing): the group has members of another kind (another assignment strategy); use a "
                    + "group of its own, or stop them", underlying: text)
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            guard pending == nil else { return }
            guard isMissing(message.partition) else {
                return handle.context.log(4, "CONSUME", "\(doing): \(text); but it exists")
            }
            pending = LogError(message.err, doing: doing, text: text)
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
            RD_KAFKA_RESP_ERR__BAD_MSG, RD_KAFKA_RESP_ERR__BAD_COMPRESSION, RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED,
            RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED:
            pending = pending ?? LogError(message.err, doing: doing, text: text)
        default:
            handle.context.log(4, "CONSUME", "\(doing): \(text)")
        }
    }

    /// Whether the topic or the partition does not exist. It asks several times, because a broker that has just
    /// started, or has not heard of a new topic yet, says so too early.
    private func isMissing(_ partition: Int32) -> Bool {
        guard let local = rd_kafka_topic_new(rk, topic, nil) else { return true }
        defer { rd_kafka_topic_destroy(local) }
        for attempt in 0..<3 {
            if attempt > 0 { usleep(500_000) }
            var metadata: UnsafePointer<rd_kafka_metadata>?
            let err = rd_kafka_metadata(rk, 0, local, &metadata, 3000)
            // Without an answer nobody has said that it does not exist.
            guard err == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { return false }
            defer { rd_kafka_metadata_destroy(metadata) }
            guard metadata.pointee.topic_cnt > 0, let found = metadata.pointee.topics?[0] else { continue }
            let isThere = found.err == RD_KAFKA_RESP_ERR_NO_ERROR && found.partition_cnt > partition
            if isThere || LogError.isRetriable(found.err) { return false }
        }
        return true
    }

    private func startDeleted(_ partition: Int32, asked: Int64, text: String) -> LogError {
        let deadline = Deadline(seconds: 3)
        func look(_ time: Int64) -> Int64? {
            try? listOffsets(rk, topic: topic, partitions: [partition], time: time, deadline: deadline, doing: "")[
                partition]
        }
        let first = look(firstOffset)
        let end = look(endOffset)
        let known = "the log has \(first.map(String.init) ?? "?") to \(end.map(String.init) ?? "?")"
        return LogError(
            .startDeleted,
            "topic \(topic) [\(partition)]: offset \(asked) is not there (\(known)); records were deleted by "
                + "retention or the topic was recreated: copy again and start from what there is",
            underlying: text,
            coordinates: .init(topic: topic, partition: partition, asked: asked, first: first, end: end))
    }
}

/// The text of an error message.
private func rd_kafka_message_errstr_safe(_ message: rd_kafka_message_t) -> String {
    var message = message
    return rd_kafka_message_errstr(&message).map { String(cString: $0) } ?? ""
}

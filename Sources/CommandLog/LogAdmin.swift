import CLibrdkafka
import Synchronization

/// Asks the brokers about topics and groups, and changes them. Every call blocks its thread, at most `timeout` seconds.
/// May be used from several threads.
package final class LogAdmin: Sendable {
    let handle: KafkaHandle
    let settings: KafkaSettings
    private let reached = Mutex<Bool>(false)
    /// The clients that ask as a group, by its name. Each has connections of its own, and a command asks several times.
    let groups = Mutex<[String: KafkaHandle]>([:])

    /// Makes a client. It asks nothing yet, and never joins the group of the settings.
    package init(settings: KafkaSettings, log: @escaping KafkaLogSink = { _ in }) throws(LogError) {
        let settings = settings.withoutMembership
        self.settings = settings
        // A consumer, because a producer creates the topics that it asks about. It has no group, so it joins none.
        handle = try KafkaHandle(
            RD_KAFKA_CONSUMER, settings: settings, ours: [("allow.auto.create.topics", "false")],
            target: CallbackTarget(context: HandleContext(settings: settings, sink: log)))
    }

    /// Ends the client. No other call may follow.
    package func close() {
        let groups = groups.withLock { groups in
            defer { groups = [:] }
            return groups
        }
        for client in [handle] + groups.values { client.destroy(flags: RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE) }
    }

    /// Describes a topic. Throws ``LogError/Code/missingTopic`` when it does not exist.
    package func describe(_ topic: String, timeout: Double = 10) throws(LogError) -> TopicDescription {
        let deadline = Deadline(seconds: timeout)
        try connect(deadline)
        let doing = "looking at topic \(topic)"
        guard let local = rd_kafka_topic_new(handle.rk, topic, nil) else {
            throw LogError(rd_kafka_last_error(), doing: doing)
        }
        defer { rd_kafka_topic_destroy(local) }
        while true {
            var metadata: UnsafePointer<rd_kafka_metadata>?
            let err = rd_kafka_metadata(handle.rk, 0, local, &metadata, max(1, deadline.milliseconds))
            guard err == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { throw failure(err, doing: doing) }
            defer { rd_kafka_metadata_destroy(metadata) }
            let found = try read(metadata.pointee, topic: topic, doing: doing)
            if let found { return found }
            if deadline.isOver {
                throw LogError(
                    .timedOut, "\(doing): its partitions have no leader; look at the brokers", retriable: true)
            }
            rd_kafka_poll(handle.rk, 100)
        }
    }

    /// Nil while the topic is being created.
    private func read(_ metadata: rd_kafka_metadata, topic: String, doing: String) throws(LogError) -> TopicDescription?
    {
        guard metadata.topic_cnt > 0, let topics = metadata.topics else {
            throw LogError(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, doing: doing)
        }
        let found = topics[0]
        if LogError.isRetriable(found.err) { return nil }
        guard found.err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(found.err, doing: doing) }
        let parts = UnsafeBufferPointer(start: found.partitions, count: Int(max(0, found.partition_cnt)))
        let brokers = UnsafeBufferPointer(start: metadata.brokers, count: Int(max(0, metadata.broker_cnt)))
        let clusterID = rd_kafka_clusterid(handle.rk, 0).map { id in
            defer { rd_kafka_mem_free(handle.rk, id) }
            return String(cString: id)
        }
        return TopicDescription(
            topic: topic, partitions: parts.map(\.id).sorted(),
            leaders: Dictionary(parts.map { ($0.id, $0.leader) }) { first, _ in first },
            brokers: brokers.map { .init(id: $0.id, host: String(cString: $0.host), port: Int($0.port)) },
            clusterID: clusterID)
    }

    /// The first offset and the end of each partition. The end is the last stable offset, in front of the first open
    /// transaction, unless the recipe sets `isolation.level` to `read_uncommitted`.
    package func watermarks(
        _ topic: String, partitions: [Int32], timeout: Double = 10
    ) throws(LogError) -> [Int32: (low: Int64, high: Int64)] {
        let deadline = Deadline(seconds: timeout)
        try connect(deadline)
        let doing = "reading the first and last offsets of topic \(topic)"
        let low = try ask { () throws(LogError) in
            try listOffsets(
                handle.rk, topic: topic, partitions: partitions, time: firstOffset, deadline: deadline, doing: doing)
        }
        let high = try ask { () throws(LogError) in
            try listOffsets(
                handle.rk, topic: topic, partitions: partitions, time: endOffset, deadline: deadline, doing: doing)
        }
        var marks: [Int32: (low: Int64, high: Int64)] = [:]
        for partition in partitions {
            if let first = low[partition], let last = high[partition] { marks[partition] = (first, last) }
        }
        return marks
    }

    /// Per partition, the offset of the first record whose timestamp is `milliseconds` (since 1970) or later. Nil when
    /// there is none.
    package func offsets(
        _ topic: String, partitions: [Int32], forTimestamp milliseconds: Int64
    ) throws(LogError) -> [Int32: Int64?] {
        try offsets(topic, forTimestamps: Dictionary(partitions.map { ($0, milliseconds) }) { first, _ in first })
    }

    /// The same with a time of its own for each partition.
    package func offsets(
        _ topic: String, forTimestamps times: [Int32: Int64], timeout: Double = 10
    ) throws(LogError) -> [Int32: Int64?] {
        let deadline = Deadline(seconds: timeout)
        try connect(deadline)
        let found = try ask { () throws(LogError) in
            try listOffsets(
                handle.rk, topic: topic, times: times.mapValues { max(0, $0) }, deadline: deadline,
                doing: "looking for the offsets of a time in topic \(topic)")
        }
        return found.mapValues { $0 < 0 ? nil : $0 }
    }

    /// Waits until a broker answers, at most 8 s, so that a wrong address is reported soon. Throws at once when the
    /// credentials are refused or the TLS handshake fails.
    func connect(_ deadline: Deadline) throws(LogError) {
        rd_kafka_poll(handle.rk, 0)
        if reached.withLock({ $0 }) { return }
        let doing = "connecting to \(settings.bootstrap)"
        let deadline = Deadline(seconds: min(8, Double(deadline.milliseconds) / 1000))
        // The steps grow: errors are seen only between two steps, but a step must be long enough for a slow answer.
        var step: Int32 = 100
        repeat {
            var metadata: UnsafePointer<rd_kafka_metadata>?
            let err = rd_kafka_metadata(handle.rk, 0, nil, &metadata, max(1, min(step, deadline.milliseconds)))
            if let metadata { rd_kafka_metadata_destroy(metadata) }
            rd_kafka_poll(handle.rk, 0)
            if err == RD_KAFKA_RESP_ERR_NO_ERROR {
                reached.withLock { $0 = true }
                handle.context.forgetErrors()
                return
            }
            if let hopeless = handle.context.hopeless(doing: doing) { throw hopeless }
            step = min(step * 2, 3000)
        } while !deadline.isOver
        let why = handle.context.lastTransportError ?? "no answer"
        throw LogError(RD_KAFKA_RESP_ERR__TRANSPORT, doing: doing, text: why)
    }

    /// Runs `call`. When it times out, the error also says why a connection failed.
    func ask<Answer>(_ call: () throws(LogError) -> Answer) throws(LogError) -> Answer {
        do {
            return try call()
        } catch {
            rd_kafka_poll(handle.rk, 0)
            guard error.code == .timedOut, let why = handle.context.lastTransportError else { throw error }
            var error = error
            error.underlying = why
            throw error
        }
    }

    func failure(_ err: rd_kafka_resp_err_t, doing: String) -> LogError {
        rd_kafka_poll(handle.rk, 0)
        return LogError(
            err, doing: doing, text: err == RD_KAFKA_RESP_ERR__TIMED_OUT ? handle.context.lastTransportError : nil)
    }
}

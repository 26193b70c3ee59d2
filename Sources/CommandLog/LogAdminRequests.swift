import CLibrdkafka

// Requests of the Admin API.
extension LogAdmin {
    /// Waits for the event of a type, or throws. The caller destroys the event.
    typealias NextEvent = (rd_kafka_event_type_t) throws(LogError) -> OpaquePointer

    /// Runs a request of the Admin API. Repeats it as long as the answer is an error that goes away by itself.
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

    /// Waits until one of the brokers is the controller, at most 2 s, which is enough for an election. The mock cluster
    /// has none: then this throws `unsupported`, where librdkafka would wait for the controller until the timeout.
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
            // The timeout of the request ends first. Its answer may need another second.
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
    /// The first result of an answer, which the event owns. `list`: librdkafka's function that gives all results.
    static func first(
        _ list: (OpaquePointer?, UnsafeMutablePointer<Int>?) -> UnsafeMutablePointer<OpaquePointer?>?,
        of event: OpaquePointer, doing: String
    ) throws(LogError) -> OpaquePointer {
        var count = 0
        guard let results = list(event, &count), count > 0, let result = results[0] else {
            throw LogError(.refused, "\(doing): the answer of the broker is empty")
        }
        return result
    }
}

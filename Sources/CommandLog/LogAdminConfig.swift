import CLibrdkafka

extension LogAdmin {
    /// The configuration of a topic, with the defaults of the brokers: `cleanup.policy`, `retention.ms`, ... Values
    /// that the brokers keep secret are left out. The credentials need the right to describe the configuration.
    package func configuration(of topic: String, timeout: Double = 10) throws(LogError) -> [String: String] {
        let doing = "reading the configuration of topic \(topic)"
        return try retrying(doing: doing, timeout: timeout) { (options, queue, next) throws(LogError) in
            var request = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)
            guard let resource = request else { throw LogError(.fatal, "\(doing): no memory") }
            defer { rd_kafka_ConfigResource_destroy(resource) }
            rd_kafka_DescribeConfigs(self.handle.rk, &request, 1, options, queue)
            let event = try next(RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT)
            defer { rd_kafka_event_destroy(event) }
            let described = try Self.first(rd_kafka_DescribeConfigs_result_resources, of: event, doing: doing)
            let err = rd_kafka_ConfigResource_error(described)
            guard err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw LogError(err, doing: doing) }
            var found: [String: String] = [:]
            var entries = 0
            let list = rd_kafka_ConfigResource_configs(described, &entries)
            for at in 0..<entries {
                guard let entry = list?[at], let name = rd_kafka_ConfigEntry_name(entry),
                    let value = rd_kafka_ConfigEntry_value(entry)
                else { continue }
                found[String(cString: name)] = String(cString: value)
            }
            return found
        }
    }
}

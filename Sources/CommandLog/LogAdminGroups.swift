import CLibrdkafka

extension LogAdmin {
    /// Whether the group has members now. A group that does not exist has none.
    package func groupHasMembers(_ group: String, timeout: Double = 10) throws(LogError) -> Bool {
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

    /// The names of all consumer groups that the credentials may see, sorted. A broker that does not answer may make a
    /// group missing.
    package func groups(timeout: Double = 5) throws(LogError) -> [String] {
        let deadline = Deadline(seconds: timeout)
        let doing = "listing the consumer groups"
        try connect(deadline)
        var list: UnsafePointer<rd_kafka_group_list>?
        let err = rd_kafka_list_groups(handle.rk, nil, &list, max(1, deadline.milliseconds))
        defer { if let list { rd_kafka_group_list_destroy(list) } }
        guard err == RD_KAFKA_RESP_ERR_NO_ERROR || err == RD_KAFKA_RESP_ERR__PARTIAL, let list else {
            throw failure(err, doing: doing)
        }
        let groups = UnsafeBufferPointer(start: list.pointee.groups, count: Int(max(0, list.pointee.group_cnt)))
        return groups.filter { $0.err == RD_KAFKA_RESP_ERR_NO_ERROR }.compactMap {
            $0.group.map { String(cString: $0) }
        }.sorted()
    }
}

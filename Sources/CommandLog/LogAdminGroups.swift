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

    /// A member of a consumer group, as the brokers see it.
    package struct GroupMember: Sendable, Equatable {
        package var client: String
        package var host: String

        package init(client: String, host: String) { (self.client, self.host) = (client, host) }
    }

    /// The members that the group has now; empty: none, or there is no such group.
    package func members(of group: String, timeout: Double = 5) throws(LogError) -> [GroupMember] {
        try listed(group, doing: "looking at group \(group)", timeout: timeout) { group in
            UnsafeBufferPointer(start: group.members, count: Int(max(0, group.member_cnt))).map { member in
                GroupMember(
                    client: member.client_id.map { String(cString: $0) } ?? "",
                    host: member.client_host.map { String(cString: $0) } ?? "")
            }
        }.flatMap(\.self)
    }

    /// The names of all consumer groups that the credentials may see, sorted. A broker that does not answer may make a
    /// group missing.
    package func groups(timeout: Double = 5) throws(LogError) -> [String] {
        try listed(nil, doing: "listing the consumer groups", timeout: timeout) { group in
            group.group.map { String(cString: $0) }
        }.compactMap(\.self).sorted()
    }

    /// What `body` makes of every group without an error. `group`: only that one; nil: all.
    private func listed<Item>(
        _ group: String?, doing: String, timeout: Double, _ body: (rd_kafka_group_info) -> Item
    ) throws(LogError) -> [Item] {
        let deadline = Deadline(seconds: timeout)
        try connect(deadline)
        var list: UnsafePointer<rd_kafka_group_list>?
        let err = rd_kafka_list_groups(handle.rk, group, &list, max(1, deadline.milliseconds))
        defer { if let list { rd_kafka_group_list_destroy(list) } }
        guard err == RD_KAFKA_RESP_ERR_NO_ERROR || err == RD_KAFKA_RESP_ERR__PARTIAL, let list else {
            throw failure(err, doing: doing)
        }
        let groups = UnsafeBufferPointer(start: list.pointee.groups, count: Int(max(0, list.pointee.group_cnt)))
        return groups.filter { $0.err == RD_KAFKA_RESP_ERR_NO_ERROR }.map(body)
    }
}

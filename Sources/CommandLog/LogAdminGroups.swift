import CLibrdkafka

extension LogAdmin {
    /// Names of all consumer groups that the brokers know and let us see, in order. With several brokers some may not
    /// have answered: then a group may be missing.
    public func groups(timeout: Double = 5) throws(LogError) -> [String] {
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

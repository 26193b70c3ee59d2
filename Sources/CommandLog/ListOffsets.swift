import CLibrdkafka

/// Asks for offsets through ListOffsets: one request per broker. It keeps its timeout, which
/// `rd_kafka_query_watermark_offsets` does not before 2.3.
///
/// `time`: milliseconds since 1970, ``firstOffset`` or ``endOffset``.
func listOffsets(
    _ rk: OpaquePointer, topic: String, partitions: [Int32], time: Int64, deadline: Deadline, doing: String
) throws(LogError) -> [Int32: Int64] {
    try listOffsets(
        rk, topic: topic, times: Dictionary(partitions.map { ($0, time) }) { first, _ in first }, deadline: deadline,
        doing: doing)
}

/// The same with a time of its own for each partition.
func listOffsets(
    _ rk: OpaquePointer, topic: String, times: [Int32: Int64], deadline: Deadline, doing: String
) throws(LogError) -> [Int32: Int64] {
    guard !times.isEmpty else { return [:] }
    while true {
        let list = PartitionList(topic, times)
        var err = rd_kafka_offsets_for_times(rk, list.list, max(1, deadline.milliseconds))
        var which = ""
        if err == RD_KAFKA_RESP_ERR_NO_ERROR, let failure = list.failure {
            err = failure.err
            which = " [\(failure.partition)]"
        }
        if err == RD_KAFKA_RESP_ERR_NO_ERROR { return list.offsets }
        // The partition may be getting a new leader.
        guard LogError.isRetriable(err), !deadline.isOver else { throw LogError(err, doing: doing + which) }
        rd_kafka_poll(rk, 50)
    }
}

/// Kafka's number for the first offset of a partition.
let firstOffset: Int64 = -2
/// Kafka's number for the end of a partition; with `read_committed`, the last stable offset.
let endOffset: Int64 = -1

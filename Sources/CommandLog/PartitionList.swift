import CLibrdkafka
import Foundation

/// A group's offset of one partition, with what was said beside it.
public struct CommittedOffset: Sendable, Equatable {
    /// Of the next record to read.
    public var offset: Int64
    /// The commit's metadata, which any client of the group may have written; nil: none.
    public var note: String?
}

/// librdkafka's list of partitions of one topic with an offset each.
///
/// Owned by the scope that makes it; the C list is freed with it.
struct PartitionList: ~Copyable {
    let list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    /// `notes`: the metadata to commit beside an offset.
    init(_ topic: String, _ offsets: [Int32: Int64], notes: [Int32: String] = [:]) {
        // Never nil: librdkafka ends the process when memory does.
        list = rd_kafka_topic_partition_list_new(Int32(clamping: offsets.count)).unsafelyUnwrapped
        for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
            guard let element = rd_kafka_topic_partition_list_add(list, topic, partition) else { continue }
            element.pointee.offset = offset
            guard let note = notes[partition], let copy = strdup(note) else { continue }
            // Freed with the list.
            element.pointee.metadata = UnsafeMutableRawPointer(copy)
            element.pointee.metadata_size = strlen(copy)
        }
    }

    init(_ topic: String, _ partitions: [Int32], offset: Int64 = Int64(RD_KAFKA_OFFSET_INVALID)) {
        self.init(topic, Dictionary(partitions.map { ($0, offset) }) { first, _ in first })
    }

    deinit { rd_kafka_topic_partition_list_destroy(list) }

    /// The offsets, without partitions that carry an error.
    var offsets: [Int32: Int64] { Self.offsets(list) }

    /// What was committed beside the offsets, for partitions without an error.
    var committed: [Int32: CommittedOffset] {
        var found: [Int32: CommittedOffset] = [:]
        for element in Self.elements(list) where element.err == RD_KAFKA_RESP_ERR_NO_ERROR && element.offset >= 0 {
            let bytes = UnsafeRawBufferPointer(start: element.metadata, count: element.metadata_size)
            found[element.partition] = CommittedOffset(
                offset: element.offset, note: bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self))
        }
        return found
    }

    /// The first partition with an error.
    var failure: (partition: Int32, err: rd_kafka_resp_err_t)? { Self.failure(list) }

    static func elements(
        _ list: UnsafePointer<rd_kafka_topic_partition_list_t>
    ) -> UnsafeBufferPointer<rd_kafka_topic_partition_t> {
        UnsafeBufferPointer(start: list.pointee.elems, count: Int(max(0, list.pointee.cnt)))
    }

    static func offsets(_ list: UnsafePointer<rd_kafka_topic_partition_list_t>) -> [Int32: Int64] {
        var offsets: [Int32: Int64] = [:]
        for element in elements(list) where element.err == RD_KAFKA_RESP_ERR_NO_ERROR {
            offsets[element.partition] = element.offset
        }
        return offsets
    }

    static func failure(
        _ list: UnsafePointer<rd_kafka_topic_partition_list_t>
    ) -> (partition: Int32, err: rd_kafka_resp_err_t)? {
        elements(list).first { $0.err != RD_KAFKA_RESP_ERR_NO_ERROR }.map { ($0.partition, $0.err) }
    }
}

/// Offsets through ListOffsets: one request a broker, with its timeout kept, unlike
/// `rd_kafka_query_watermark_offsets` before 2.3.
///
/// `time` is milliseconds since 1970, or -2 for the first offset, or -1 for the end (the last stable offset under
/// `read_committed`).
func listOffsets(
    _ rk: OpaquePointer, topic: String, partitions: [Int32], time: Int64, deadline: Deadline, doing: String
) throws(LogError) -> [Int32: Int64] {
    guard !partitions.isEmpty else { return [:] }
    while true {
        let list = PartitionList(topic, partitions, offset: time)
        var err = rd_kafka_offsets_for_times(rk, list.list, max(1, deadline.milliseconds))
        var which = ""
        if err == RD_KAFKA_RESP_ERR_NO_ERROR, let failure = list.failure {
            err = failure.err
            which = " [\(failure.partition)]"
        }
        if err == RD_KAFKA_RESP_ERR_NO_ERROR { return list.offsets }
        // Leaders move; the timeout of the whole call bounds this.
        guard LogError.isRetriable(err), !deadline.isOver else { throw LogError(err, doing: doing + which) }
        rd_kafka_poll(rk, 50)
    }
}

/// The name of a start offset in messages.
let firstOffset: Int64 = -2
let endOffset: Int64 = -1

import CLibrdkafka
import Foundation
import JSONText

/// The offset that a group has committed for one partition, with the note beside it.
package struct CommittedOffset: Sendable, Equatable {
    /// The offset of the next record to read.
    package var offset: Int64
    /// The metadata of the commit; nil: none. Any client of the group may have written it.
    package var note: String?
}

/// librdkafka's list of partitions of one topic with an offset each.
///
/// The scope that makes it owns it. The C list is freed with it.
struct PartitionList: ~Copyable {
    let list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    /// `notes`: the metadata to commit beside an offset.
    init(_ topic: String, _ offsets: [Int32: Int64], notes: [Int32: String] = [:]) {
        // Never nil: librdkafka ends the process when there is no memory.
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

    /// The offsets of the partitions that have no error.
    var offsets: [Int32: Int64] { Self.offsets(list) }

    /// The committed offsets with their notes, of the partitions that have an offset and no error.
    var committed: [Int32: CommittedOffset] {
        var found: [Int32: CommittedOffset] = [:]
        for element in Self.elements(list) where element.err == RD_KAFKA_RESP_ERR_NO_ERROR && element.offset >= 0 {
            let bytes = UnsafeRawBufferPointer(start: element.metadata, count: element.metadata_size)
            found[element.partition] = CommittedOffset(
                offset: min(element.offset, OutsideNumber.most),
                note: bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self))
        }
        return found
    }

    /// The first partition that has an error.
    var failure: (partition: Int32, err: rd_kafka_resp_err_t)? { Self.failure(list) }

    static func elements(
        _ list: UnsafePointer<rd_kafka_topic_partition_list_t>
    ) -> UnsafeBufferPointer<rd_kafka_topic_partition_t> {
        UnsafeBufferPointer(start: list.pointee.elems, count: Int(max(0, list.pointee.cnt)))
    }

    static func offsets(_ list: UnsafePointer<rd_kafka_topic_partition_list_t>) -> [Int32: Int64] {
        var offsets: [Int32: Int64] = [:]
        for element in elements(list) where element.err == RD_KAFKA_RESP_ERR_NO_ERROR {
            offsets[element.partition] = min(element.offset, OutsideNumber.most)
        }
        return offsets
    }

    static func failure(
        _ list: UnsafePointer<rd_kafka_topic_partition_list_t>
    ) -> (partition: Int32, err: rd_kafka_resp_err_t)? {
        elements(list).first { $0.err != RD_KAFKA_RESP_ERR_NO_ERROR }.map { ($0.partition, $0.err) }
    }
}

import CLibrdkafka
import Commands
import JSONText

/// One record as librdkafka holds it: a pointer, nothing is copied.
///
/// Everything it gives is valid until ``release()``, which must come exactly once, from any thread. Its bytes lie in
/// the
/// fetch response they came with, which stays in memory until the last of its records is released.
public struct LogMessage: @unchecked Sendable {
    // Sendable because a message has one owner at a time and librdkafka allows its release on any thread.
    @usableFromInline let pointer: UnsafeMutablePointer<rd_kafka_message_t>

    @usableFromInline init(_ pointer: UnsafeMutablePointer<rd_kafka_message_t>) { self.pointer = pointer }

    @inlinable public var partition: Int32 { pointer.pointee.partition }
    @inlinable public var offset: Int64 { pointer.pointee.offset }

    /// nil: the record has no key.
    @inlinable public var key: Bytes? { LogMessage.bytes(pointer.pointee.key, pointer.pointee.key_len) }

    /// nil: a tombstone.
    @inlinable public var value: Bytes? { LogMessage.bytes(pointer.pointee.payload, pointer.pointee.len) }

    /// Bytes of key and value.
    @inlinable public var size: Int { pointer.pointee.key_len &+ pointer.pointee.len }

    /// Milliseconds since 1970, -1 when unknown.
    public var timestamp: Int64 {
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let time = rd_kafka_message_timestamp(pointer, &kind)
        return kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : time
    }

    /// nil: the record has none. Parsed by librdkafka at the first call; so not from two threads at once.
    public var headers: MessageHeaders? {
        var headers: OpaquePointer?
        guard rd_kafka_message_headers(pointer, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR, let headers else { return nil }
        return MessageHeaders(headers)
    }

    /// Makes a dead letter stand where the record it holds stood; before anybody else sees it. librdkafka gives the
    /// message back by its own pointer, not by these two fields.
    public func restore(partition: Int32, offset: Int64) {
        pointer.pointee.partition = partition
        pointer.pointee.offset = offset
    }

    /// Asks for the record's place in memory, which a thread on another processor has written: reading it at once would be a
    /// wait for each record.
    public func prefetch() { crossfade_prefetch_message(pointer) }

    /// Asks for its bytes, some time after ``prefetch()``.
    public func prefetchBytes() { crossfade_prefetch_value(pointer) }

    /// As ``prefetch()``, for a record that is to be released soon.
    public func prefetchRelease() { crossfade_prefetch_release(pointer) }

    /// Gives the record back. Its bytes are gone afterwards.
    public func release() { rd_kafka_message_destroy(pointer) }

    @usableFromInline static func bytes(_ start: UnsafeMutableRawPointer?, _ count: Int) -> Bytes? {
        guard let start else { return nil }
        return Bytes(start: start.assumingMemoryBound(to: UInt8.self), count: count)
    }
}

/// The headers of a record, valid as long as the record.
public struct MessageHeaders: RecordHeaders {
    private let headers: OpaquePointer

    init(_ headers: OpaquePointer) { self.headers = headers }

    /// The last header called `name`; nil when there is none or its value is null.
    public func value(of name: String) -> Bytes? {
        var value: UnsafeRawPointer?
        var size = 0
        let err = name.withCString { rd_kafka_header_get_last(headers, $0, &value, &size) }
        guard err == RD_KAFKA_RESP_ERR_NO_ERROR, let value else { return nil }
        return Bytes(start: value.assumingMemoryBound(to: UInt8.self), count: size)
    }

    /// Every header in its order; a value is nil when it is null. `name` is without its final zero.
    public func forEachHeader(_ body: (_ name: Bytes, _ value: Bytes?) -> Void) {
        for at in 0..<rd_kafka_header_cnt(headers) {
            var name: UnsafePointer<CChar>?
            var value: UnsafeRawPointer?
            var size = 0
            guard rd_kafka_header_get_all(headers, at, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR,
                let name
            else { return }
            var length = 0
            while name[length] != 0 { length += 1 }
            let bytes = UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self)
            body(
                Bytes(start: bytes, count: length),
                value.map { Bytes(start: $0.assumingMemoryBound(to: UInt8.self), count: size) })
        }
    }
}

/// Something that a poll learned besides records.
public enum LogEvent: Sendable {
    /// Everything of the partition that may be read has been handed over: `nextOffset` is the end, past transaction
    /// markers,
    /// aborted records and compaction gaps. With an open transaction it is the transaction's first offset.
    case endOfPartition(partition: Int32, nextOffset: Int64)
    /// The broker's answer to a commit that was not waited for.
    case committed([Int32: Int64], LogError?)
}

/// What a poll fills: records and events. Reused from poll to poll.
///
/// Not Sendable: it belongs to the poll thread; the ``LogMessage`` values in it may go anywhere.
public final class RecordBatch {
    /// Room for records.
    public let capacity: Int
    /// Records in it.
    public private(set) var count = 0
    /// What else the last poll learned.
    public internal(set) var events: [LogEvent] = []
    private let storage: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>

    public init(capacity: Int = 4096) {
        self.capacity = max(1, capacity)
        storage = .allocate(capacity: self.capacity)
        storage.initialize(repeating: nil, count: self.capacity)
    }

    deinit {
        releaseAll()
        storage.deallocate()
    }

    /// The record at `index`, below ``count``.
    public subscript(index: Int) -> LogMessage {
        precondition(index >= 0 && index < count)
        // Filled below `count` by `take`.
        return LogMessage(storage[index].unsafelyUnwrapped)
    }

    /// Gives all records back.
    public func releaseAll() {
        for at in 0..<count {
            if let message = storage[at] { rd_kafka_message_destroy(message) }
        }
        count = 0
    }

    /// Forgets the records without giving them back: others release them now.
    public func forget() { count = 0 }

    /// Takes what `queue` has, up to `maximum` records in the batch, waiting up to `milliseconds` for all of them.
    /// Messages that
    /// are no records go to `other`, who need not release them.
    func take(
        from queue: OpaquePointer, maximum: Int, milliseconds: Int32 = 0, other: (rd_kafka_message_t) -> Void
    ) {
        let limit = min(capacity, maximum)
        guard count < limit else { return }
        let got = rd_kafka_consume_batch_queue(queue, milliseconds, storage + count, limit - count)
        guard got > 0 else { return }
        let end = count + Int(got)
        for at in count..<end {
            guard let message = storage[at] else { continue }
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                storage[count] = message
                count += 1
            } else {
                other(message.pointee)
                rd_kafka_message_destroy(message)
            }
        }
    }

    /// Adds one record; there must be room.
    func append(_ message: LogMessage) {
        precondition(count < capacity)
        storage[count] = message.pointer
        count += 1
    }
}

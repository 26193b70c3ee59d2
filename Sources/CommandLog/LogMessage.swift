import CLibrdkafka
import Commands
import JSONText

/// A look at one record as librdkafka holds it: a pointer, nothing is copied.
///
/// Everything it gives is valid as long as the record's owner keeps it: a ``RecordBatch``, a ``MessageList`` or an
/// ``OwnedMessage``. Its bytes lie in the fetch response they came with, which stays in memory until the last of its
/// records was given back.
public struct LogMessage: @unchecked Sendable {
    // Sendable because a message has one owner at a time, and librdkafka lets any thread read it.
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

    /// Bytes of all headers, with what librdkafka needs for each. It allocates memory even when there are none, so it
    /// is not for each record; see `HeaderWatch`. Not from two threads at once.
    public var headerBytes: Int { headers?.size ?? 0 }

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

    /// Bytes of all names and values, and what librdkafka needs for each besides.
    var size: Int {
        var size = 0
        forEachHeader { size &+= $0.count &+ ($1?.count ?? 0) &+ Self.cost }
        return size
    }

    /// Bytes of librdkafka's own structure for a header, and of its place in the list.
    private static let cost = 64

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

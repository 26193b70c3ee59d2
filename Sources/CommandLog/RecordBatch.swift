import CLibrdkafka

/// Something that a poll learned besides records.
package enum LogEvent: Sendable {
    /// Everything of the partition that may be read has been handed over: `nextOffset` is the end, past transaction
    /// markers, aborted records and compaction gaps. With an open transaction it is the transaction's first offset.
    case endOfPartition(partition: Int32, nextOffset: Int64)
    /// The broker's answer to a commit that was not waited for.
    case committed([Int32: Int64], LogError?)
}

/// What a poll fills: records and events. Owns the records that are not taken from it. Reused from poll to poll.
///
/// Not Sendable: it belongs to the poll thread. What is taken from it may go anywhere.
public final class RecordBatch {
    /// Room for records.
    public let capacity: Int
    /// Records in it. Not checked for exclusive access while running: it belongs to the poll thread, and is read for
    /// each record (docs/performance.md).
    @exclusivity(unchecked) @usableFromInline var used = 0
    public var count: Int { @inlinable get { used } }
    /// What else the last poll learned.
    package internal(set) var events: [LogEvent] = []
    @usableFromInline let storage: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>

    public init(capacity: Int = 4096) {
        self.capacity = max(1, capacity)
        storage = .allocate(capacity: self.capacity)
        storage.initialize(repeating: nil, count: self.capacity)
    }

    deinit {
        releaseAll()
        storage.deallocate()
    }

    /// The record at `index`, below ``count`` and not taken yet.
    @inlinable public subscript(index: Int) -> LogMessage {
        precondition(index >= 0 && index < used && storage[index] != nil, "there is no record at this index")
        // It is not nil.
        return LogMessage(storage[index].unsafelyUnwrapped)
    }

    /// Hands over the record at `index`, whose place is empty then; nil: it is empty already, or there is no such
    /// place.
    public func take(_ index: Int) -> OwnedMessage? {
        guard index >= 0, index < count, let pointer = storage[index] else { return nil }
        storage[index] = nil
        return OwnedMessage(LogMessage(pointer))
    }

    /// Hands over the records in `range`, whose places are empty then.
    public func take(_ range: Range<Int>) -> MessageList {
        let list = MessageList()
        list.take(range.clamped(to: 0..<count), from: storage)
        return list
    }

    /// Gives back all records that were not taken, and makes room for the next poll.
    public func releaseAll() {
        for index in 0..<count {
            if let message = storage[index] { rd_kafka_message_destroy(message) }
            storage[index] = nil
        }
        used = 0
    }

    /// Takes what `queue` has, up to `maximum` records in the batch, waiting up to `milliseconds` for all of them.
    /// Messages that are no records are shown to `other` and given back.
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
            storage[at] = nil
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                storage[count] = message
                used += 1
            } else {
                other(message.pointee)
                rd_kafka_message_destroy(message)
            }
        }
    }

    /// Adds one record; there must be room.
    func append(_ message: consuming OwnedMessage) {
        precondition(count < capacity)
        storage[count] = message.leave().pointer
        used += 1
    }
}

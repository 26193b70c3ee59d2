import CLibrdkafka

/// Owns records, each in its place until it leaves. Those that are still there at the list's end go back to librdkafka.
///
/// `@unchecked Sendable`: one thread at a time has it, and librdkafka lets any thread read and destroy a message.
public final class MessageList: @unchecked Sendable {
    // Plain memory: an array would look for each change whether it has one owner, four times per record. The fields
    // are not checked for exclusive access while running either: one thread at a time has the list
    // (docs/performance.md).

    /// The records; nil: it has left.
    @exclusivity(unchecked) @usableFromInline var messages: UnsafeMutablePointer<LogMessage?>
    @exclusivity(unchecked) @usableFromInline var used = 0
    /// Places for which there is memory.
    @exclusivity(unchecked) @usableFromInline var room: Int

    public init() { (messages, room) = (.allocate(capacity: 16), 16) }

    /// A list with this many empty places; see ``put(_:at:)``.
    public init(places: Int) {
        (room, used) = (max(places, 1), places)
        messages = .allocate(capacity: room)
        messages.initialize(repeating: nil, count: places)
    }

    deinit {
        removeAll()
        messages.deallocate()
    }

    /// Places, whether their records are still there or not.
    @inlinable public var count: Int { used }

    /// Whether there is such a place.
    @inlinable @inline(__always) func isPlace(_ place: Int) -> Bool {
        UInt(bitPattern: place) < UInt(bitPattern: used)
    }

    /// A look at the record at this place, valid while it is there; nil: it has left, or there is no such place.
    @inlinable @inline(__always) public subscript(_ place: Int) -> LogMessage? {
        isPlace(place) ? messages[place] : nil
    }

    /// Takes the record over; gives its place.
    @discardableResult public func append(_ message: consuming OwnedMessage) -> Int { add(message.leave()) }

    @inlinable @inline(__always) func add(_ message: LogMessage?) -> Int {
        if used == room { grow(to: 2 &* room) }
        (messages + used).initialize(to: message)
        used &+= 1
        return used &- 1
    }

    @inline(never) @usableFromInline func grow(to wanted: Int) {
        let moved = UnsafeMutablePointer<LogMessage?>.allocate(capacity: wanted)
        moved.moveInitialize(from: messages, count: used)
        messages.deallocate()
        (messages, room) = (moved, wanted)
    }

    /// Owns the records in `range` of `storage` from now on, whose places are empty then.
    func take(_ range: Range<Int>, from storage: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>) {
        if room - used < range.count { grow(to: used + range.count) }
        for index in range {
            _ = add(storage[index].map(LogMessage.init))
            storage[index] = nil
        }
    }

    /// Takes the record over in this place, which must be there. A record that is in it already is given back.
    public func put(_ message: consuming OwnedMessage, at place: Int) {
        precondition(isPlace(place))
        giveBack(place)
        messages[place] = message.leave()
    }

    /// Moves the record at this place to the end of another list; gives its place there.
    @inlinable @inline(__always) public func move(_ place: Int, to other: MessageList) -> Int {
        let message = self[place]
        if message != nil { messages[place] = nil }
        return other.add(message)
    }

    /// The record at this place becomes the caller's; nil: it has left, or there is no such place.
    public func take(_ place: Int) -> OwnedMessage? {
        guard let message = self[place] else { return nil }
        messages[place] = nil
        return OwnedMessage(message)
    }

    /// Takes the first record that is still there.
    public func takeFirst() -> OwnedMessage? {
        guard let place = (0..<used).first(where: { messages[$0] != nil }) else { return nil }
        return take(place)
    }

    /// Gives the record at this place back now, before the end of the list; nothing happens when it has left.
    @inlinable @inline(__always) public func giveBack(_ place: Int) {
        guard let message = self[place] else { return }
        messages[place] = nil
        rd_kafka_message_destroy(message.pointer)
    }

    /// Gives all records back. The list keeps its room.
    public func removeAll() {
        for place in 0..<used {
            if let message = messages[place] { rd_kafka_message_destroy(message.pointer) }
        }
        used = 0
    }

    /// Asks for the place in memory of a record that another processor has written: reading it at once would be a wait
    /// per record. A record that is not there is ignored, as it is by the two calls below.
    @inlinable public func prefetch(_ place: Int) {
        if let message = self[place] { crossfade_prefetch_message(message.pointer) }
    }

    /// Asks for the record's bytes, some time after ``prefetch(_:)``.
    @inlinable public func prefetchBytes(_ place: Int) {
        if let message = self[place] { crossfade_prefetch_value(message.pointer) }
    }

    /// As ``prefetch(_:)``, for a record that is given back soon.
    @inlinable public func prefetchEnd(_ place: Int) {
        if let message = self[place] { crossfade_prefetch_release(message.pointer) }
    }
}

import CLibrdkafka

/// Owns records, each in its place until it leaves. Those that are still there at the list's end go back to librdkafka.
///
/// `@unchecked Sendable`: one thread at a time has it, and librdkafka lets any thread read and destroy a message.
public final class MessageList: @unchecked Sendable {
    /// nil: the record has left. Not checked for exclusive access while running: one thread at a time has the list, and
    /// a check would be made several times per record (docs/performance.md).
    @exclusivity(unchecked) @usableFromInline var messages: [LogMessage?] = []

    public init() {}

    /// A list with this many empty places; see ``put(_:at:)``.
    public init(places: Int) { messages = Array(repeating: nil, count: places) }

    /// Owns these records from now on.
    init(_ messages: [LogMessage?]) { self.messages = messages }

    deinit { removeAll() }

    /// Places, whether their records are still there or not.
    @inlinable public var count: Int { messages.count }

    /// A look at the record at this place, valid while it is there; nil: it has left, or there is no such place.
    @inlinable public subscript(_ place: Int) -> LogMessage? {
        place >= 0 && place < messages.count ? messages[place] : nil
    }

    /// Takes the record over; gives its place.
    @discardableResult public func append(_ message: consuming OwnedMessage) -> Int {
        messages.append(message.leave())
        return messages.count &- 1
    }

    /// Takes the record over in this place, which must be there. A record that is in it already is given back.
    public func put(_ message: consuming OwnedMessage, at place: Int) {
        giveBack(place)
        messages[place] = message.leave()
    }

    /// Moves the record at this place to the end of another list; gives its place there.
    @inlinable @inline(__always) public func move(_ place: Int, to other: MessageList) -> Int {
        other.messages.append(self[place])
        if place < messages.count { messages[place] = nil }
        return other.messages.count &- 1
    }

    /// The record at this place becomes the caller's; nil: it has left, or there is no such place.
    public func take(_ place: Int) -> OwnedMessage? {
        guard let message = self[place] else { return nil }
        messages[place] = nil
        return OwnedMessage(message)
    }

    /// Takes the first record that is still there.
    public func takeFirst() -> OwnedMessage? {
        guard let place = messages.firstIndex(where: { $0 != nil }) else { return nil }
        return take(place)
    }

    /// Gives the record at this place back now, before the end of the list; nothing happens when it has left.
    @inlinable public func giveBack(_ place: Int) {
        guard let message = self[place] else { return }
        messages[place] = nil
        rd_kafka_message_destroy(message.pointer)
    }

    /// Gives all records back. The list keeps its room.
    public func removeAll() {
        for case let message? in messages { rd_kafka_message_destroy(message.pointer) }
        messages.removeAll(keepingCapacity: true)
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

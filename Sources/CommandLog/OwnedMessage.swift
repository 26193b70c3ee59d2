import CLibrdkafka

/// A record that belongs to whoever holds this value. It goes back to librdkafka when the value ends, on any thread.
///
/// It can be moved but not copied, so no record is given back twice and none is forgotten. Many of them lie in a
/// ``MessageList``.
public struct OwnedMessage: ~Copyable, @unchecked Sendable {
    // Sendable because librdkafka lets any thread read and destroy a message, and only one has it.

    /// The record itself; valid while this value lives.
    public let message: LogMessage

    init(_ message: LogMessage) { self.message = message }

    deinit { rd_kafka_message_destroy(message.pointer) }

    /// Ends this value without giving the record back: the caller owns it now.
    consuming func leave() -> LogMessage {
        let message = message
        discard self
        return message
    }
}

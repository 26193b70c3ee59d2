/// Is told when the consumer gets and loses partitions.
///
/// Both calls come on the poll thread, from within ``LogConsumer/poll(into:maximum:timeoutMs:paused:)`` or
/// ``LogConsumer/close(seconds:)``. They may call `committed`, `commit` and `watermarks` of the consumer.
package protocol LogConsumerDelegate: AnyObject {
    /// The consumer has got these partitions. Returns the offset at which to start each; a partition without one is an
    /// error. An error that is thrown here ends the consumer: the next poll throws it.
    func assigned(_ partitions: [Int32]) throws -> [Int32: Int64]
    /// The consumer must give these partitions up (promise P3 in `docs/architecture.md`). Drain and commit here, in
    /// less than `max.poll.interval.ms`. When they are `lost`, another member may have them already: do not commit, the
    /// broker would refuse it. A member that hung is told of an ordinary revocation, but the broker refuses its commit
    /// (`groupActive`).
    func revoked(_ partitions: [Int32], lost: Bool)
}

/// Room for a number of bytes, shared by threads. A thread that finds no room waits. Something larger than the whole
/// room goes in when the room is empty.
///
/// `@unchecked Sendable` because `used` is touched only under `condition`.
package final class ByteSemaphore: @unchecked Sendable {
    private let condition = MonotonicCondition()
    private let size: Int
    private var used = 0

    package init(_ size: Int) { self.size = size }

    /// Takes `bytes`. Waits while there is no room, unless `failure` is set.
    package func enter(_ bytes: Int, unless failure: FailureLatch<some Error>) {
        condition.withLock {
            // The latch signals nobody, so it is looked at now and then.
            while used > 0, bytes > size - used, !failure.isSet { condition.wait(milliseconds: 500) }
            used += bytes
        }
    }

    package func leave(_ bytes: Int) {
        condition.withLock {
            used -= bytes
            condition.broadcast()
        }
    }
}

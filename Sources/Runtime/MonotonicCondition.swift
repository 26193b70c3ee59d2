import Glibc

/// A lock and a condition to wait for, with timed waits that use the monotonic clock.
///
/// `NSCondition` waits until a time of day. When the clock of the machine is set back by an hour, such a wait lasts an
/// hour longer: retries and flushes stand still. The condition variable of POSIX can use another clock, but Foundation
/// does not offer that.
///
/// Whoever waits holds the lock, and checks again what it waits for: a wait may end without a signal.
///
/// `@unchecked Sendable`: both pointers never change, and what they point to is made for use by several threads.
@usableFromInline package final class MonotonicCondition: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    /// A wait that is longer is cut to this, so that no arithmetic overflows; 30 years.
    private static let longest = 1_000_000_000

    package init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    @usableFromInline package func lock() { pthread_mutex_lock(mutex) }

    @usableFromInline package func unlock() { pthread_mutex_unlock(mutex) }

    @inlinable package func withLock<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body()
    }

    /// Wakes one of those that wait.
    @usableFromInline package func signal() { pthread_cond_signal(condition) }

    /// Wakes all that wait.
    @usableFromInline package func broadcast() { pthread_cond_broadcast(condition) }

    /// Waits for a signal.
    @usableFromInline package func wait() { pthread_cond_wait(condition, mutex) }

    /// Waits for a signal, at most so long. False when the time was over first.
    @discardableResult package func wait(milliseconds: Int) -> Bool { timedWait(Self.deadline(milliseconds)) }

    /// Waits while `isWaiting` is true, at most so long (nil: for ever). Returns whether it is false in the end.
    @usableFromInline @discardableResult
    package func wait(milliseconds: Int?, while isWaiting: () -> Bool) -> Bool {
        guard let milliseconds else {
            while isWaiting() { wait() }
            return true
        }
        let deadline = Self.deadline(milliseconds)
        while isWaiting() {
            guard timedWait(deadline) else { return !isWaiting() }
        }
        return true
    }

    private func timedWait(_ deadline: timespec) -> Bool {
        var deadline = deadline
        return pthread_cond_timedwait(condition, mutex, &deadline) == 0
    }

    private static func deadline(_ milliseconds: Int) -> timespec {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let milliseconds = max(0, milliseconds)
        time.tv_sec += min(longest, milliseconds / 1000)
        time.tv_nsec += milliseconds % 1000 * 1_000_000
        if time.tv_nsec >= 1_000_000_000 {
            time.tv_sec += 1
            time.tv_nsec -= 1_000_000_000
        }
        return time
    }
}

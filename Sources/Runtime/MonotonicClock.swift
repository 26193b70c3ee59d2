import Glibc

/// A clock that never goes back and that nobody can set. Its origin means nothing: only differences count.
package enum MonotonicClock {
    package static func milliseconds() -> Int64 { read(CLOCK_MONOTONIC) }

    /// The same, but it also goes on while the machine sleeps.
    @Sendable package static func millisecondsWithSleep() -> Int64 { read(CLOCK_BOOTTIME) }

    package static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// When a follower purges old tombstones. Times are milliseconds of a monotonic clock.
package struct PurgeSchedule: Sendable {
    private let age: Int64
    private var next: Int64
    /// Milliseconds between two purges.
    package let every: Int64

    /// - Parameter age: milliseconds after which a tombstone may go. A purge comes every sixth of it, so that none
    ///   stays much longer, and at least every 10 minutes.
    package init(age: Int64, now: Int64) {
        self.age = age
        every = max(1000, min(age / 6, 600_000))
        next = now + every
    }

    package func isDue(_ now: Int64) -> Bool { now >= next }

    /// Writes wait for the target, here or in another member. Tombstones among them are younger than they say, and so
    /// are requests that still wait: nothing is purged for a whole age.
    package mutating func writesWait(_ now: Int64) { next = max(next, now + age) }

    /// It is not known whether writes wait. That is to be asked again in a while.
    package mutating func isUnknown(_ now: Int64) { next = max(next, now + min(every, 10_000)) }

    /// A purge has ended.
    package mutating func ended(_ now: Int64) { next = now + every }
}

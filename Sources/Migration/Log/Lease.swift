import Foundation
import Synchronization

/// How long the group is sure to keep this member, as far as it can tell itself: renewed whenever the poll thread comes
/// by. A process that was stopped for longer than that (SIGSTOP, a sleeping machine) sends nothing more before the group
/// has said that its partitions are still its own.
final class Lease: Sendable {
    private let clock: @Sendable () -> Int64
    private let renewed: Atomic<Int64>
    private let limit = Atomic<Int64>(.max)

    init(clock: @escaping @Sendable () -> Int64 = Lease.bootMilliseconds) {
        self.clock = clock
        renewed = Atomic(clock())
    }

    /// From now on it runs out `milliseconds` after a renewal; before, never.
    func runsOut(after milliseconds: Int64) {
        renew()
        limit.store(milliseconds, ordering: .releasing)
    }

    /// Renews it unless it has run out. False when it has. With the time from before the look, so that a stop
    /// between the two renews nothing.
    func renewIfValid() -> Bool {
        let now = clock()
        guard now - renewed.load(ordering: .acquiring) <= limit.load(ordering: .acquiring) else { return false }
        renewed.store(now, ordering: .releasing)
        return true
    }

    func renew() { renewed.store(clock(), ordering: .releasing) }

    /// Milliseconds since it was last renewed.
    var age: Int64 { clock() - renewed.load(ordering: .acquiring) }

    var isValid: Bool { age <= limit.load(ordering: .acquiring) }

    /// A clock that goes on while the machine sleeps.
    @Sendable static func bootMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

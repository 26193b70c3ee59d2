import Synchronization

/// How long somebody else is sure to keep something for us, as far as we can tell by ourselves. The owner renews it
/// regularly. A process that was stopped for too long (SIGSTOP, a machine that sleeps) finds it run out and must ask
/// whether it still has what it had.
package final class Lease: Sendable {
    private let clock: @Sendable () -> Int64
    private let renewed: Atomic<Int64>
    private let limit = Atomic<Int64>(.max)

    package init(clock: @escaping @Sendable () -> Int64 = MonotonicClock.millisecondsWithSleep) {
        self.clock = clock
        renewed = Atomic(clock())
    }

    /// Renews it and sets how long a renewal lasts. Before this call it never runs out.
    package func runsOut(after milliseconds: Int64) {
        renew()
        limit.store(milliseconds, ordering: .releasing)
    }

    /// Renews it unless it has run out; false when it has. The new term begins at the time that was compared: a process
    /// that is stopped between comparing and renewing gains nothing.
    package func renewIfValid() -> Bool {
        let now = clock()
        guard now - renewed.load(ordering: .acquiring) <= limit.load(ordering: .acquiring) else { return false }
        renewed.store(now, ordering: .releasing)
        return true
    }

    /// The beginning of a term, for ``renew(since:)``.
    package var now: Int64 { clock() }

    /// Renews it from an earlier time on: when the question was asked whose answer renews it.
    package func renew(since time: Int64) {
        renewed.store(max(time, renewed.load(ordering: .acquiring)), ordering: .releasing)
    }

    package func renew() { renewed.store(clock(), ordering: .releasing) }

    /// Milliseconds since it was last renewed.
    package var age: Int64 { clock() - renewed.load(ordering: .acquiring) }

    package var isValid: Bool { age <= limit.load(ordering: .acquiring) }
}

import Foundation
import Synchronization
import Testing

@testable import Runtime

@Suite struct MonotonicConditionTests {
    /// Fault: timed waits ended at a time of day, so that a clock that was set back stopped retries and flushes. The
    /// clock cannot be set in a test; that the wait ends in time by the clock that nobody can set is what can be seen.
    @Test func aTimedWaitEndsByTheMonotonicClock() {
        let condition = MonotonicCondition()
        let begun = MonotonicClock.milliseconds()
        condition.lock()
        var waits = 0
        while MonotonicClock.milliseconds() - begun < 50 {
            condition.wait(milliseconds: Int(50 - (MonotonicClock.milliseconds() - begun)))
            waits += 1
        }
        condition.unlock()
        // A wait that uses another clock returns at once, because the times of day are far later, and spins.
        #expect(waits < 20)
    }

    @Test func nothingComes() {
        let condition = MonotonicCondition()
        condition.lock()
        defer { condition.unlock() }
        #expect(condition.wait(milliseconds: 20) { true } == false)
        #expect(condition.wait(milliseconds: 0) { true } == false)
        #expect(condition.wait(milliseconds: -5) { true } == false)
        #expect(condition.wait(milliseconds: .max) { false })
        #expect(condition.wait(milliseconds: nil) { false })
    }

    @Test(arguments: [nil, 600_000, Int.max]) func aSignalEndsAWait(_ milliseconds: Int?) {
        let condition = MonotonicCondition()
        // Both under the condition's lock.
        let state = Mutex((isWaiting: false, isOver: false))
        let thread = JoinableThread("waits") {
            condition.withLock {
                state.withLock { $0.isWaiting = true }
                condition.wait(milliseconds: milliseconds) { !state.withLock { $0.isOver } }
            }
        }
        // Who has the lock after it is set knows that the other waits.
        while !condition.withLock({ state.withLock { $0.isWaiting } }) { sched_yield() }
        condition.withLock {
            state.withLock { $0.isOver = true }
            condition.signal()
        }
        #expect(thread.join(seconds: 60))
    }

    @Test func aBroadcastWakesAll() {
        let condition = MonotonicCondition()
        let state = Mutex((waiting: 0, isOver: false))
        let threads = (0..<4).map { number in
            JoinableThread("waits-\(number)") {
                condition.withLock {
                    state.withLock { $0.waiting += 1 }
                    while !state.withLock({ $0.isOver }) { condition.wait() }
                }
            }
        }
        while condition.withLock({ state.withLock { $0.waiting } }) < 4 { sched_yield() }
        condition.withLock {
            state.withLock { $0.isOver = true }
            condition.broadcast()
        }
        for thread in threads { #expect(thread.join(seconds: 60)) }
    }
}

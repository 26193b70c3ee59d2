/// Runs things later, in the order in which they are due, on one thread of its own.
///
/// `@unchecked Sendable` because everything is touched only under `condition`.
package final class DelayQueue: @unchecked Sendable {
    private let condition = MonotonicCondition()
    private var waiting: [(due: Int64, run: @Sendable () -> Void)] = []
    private var stopped = false
    private var thread: JoinableThread?

    package init() {}

    package func start() {
        condition.withLock {
            guard thread == nil else { return }
            thread = JoinableThread("cf-delays") { [self] in loop() }
        }
    }

    package func after(milliseconds: Int, _ run: @escaping @Sendable () -> Void) {
        condition.withLock {
            if !stopped { waiting.append((MonotonicClock.milliseconds() + Int64(milliseconds), run)) }
            condition.signal()
        }
    }

    /// Drops what waits.
    package func stop() {
        condition.withLock {
            stopped = true
            waiting = []
            condition.signal()
        }
    }

    private func loop() {
        condition.lock()
        while !stopped {
            guard let next = waiting.indices.min(by: { waiting[$0].due < waiting[$1].due }) else {
                condition.wait()
                continue
            }
            let left = waiting[next].due - MonotonicClock.milliseconds()
            if left > 0 {
                condition.wait(milliseconds: Int(left))
            } else {
                let run = waiting.remove(at: next).run
                condition.unlock()
                run()
                condition.lock()
            }
        }
        condition.unlock()
    }
}

import Foundation

/// Runs things later, on one thread of its own.
///
/// `@unchecked Sendable` because everything is touched only under `condition`.
final class DelayQueue: @unchecked Sendable {
    private let condition = NSCondition()
    private var waiting: [(due: Int64, run: @Sendable () -> Void)] = []
    private var stopped = false
    private var thread: JoinableThread?

    func start() {
        condition.lock()
        defer { condition.unlock() }
        guard thread == nil else { return }
        thread = JoinableThread("cf-delays") { [self] in loop() }
    }

    func after(milliseconds: Int, _ run: @escaping @Sendable () -> Void) {
        condition.lock()
        if !stopped { waiting.append((Monotonic.milliseconds() + Int64(milliseconds), run)) }
        condition.signal()
        condition.unlock()
    }

    /// What waits is dropped.
    func stop() {
        condition.lock()
        stopped = true
        waiting = []
        condition.signal()
        condition.unlock()
    }

    private func loop() {
        condition.lock()
        while !stopped {
            let now = Monotonic.milliseconds()
            if let index = waiting.firstIndex(where: { $0.due <= now }) {
                let run = waiting.remove(at: index).run
                condition.unlock()
                run()
                condition.lock()
            } else if let next = waiting.map(\.due).min() {
                _ = condition.wait(until: Date().addingTimeInterval(Double(next - now) / 1000))
            } else {
                condition.wait()
            }
        }
        condition.unlock()
    }
}

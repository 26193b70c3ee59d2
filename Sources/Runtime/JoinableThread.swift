import Foundation

/// A thread that another can wait for. Hot work runs on such threads, never on the pool of Swift concurrency, whose
/// threads must not block.
package final class JoinableThread: Sendable {
    private let done = DispatchSemaphore(value: 0)

    package init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let done = done
        let thread = Thread {
            body()
            done.signal()
        }
        thread.name = name
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Waits until the body has returned, at most so long (nil: for ever). False when the time was over first.
    @discardableResult package func join(seconds: Double? = nil) -> Bool {
        let result = done.wait(timeout: seconds.map { .now() + $0 } ?? .distantFuture)
        done.signal()
        return result == .success
    }
}

import Synchronization

/// Work on a thread of its own, for whoever started it and goes on meanwhile.
package final class Beside<Value: Sendable>: Sendable {
    private final class Outcome: Sendable {
        let result = Mutex<Result<Value, any Error>?>(nil)
    }

    private let outcome = Outcome()
    private let thread: JoinableThread

    /// - Parameter name: at most 15 bytes, because the kernel takes no more.
    package init(_ name: String, _ body: @escaping @Sendable () throws -> Value) {
        thread = JoinableThread(name) { [outcome] in
            let result = Result { try body() }
            outcome.result.withLock { $0 = result }
        }
    }

    /// Waits for the work and gives what came of it. Throws what the work has thrown; nil on its own thread, which
    /// cannot wait for itself.
    package func value() throws -> Value? {
        thread.join()
        return try outcome.result.withLock { $0 }?.get()
    }

    /// Waits until the work is over, at most so long.
    package func end(seconds: Double) { thread.join(seconds: seconds) }
}

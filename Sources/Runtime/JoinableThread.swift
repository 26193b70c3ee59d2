import Basics
import CThreads
import Glibc

/// A thread of the operating system that another thread can wait for. Work that blocks, and hot work, runs on such
/// threads, never on the pool of Swift concurrency, whose threads must not block.
package final class JoinableThread: Sendable {
    private let work: Work
    private let id: pthread_t

    /// What the thread does, and whether it is done.
    ///
    /// `@unchecked Sendable` because `isDone` is touched only under `condition`, and `body` only by the new thread.
    private final class Work: @unchecked Sendable {
        let name: String
        var body: (@Sendable () -> Void)?
        let condition = MonotonicCondition()
        var isDone = false

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            (self.name, self.body) = (name, body)
        }

        func run() {
            _ = crossfade_name_thread(name)
            body?()
            // A thread that has been joined keeps nothing alive.
            body = nil
            condition.withLock {
                isDone = true
                condition.broadcast()
            }
        }
    }

    private static let stackBytes = 4 << 20

    /// Starts the thread. Nil when the system gives no more threads.
    ///
    /// - Parameter name: at most 15 bytes, because the kernel takes no more.
    package init?(ifPossible name: String, _ body: @escaping @Sendable () -> Void) {
        work = Work(name, body)
        guard let id = JoinableThread.start(work) else { return nil }
        self.id = id
    }

    /// Starts the thread. When the system gives no more threads, it tries again for ten seconds and then ends the
    /// process with exit code 1: nothing is lost, because all work goes on from its last commit.
    package init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        work = Work(name, body)
        for _ in 0..<1000 {
            if let id = JoinableThread.start(work) {
                self.id = id
                return
            }
            usleep(10_000)
        }
        let text = "crossfade: the system gives no more threads; see ulimit -u and the limits of the container\n"
        _ = text.utf8.withContiguousStorageIfAvailable { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        exit(1)
    }

    /// The new thread belongs to nobody: `join` waits for `isDone`, so that it can wait with a time limit.
    private static func start(_ work: Work) -> pthread_t? {
        let context = CallbackContext.owned(work)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, stackBytes)
        var id = pthread_t()
        let failed = pthread_create(
            &id, &attributes,
            { context in
                CallbackContext.take(context, as: Work.self)?.run()
                return nil
            }, context)
        guard failed == 0 else {
            CallbackContext.take(context, as: Work.self)
            return nil
        }
        return id
    }

    /// Whether the caller runs on this thread. After its end another thread may have the same id.
    package var isCurrent: Bool { work.condition.withLock { !work.isDone && pthread_equal(pthread_self(), id) != 0 } }

    /// Waits until the body has returned, at most so long (nil: for ever). False when the time was over first, and on
    /// the thread itself, which cannot wait for its own end.
    @discardableResult package func join(seconds: Double? = nil) -> Bool {
        work.condition.withLock {
            guard work.isDone || pthread_equal(pthread_self(), id) == 0 else { return false }
            return work.condition.wait(milliseconds: seconds.map { Int($0 * 1000) }) { !work.isDone }
        }
    }
}

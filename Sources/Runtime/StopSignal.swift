import Foundation
import Synchronization

/// The user's wish to stop: the first signal drains and commits, the second ends the process at once.
package enum StopSignal {
    private static let count = Atomic<Int>(0)
    private static let limit = Atomic<Int>(0)
    /// Wakes the thread that tells the user. A signal handler may do no more than that.
    nonisolated(unsafe) private static let asked: UnsafeMutablePointer<sem_t> = {
        let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
        return semaphore
    }()

    private static let over = Atomic<Bool>(false)

    /// Whether the work is to stop: it was asked for, or ``end()`` was called.
    package static var isAsked: Bool { isGiven || over.load(ordering: .acquiring) }

    /// Whether the user has asked for it.
    package static var isGiven: Bool { count.load(ordering: .acquiring) > 0 }

    /// Ends all work of this process as a signal does, because another part of it has ended. The user's first signal
    /// still is the first.
    package static func end() { over.store(true, ordering: .releasing) }

    /// Asks for a stop, as a signal does.
    package static func ask() { count.wrappingAdd(1, ordering: .acquiringAndReleasing) }

    /// Sets how long the process waits, at most, for the work under way after a signal. What is not done by then is
    /// read again at the next start.
    package static func drains(atMost seconds: Double) {
        limit.store(Int(seconds.rounded(.up)), ordering: .releasing)
    }

    /// From now on SIGINT and SIGTERM ask for a stop, and so does SIGHUP unless the process ignores it (nohup).
    ///
    /// - Parameter told: called once, at the first signal, on a thread of its own. `atMost`: how many seconds draining
    ///   takes at most; nil: there is nothing to drain.
    package static func listen(told: (@Sendable (_ atMost: Int?) -> Void)? = nil) {
        // Creates the semaphore here, because a signal handler must not allocate.
        _ = asked
        if let told {
            let thread = Thread {
                while sem_wait(asked) != 0 {}
                let seconds = limit.load(ordering: .acquiring)
                told(seconds > 0 ? seconds : nil)
            }
            thread.name = "cf-signal"
            thread.start()
        }
        let handler: @convention(c) (Int32) -> Void = { _ in
            let before = StopSignal.count.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
            if before > 0 { _exit(130) }
            sem_post(StopSignal.asked)
        }
        signal(SIGINT, handler)
        signal(SIGTERM, handler)
        var hangUp = sigaction()
        sigaction(SIGHUP, nil, &hangUp)
        let isIgnored =
            unsafeBitCast(hangUp.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
        if !isIgnored { signal(SIGHUP, handler) }
    }
}

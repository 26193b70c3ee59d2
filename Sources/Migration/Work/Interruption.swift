import Foundation
import Synchronization

/// The user's wish to stop: the first signal drains and commits, the second ends the process at once (design 5).
public enum Interruption {
    private static let count = Atomic<Int>(0)
    private static let limit = Atomic<Int>(0)
    /// Tells the thread that speaks of a signal; a handler may do no more than that.
    nonisolated(unsafe) private static let asked: UnsafeMutablePointer<sem_t> = {
        let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
        return semaphore
    }()

    /// Whether a stop was asked for.
    public static var isAsked: Bool { count.load(ordering: .acquiring) > 0 }

    /// Asks for a stop, as a signal does.
    public static func ask() { count.wrappingAdd(1, ordering: .acquiringAndReleasing) }

    /// How long what is under way is waited for after a signal, at most, in seconds; what is not done then is read again
    /// at the next start.
    static func drains(atMost seconds: Double) {
        limit.store(Int(seconds.rounded(.up)), ordering: .releasing)
    }

    /// Listens to SIGINT, SIGTERM and, unless it is to be ignored (nohup), SIGHUP from now on. `told`: called once, on a
    /// thread of its own, at the first of them, with how many seconds draining takes at most; nil: nothing is under way
    /// that would have to be drained.
    public static func listen(told: (@Sendable (_ atMost: Int?) -> Void)? = nil) {
        // Made here: a handler may not do that.
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
            let before = Interruption.count.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
            if before > 0 { _exit(130) }
            sem_post(Interruption.asked)
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

import Foundation
import Synchronization

/// The user's wish to stop: the first signal drains and commits, the second ends the process at once (design 5).
public enum Interruption {
    private static let count = Atomic<Int>(0)

    /// Whether a stop was asked for.
    public static var isAsked: Bool { count.load(ordering: .acquiring) > 0 }

    /// Asks for a stop, as a signal does.
    public static func ask() { count.wrappingAdd(1, ordering: .acquiringAndReleasing) }

    /// Listens to SIGINT, SIGTERM and, unless it is to be ignored (nohup), SIGHUP from now on.
    public static func listen() {
        let handler: @convention(c) (Int32) -> Void = { _ in
            let before = Interruption.count.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
            if before > 0 { _exit(130) }
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

import CThreads
import Foundation

/// A program in a process group of its own, without a shell and without input; what it prints goes to standard error.
/// No file of ours is open in it.
///
/// Foundation's `Process` waits until everything that the program has started has ended. A program that leaves
/// something behind would hold us for as long.
package enum ChildProgram {
    package enum End: Sendable, Equatable {
        case exited(Int32)
        case killed(signal: Int32)
        /// It took longer than it may, or we were to stop. It and all that it has started are ended.
        case tooLong, stopped
    }

    /// Between being asked to end and being ended, in milliseconds.
    private static let grace: Int64 = 1000

    /// Runs it until it ends. What it has started and left goes on then.
    ///
    /// - Parameters:
    ///   - words: the program, found in PATH, and its arguments.
    ///   - timeout: in milliseconds.
    /// - Returns: nil: it cannot be started.
    package static func run(_ words: [String], environment: [String: String], timeout: Int64) -> End? {
        guard let child = start(["/usr/bin/env"] + words, environment.map { "\($0.key)=\($0.value)" }) else {
            return nil
        }
        let deadline = MonotonicClock.milliseconds() + timeout
        while true {
            if let end = reap(child) { return end }
            if StopSignal.isAsked || MonotonicClock.milliseconds() > deadline { break }
            Thread.sleep(forTimeInterval: 0.02)
        }
        let end: End = StopSignal.isAsked ? .stopped : .tooLong
        kill(-child, SIGTERM)
        let last = MonotonicClock.milliseconds() + grace
        var isOver = false
        while !isOver, MonotonicClock.milliseconds() < last {
            isOver = reap(child) != nil
            if !isOver { Thread.sleep(forTimeInterval: 0.02) }
        }
        // Also what it has started, which may not listen.
        kill(-child, SIGKILL)
        if !isOver { _ = reap(child, waits: true) }
        return end
    }

    /// nil: it still runs.
    private static func reap(_ child: pid_t, waits: Bool = false) -> End? {
        var status: Int32 = 0
        var found = waitpid(child, &status, waits ? 0 : WNOHANG)
        while found < 0, errno == EINTR { found = waitpid(child, &status, waits ? 0 : WNOHANG) }
        guard found != 0 else { return nil }
        guard found == child else { return .exited(-1) }
        let signal = status & 0x7f
        return signal == 0 ? .exited((status >> 8) & 0xff) : .killed(signal: signal)
    }

    private static func start(_ words: [String], _ variables: [String]) -> pid_t? {
        var attributes = posix_spawnattr_t()
        var actions = posix_spawn_file_actions_t()
        guard posix_spawnattr_init(&attributes) == 0 else { return nil }
        defer { posix_spawnattr_destroy(&attributes) }
        guard posix_spawn_file_actions_init(&actions) == 0 else { return nil }
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGTERM, SIGINT, SIGPIPE] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
        crossfade_close_from(&actions, STDERR_FILENO + 1)
        var arguments = words.map { strdup($0) } + [nil]
        var environment = variables.map { strdup($0) } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var child: pid_t = 0
        let failure = posix_spawn(&child, words[0], &actions, &attributes, &arguments, &environment)
        return failure == 0 ? child : nil
    }
}

import Migration
import Planning
import Runtime
import Synchronization

/// `follow` on a thread of its own, beside the other steps of `crossfade run`. When it ends, all work of the process
/// ends.
final class RunFollower: Sendable {
    private struct Book {
        var live: LiveWork?
        var result: Result<Summary, any Error>?
    }

    private let book = Mutex(Book())
    private let thread = Mutex<JoinableThread?>(nil)

    /// Begins to follow.
    init(_ prepared: Preflight, _ serve: @escaping RunWork.Serve) {
        let thread = JoinableThread("cf-follow") { [self] in
            let result = Result {
                var summary: Summary?
                try serve(prepared, FollowWork.command) { live in
                    book.withLock { $0.live = live }
                    summary = try FollowWork(live, confirmation: nil).run()
                }
                guard let summary else { throw RunWork.unserved }
                return summary
            }
            book.withLock { $0.result = result }
            StopSignal.end()
        }
        self.thread.withLock { $0 = thread }
    }

    var isOver: Bool { book.withLock { $0.result != nil } }

    /// Why it ended; nil: it goes on, or was told to.
    var failure: (any Error)? {
        guard case .failure(let error) = book.withLock({ $0.result }) else { return nil }
        return error
    }

    /// Whether it follows now: it has what the group gave it, and nothing keeps it from going on.
    var isAtWork: Bool { book.withLock { $0.live.map { $0.events.hasAssignment && $0.waiting == nil } ?? false } }

    /// Ends it, after what is under way. Returns what it came to; nil: it failed.
    func end() -> Summary? {
        StopSignal.end()
        thread.withLock { $0 }?.join()
        return try? book.withLock { $0.result }?.get()
    }
}

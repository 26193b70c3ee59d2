import Failures
import Planning
import Recipe
import Runtime
import State
import Telemetry

/// What `status` finds on the clusters about the readers' way, for those who watch running work: whether the readers
/// could go back, and how far the old indexer is. Looked up on a thread of its own, since the old cluster may hang, and
/// only while somebody watches.
///
/// `@unchecked Sendable` because `stopped` is touched only under `condition`, and the rest only by the thread.
final class ReadersLook: @unchecked Sendable {
    /// Milliseconds between two looks.
    private static let every: Int64 = 10_000

    /// What does not answer is said by the page.
    private static let silent = Logger(write: { _ in })

    private let live: LiveWork
    private let condition = MonotonicCondition()
    private var stopped = false
    private var thread: JoinableThread?
    private var looks = Recurring(every: every, first: 0)

    init(_ live: LiveWork) {
        self.live = live
        // Without a thread for it, the page says that it is not known.
        thread = JoinableThread(ifPossible: "cf-readers-look") { [self] in run() }
    }

    func stop() {
        condition.withLock {
            stopped = true
            condition.broadcast()
        }
        thread?.join(seconds: 2)
    }

    private func look() throws -> Survey {
        let clients = try LogClients(live.prepared.recipe, Self.silent)
        defer { clients.close() }
        return try Survey.look(live.prepared.recipe, for: .status, clients: clients, logger: Self.silent)
    }

    private func run() {
        while !condition.withLock({ stopped }) {
            if live.isWatched, live.targetIsThere, looks.isDue(MonotonicClock.milliseconds()) {
                // What cannot be looked up now is not known now: an old answer may be wrong by then.
                live.sees(survey: try? look())
            }
            _ = condition.withLock { condition.wait(milliseconds: 1000) { !stopped } }
        }
    }
}

extension WorkSnapshot {
    /// Where the readers are, as `status` says it.
    package struct Readers: Sendable, Equatable {
        /// See `CutoverState.Position`.
        package var position: String
        /// Aliases that a rollover has moved.
        package var aliases: [String] = []
        /// Whether the readers could go back; nil: they were not moved, or it was not looked up.
        package var rollback: Verdict?
        /// The group of the old indexer; nil: the recipe does not name it.
        package var group: String?
        /// Records that it has still to apply; nil: unknown.
        package var lag: Int64?

        package init(position: String) { self.position = position }

        init(_ recipe: Recipe, state: MigrationState?, survey: Survey?) {
            let cutover = state?.cutover
            position = (cutover?.position ?? .before).rawValue
            aliases = cutover?.moved.map(\.alias) ?? []
            // Readers may have been moved since the look.
            if cutover?.moved.isEmpty == false, let back = survey?.wayBack { rollback = Verdict(reasons: back.reasons) }
            group = recipe.commands.applicationGroup
            lag = survey?.applicationLag
        }
    }
}

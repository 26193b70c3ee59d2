import Failures
import LogGuard
import Planning
import Recipe
import Runtime
import State
import Telemetry

/// What `status` finds on the servers, for those who watch running work: whether the readers could go back, how far
/// the old indexer is, whether the command topic can be looked at, and how the last work ended. Looked up on a thread
/// of its own, since a server may hang, and only while somebody watches.
///
/// `@unchecked Sendable` because `stopped` is touched only under `condition`, and the rest only by the thread.
package final class StatusLook: @unchecked Sendable {
    /// Milliseconds between two looks.
    private static let every: Int64 = 10_000

    /// What does not answer is said by the page.
    private static let silent = Logger(write: { _ in })

    private let live: LiveWork
    private let condition = MonotonicCondition()
    private var stopped = false
    private var thread: JoinableThread?
    private var looks = Recurring(every: every, first: 0)

    package init(_ live: LiveWork) {
        self.live = live
        // Without a thread for it, the page says that it is not known.
        thread = JoinableThread(ifPossible: "cf-status-look") { [self] in run() }
    }

    package func stop() {
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

    private func history(_ survey: Survey) -> MigrationHistory? {
        let store = StateStore(target: survey.target, name: live.prepared.recipe.name)
        return try? HistoryStore(store, target: survey.target, logger: Self.silent).load()
    }

    private func run() {
        while !condition.withLock({ stopped }) {
            if live.isWatched, live.targetIsThere, looks.isDue(MonotonicClock.milliseconds()) {
                // What cannot be looked up now is not known now: an old answer may be wrong by then.
                let survey = try? look()
                live.sees(survey: survey, history: survey.flatMap(history))
            }
            _ = condition.withLock { condition.wait(milliseconds: 1000) { !stopped } }
        }
    }
}

extension WorkSnapshot {
    /// Whether the command topic can be looked at, as `status` says it.
    package struct Log: Sendable, Equatable {
        /// nil: nobody has looked yet.
        package var answers: Bool?
        /// Why it cannot; nil: it can.
        package var trouble: String?

        package init() {}

        /// nil: the recipe has no commands.
        init?(_ recipe: Recipe, watch: LogMonitor?, survey: Survey?) {
            guard recipe.hasCommands else { return nil }
            if watch?.ends != nil {
                answers = true
            } else if let silence = watch?.waiting {
                (answers, trouble) = (false, silence)
            } else if let survey {
                (answers, trouble) = (survey.logUnknown == nil, survey.logUnknown?.description)
            }
        }
    }

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

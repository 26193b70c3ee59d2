import Planning
import Recipe
import State
import Telemetry

/// Work that runs long and can be watched while it runs: `copy`, `replay` and `follow`. `crossfade run` does the same
/// work as the command of that name.
package protocol WatchedWork {
    /// The command's name.
    static var command: String { get }
    static var purpose: Purpose { get }
    /// How much is looked at before it begins, where nothing is confirmed.
    static var depth: Preflight.Depth { get }
    /// Rails that do not concern it.
    static var unneeded: Set<String> { get }
    /// What the history says where it is refused before it begins.
    static var refused: HistoryEvent.What { get }
    /// What the work tells of itself; made for this work.
    var live: LiveWork { get }
    /// The fingerprint that the user has confirmed with this command; nil: none.
    var confirmation: String? { get }

    init(_ live: LiveWork, confirmation: String?)
    func run() throws -> Summary
}

extension WatchedWork {
    var prepared: Preflight { live.prepared }
    var logger: Logger { live.events.logger }

    /// What is looked at before it begins. Throws when it may not begin.
    package static func prepared(_ recipe: Recipe, confirmation: String?, logger: Logger) throws -> Preflight {
        // A user who confirms something new must see every refusal that `plan` would show.
        let prepared = try Preflight.prepare(
            recipe, for: purpose, depth: confirmation == nil ? depth : .plan, isConfirming: confirmation != nil,
            logger: logger)
        try prepared.leaving(refused, logger: logger) {
            try prepared.passRails(except: unneeded)
            try prepared.checkConfirmed(confirmation)
        }
        return prepared
    }

    /// The state under which the work may begin.
    func admitted() throws -> MigrationState {
        try prepared.leaving(Self.refused, logger: logger) {
            try prepared.passRails(except: Self.unneeded)
            return try prepared.confirmed(confirmation, logger: logger)
        }
    }

    /// Does the work, between two events of the migration's history.
    func recorded(
        begun: HistoryEvent.What, _ detail: String, finished: HistoryEvent.What, stopped: HistoryEvent.What,
        _ work: () throws -> Summary
    ) throws -> Summary {
        prepared.record(begun, detail, logger: logger)
        do {
            let summary = try work()
            prepared.record(summary.complete ? finished : stopped, summary.words, logger: logger)
            return summary
        } catch {
            prepared.record(stopped, "\(error)", logger: logger)
            throw error
        }
    }
}

import Planning
import State
import Telemetry

/// Work that runs long and can be watched while it runs: `copy`, `replay` and `follow`.
package protocol WatchedWork {
    /// What the work tells of itself; made for this work.
    var live: LiveWork { get }
    /// The fingerprint that the user has confirmed with this command; nil: none.
    var confirmation: String? { get }
}

extension WatchedWork {
    var prepared: Preflight { live.prepared }
    var logger: Logger { live.events.logger }

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

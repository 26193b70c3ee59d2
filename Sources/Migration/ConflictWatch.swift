import Commands
import Pipeline
import State
import Synchronization
import Telemetry

/// Says when a copy meets the first documents that are in the target already. A target that the application writes has
/// its newest documents in the segments that are read last, so that they may come late and all at once.
final class ConflictWatch: Sendable {
    private let pipeline: Pipeline
    private let already: Int
    private let expected: Int
    private let logger: Logger
    private let found: Mutex<Int?>

    init(_ pipeline: Pipeline, already: Int, _ copy: MigrationState.Copy, logger: Logger) {
        (self.pipeline, self.already, self.logger) = (pipeline, already, logger)
        expected = copy.expected
        found = Mutex(copy.conflictsFrom)
    }

    /// Documents that were read when the first conflict came; nil: none came.
    var from: Int? { found.withLock { $0 } }

    func look() {
        let outcomes = pipeline.ledger.outcomes
        guard outcomes[.stale] > 0 else { return }
        let isFirst = found.withLock { found in
            guard found == nil else { return false }
            found = already + outcomes.total
            return true
        }
        guard isFirst else { return }
        logger.info(
            "conflicts begin: documents come that the target has already, in the same or a newer version; they stay",
            ["read": already + outcomes.total, "of": expected])
    }
}

import CommandLog
import LogGuard
import Recipe
import State
import Telemetry

extension LogHistory {
    /// Compares what the group has committed (`now`) and what `state` has kept with the log that the recipe names.
    package static func compare(
        _ recipe: Recipe, now: [Int32: CommittedOffset], state: MigrationState?,
        marks: [Int32: (low: Int64, high: Int64)], logger: Logger
    ) throws(LogError) -> LogHistory {
        let epoch = recipe.commands.format.epoch
        // Offsets of other target indices say nothing of the present ones.
        let now = now.filter { state?.holds(CommitNote(text: $0.value.note)) ?? true }
        let kept = state?.log.flatMap { $0.epoch == epoch ? $0.fingerprints : nil } ?? [:]
        return try compare(
            now: now, kept: kept, epoch: epoch, marks: marks,
            probe: LogProbe(settings: recipe.kafkaSettings, topic: recipe.commands.topic, logger: logger))
    }
}

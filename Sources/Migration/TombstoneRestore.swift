import CommandLog
import Failures
import Foundation
import Pipeline
import Planning
import Recipe
import Runtime
import SearchCluster
import State
import Telemetry

/// Writes the tombstones of the deletes in the log again, before a copy or a replay writes anything older.
///
/// Without it, after a purge, a copied page or a replayed insert would bring a deleted document back. A partial update
/// could then take that document as its base and outrank the delete for good.
///
/// It begins where a replay would begin. The deletes before that need no tombstone: nobody writes the commands before
/// them, and the old index has applied them. They must not get one, either: the tombstone of a former routing can be in
/// the shard of a document that the copy has written at the floor, and no replay would bring that back.
package struct TombstoneRestore {
    package let prepared: Preflight
    package let store: StateStore
    /// The work that it is a part of, under which others see it as a member.
    package let command: String
    package let logger: Logger

    package init(prepared: Preflight, store: StateStore, command: String, logger: Logger) {
        (self.prepared, self.store, self.command, self.logger) = (prepared, store, command, logger)
    }

    /// Does nothing unless tombstones were purged since the last time. The state must already say that the copy or the
    /// replay is unfinished, because then nothing more is purged. If it is killed, the next start does it from the
    /// beginning.
    package func run(_ state: MigrationState) throws {
        guard state.purges.mustRestore else { return }
        try awaitPurge()
        logger.info("tombstones were purged: the deletes in the log are written again first")
        let progress = Progress("tombstones", logger: logger)
        var plan = prepared.pipelinePlan(state: state, writing: .log)
        plan.onlyDeletes = true
        let live = LiveWork(prepared, command: "tombstones", version: "", logger: logger)
        let pipeline = prepared.pipeline(plan, events: live.events)
        let run = PipelineRun(prepared, pipeline, command: command, isReading: false, live: live)
        defer { run.close() }
        let marks = prepared.survey.watermarks
        let starts = marks.reduce(into: [Int32: Int64]()) { starts, mark in
            let (partition, low) = (mark.key, mark.value.low)
            let replay = min(prepared.start[partition] ?? low, state.replay?.start[partition] ?? .max)
            starts[partition] = max(low, replay)
        }
        let total = marks.reduce(0) { $0 + Int(max(0, $1.value.high - (starts[$1.key] ?? 0))) }
        let feed = LogFeed(
            pipeline,
            LogFeed.Options(
                topic: prepared.recipe.commands.topic, ends: marks.mapValues(\.high),
                start: { _ in LogFeed.Start(offsets: starts, known: [:]) }, commit: { _, _, _, _ in .kept },
                onTick: { [sink = pipeline.sink, ledger = pipeline.ledger] in
                    progress.tell(done: ledger.outcomes.total, total: total, trouble: sink.presentTrouble)
                }),
            logger: logger)
        let complete = try feed.run(from: starts, prepared.recipe.kafkaSettings)
        progress.end()
        guard complete, feed.drained else {
            throw WorkError(
                .interrupted,
                "interrupted before the deletes in the log were all written again; start again, nothing is lost")
        }
        logger.info("the deletes in the log are back", ["deletes": pipeline.ledger.outcomes[.deleted]])
        try store.update { $0.purge?.record.restored() }
    }

    /// Waits for a purge that is under way, because its requests could delete a tombstone that is written now.
    private func awaitPurge() throws {
        var told = false
        while try store.load()?.purges.mayArrive(now: WallClock.now(), longest: Purge.longestRequest) == true {
            guard !StopSignal.isAsked else {
                throw WorkError(.interrupted, "interrupted while a purge was under way")
            }
            if !told { logger.info("waiting for the end of a purge that is under way") }
            told = true
            Thread.sleep(forTimeInterval: 0.2)
        }
    }
}

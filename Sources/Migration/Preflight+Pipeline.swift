import Commands
import Foundation
import Indexing
import LogGuard
import Pipeline
import Planning
import Recipe
import State
import Telemetry

/// The pipeline that a checked recipe asks for.
extension Preflight {
    /// What the pipeline needs.
    package func pipelinePlan(state: MigrationState, writing: WriteRoad) -> PipelinePlan {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        var plan = PipelinePlan(
            name: recipe.name, topic: recipe.commands.topic, format: recipe.commands.format,
            entries: survey.entries.enumerated().map { place, entry in
                var part = PipelinePlan.Entry(
                    index: entry.index, alias: writing.alias(of: entry.index), transform: entry.recipe.transform,
                    merge: entry.recipe.merge, missing: entry.missing, from: entry.scope.readable,
                    id: entry.recipe.id, types: Set(entry.source.flatMap(\.types)).sorted())
                part.sharing = survey.sharing(place)
                return part
            },
            copyUnfinished: survey.hasSource && state.sourceIsBase, memory: recipe.memory,
            inFlight: recipe.limits.inFlight, deadLetterTopic: recipe.deadLetterTopic,
            workers: max(1, min(4, cores - 1)), longestStop: max(60_000, recipe.tombstoneAge / 2))
        // Without commands, none can contradict the routing of a document.
        plan.acceptsRouting = recipe.accepts("identity") || !recipe.hasCommands
        plan.splitIDs = Set(recipe.splitIDs.map { Array($0.utf8) })
        if !recipe.hasCommands { plan.format.round = Int64(max(1, state.copy?.round ?? 1)) }
        return plan
    }

    /// The monitor that looks at the topic while it is read. It keeps in the state by which records the log is known.
    /// How the log forgets deletes, for a reader that goes on judging it; nil: it does not, or the recipe accepts it.
    package var forgetting: LogFeed.Forgetting? {
        guard let compaction, !recipe.accepts("compaction") else { return nil }
        return LogFeed.Forgetting(retention: compaction.retention) { partition, loss, now in
            .deletesForgotten(
                compaction.compacted, partition: partition, from: loss.from, gap: loss.gap.offsets,
                since: CompactionRail.words(.commit(loss.since), now: now))
        }
    }

    package func watch(_ store: StateStore, _ pipeline: Pipeline, logger: Logger) -> LogMonitor {
        let epoch = recipe.commands.format.epoch
        return LogMonitor(
            LogMonitor.Options(
                settings: recipe.kafkaSettings, topic: recipe.commands.topic,
                partitions: survey.topic.partitions.count,
                versionsAreOffsets: recipe.commands.format.version == .offset,
                keep: { fingerprints in try store.updateIfReachable { $0.keep(fingerprints, epoch: epoch) } }),
            failure: pipeline.failure, logger: logger)
    }

    package func pipeline(state: MigrationState, writing: WriteRoad, live: LiveWork) -> Pipeline {
        let look =
            writing == .log
            ? StaleLook.Options(
                settings: recipe.kafkaSettings, topic: recipe.commands.topic, format: recipe.commands.format,
                splitIDs: Set(recipe.splitIDs.map { Array($0.utf8) })) : nil
        return pipeline(pipelinePlan(state: state, writing: writing), events: live.events, staleLook: look)
    }

    /// `redriving`: the epoch of the dead letters that are fed; nil: no redrive. `settled`: see ``Ledger``.
    package func pipeline(
        state: MigrationState, writing: WriteRoad, logger: Logger, redriving: Int64? = nil,
        settled: (@Sendable (RunID, Outcome, Int) -> Void)? = nil
    ) -> Pipeline {
        var plan = pipelinePlan(state: state, writing: writing)
        if let redriving {
            plan.redriven = true
            plan.format.epoch = redriving
            // The letters of one id may come from several partitions, so one worker takes all.
            plan.workers = 1
        }
        return pipeline(plan, events: WorkEvents(logger), settled: settled)
    }

    package func pipeline(
        _ plan: PipelinePlan, events: WorkEvents, staleLook: StaleLook.Options? = nil,
        settled: (@Sendable (RunID, Outcome, Int) -> Void)? = nil
    ) -> Pipeline {
        Pipeline(
            plan, target: survey.target, source: survey.source,
            deadLetters: DeadLetterWriter.Options(
                settings: recipe.kafkaSettings, topic: recipe.deadLetterTopic, sourceTopic: recipe.commands.topic,
                migration: recipe.name, epoch: plan.format.epoch, redriven: plan.redriven, isOff: !recipe.hasCommands),
            events: events, staleLook: staleLook, settled: settled)
    }
}

/// Through which alias the target is written.
package enum WriteRoad {
    case copy, log

    package func alias(of index: String) -> String {
        let aliases = TargetAliases(index: index)
        return self == .copy ? aliases.copy : aliases.log
    }
}

import CommandLog
import Commands
import Foundation
import JSONText
import Runtime
import SearchCluster
import Telemetry

/// Everything looked at and judged, before anything is done: what `plan` shows and what every other command checks.
public struct Preparation: Sendable {
    public let recipe: Recipe
    public let survey: Survey
    public let rails: [Rail]
    /// Where the log would be read from.
    public let start: [Int32: Int64]
    public let work: JSONValue
    public let fingerprint: String

    /// `sampling`: also reads the newest records of the topic, to see whether ids keep to one partition.
    public static func prepare(_ recipe: Recipe, sampling: Bool, logger: Logger) throws -> Preparation {
        let survey = try Survey.look(recipe, logger: logger)
        let admin = try LogAdmin(settings: recipe.kafkaSettings, log: logger.kafka)
        defer { admin.close() }
        let start = try ReplayStart(recipe, survey, admin: admin, logger: logger)
        let work = survey.work(recipe)
        var rails = Rails(recipe: recipe, survey: survey, start: start).found
        if sampling {
            rails.append(try IDSample.take(recipe, watermarks: survey.unread(recipe), logger: logger).rail(recipe))
            rails.append(try DeadLetterRail.look(recipe, admin: admin))
        }
        return Preparation(
            recipe: recipe, survey: survey, rails: rails,
            start: start.offsets, work: work, fingerprint: Fingerprint.of(work))
    }

    public var refusals: [Rail] { rails.filter { $0.verdict == .refused } }

    /// Throws the refusals as one error, but for those that do not matter to the work in hand.
    public func passRails(except unneeded: Set<String> = []) throws(WorkError) {
        let refusals = refusals.filter { !unneeded.contains($0.name) }
        guard !refusals.isEmpty else { return }
        throw WorkError(.refused, refusals.map { "\($0.name): \($0.detail)" }.joined(separator: "; also "))
    }

    /// What a person types to have all of this made.
    private var initialising: String { "crossfade init \(recipe.typed) --confirm \(fingerprint)" }

    /// Whether init has nothing left to make: everything is there, under this very fingerprint.
    public var isMade: Bool {
        guard let state = survey.state, state.fingerprint == fingerprint else { return false }
        return survey.entries.allSatisfy { $0.exists && state.uuids[$0.index] != "" }
    }

    /// Throws what refuses the work before it has begun; changes nothing.
    @discardableResult
    public func checkConfirmed(_ confirmation: String?) throws(WorkError) -> MigrationState {
        guard let state = survey.state else {
            throw WorkError(
                .refused,
                "migration \(recipe.name) is not initialised on \(survey.target.name): run "
                    + "`crossfade plan \(recipe.typed)`, then `\(initialising)`")
        }
        if let gone = survey.entries.first(where: { !$0.exists }) {
            throw WorkError(
                .refused,
                "the target index \(gone.index) is not there (any more): run `\(initialising)`, which makes it again, then "
                    + "copy and replay")
        }
        if let half = survey.entries.first(where: { state.uuids[$0.index] == "" }) {
            throw WorkError(
                .refused,
                "init was broken off while it made the target index \(half.index): run `\(initialising)` again")
        }
        guard state.fingerprint == fingerprint || confirmation == fingerprint else {
            let changes = Fingerprint.differences(state.work, work).joined(separator: "; ")
            throw WorkError(
                .refused,
                "what is to be done is not what was confirmed at init. Changed: \(changes). If that is meant, confirm it with "
                    + "--confirm \(fingerprint)")
        }
        return state
    }

    /// The state, when it stands under this very work, or the user has just confirmed the new one.
    func confirmed(_ confirmation: String?, logger: Logger) throws -> MigrationState {
        let state = try checkConfirmed(confirmation)
        try restoreAliases(logger)
        guard state.fingerprint != fingerprint else { return state }
        logger.warning(
            "other work was confirmed; what is already written keeps its form until its document is written again",
            ["fingerprint": fingerprint])
        return try StateStore(target: survey.target, name: recipe.name).update {
            $0.fingerprint = fingerprint
            $0.work = work
        }
    }

    /// What the pipeline needs.
    func pipelinePlan(state: MigrationState, writing: WriteRoad) -> PipelinePlan {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return PipelinePlan(
            name: recipe.name, topic: recipe.commands.topic, format: recipe.commands.format,
            entries: survey.entries.map {
                PipelinePlan.Entry(
                    index: $0.index, alias: writing.alias(of: $0.index), transform: $0.recipe.transform,
                    merge: $0.recipe.merge,
                    missing: $0.recipe.missing, from: $0.source.map(\.name), id: $0.recipe.id)
            },
            copyUnfinished: survey.source != nil && state.copyUnfinished, memory: recipe.memory,
            inFlight: recipe.limits.inFlight, deadLetterTopic: recipe.deadLetterTopic,
            workers: max(1, min(4, cores - 1)), longestStop: max(60_000, recipe.tombstoneAge / 2))
    }

    /// What looks at the topic while it is read, and keeps in state what it can be known by.
    func watch(_ store: StateStore, _ pipeline: Pipeline, logger: Logger) -> LogWatch {
        let epoch = recipe.commands.format.epoch
        return LogWatch(
            LogWatch.Options(
                settings: recipe.kafkaSettings, topic: recipe.commands.topic,
                partitions: survey.topic.partitions.count,
                versionsAreOffsets: recipe.commands.format.version == .offset,
                keep: { witnesses in try store.updateIfReachable { $0.keep(witnesses, epoch: epoch) } }),
            failure: pipeline.failure, logger: logger)
    }

    /// The rails have seen that each index is the one that init made: an alias that somebody took away is all that it lacks.
    private func restoreAliases(_ logger: Logger) throws {
        for entry in survey.entries where try TargetAliases(index: entry.index).restore(survey.target.writer) {
            logger.warning("an alias of the target index was missing and is there again", ["index": entry.index])
        }
    }

    func pipeline(state: MigrationState, writing: WriteRoad, live: LiveWork) -> Pipeline {
        pipeline(pipelinePlan(state: state, writing: writing), events: live.events)
    }

    /// `redriving`: the epoch of dead letters that are to be fed. `settled`: see ``Ledger``.
    func pipeline(
        state: MigrationState, writing: WriteRoad, logger: Logger, redriving: Int64? = nil,
        settled: (@Sendable (RunReference, Outcome, Int) -> Void)? = nil
    ) -> Pipeline {
        var plan = pipelinePlan(state: state, writing: writing)
        if let redriving {
            plan.redriven = true
            plan.format.epoch = redriving
            // One id's letters may be of several partitions.
            plan.workers = 1
        }
        return pipeline(plan, events: WorkEvents(logger), settled: settled)
    }

    func pipeline(
        _ plan: PipelinePlan, events: WorkEvents, settled: (@Sendable (RunReference, Outcome, Int) -> Void)? = nil
    ) -> Pipeline {
        Pipeline(
            plan, target: survey.target, source: survey.source,
            deadLetters: DeadLetters.Options(
                settings: recipe.kafkaSettings, topic: recipe.deadLetterTopic, sourceTopic: recipe.commands.topic,
                migration: recipe.name, epoch: plan.format.epoch, redriven: plan.redriven),
            events: events, settled: settled)
    }
}

/// `init`: creates the target indices and the state, under the fingerprint that was confirmed.
public enum Initialisation {
    /// True when something was made, false when it had been made before under the same fingerprint.
    public static func run(_ prepared: Preparation, confirmation: String, logger: Logger) throws -> Bool {
        try prepared.passRails()
        guard confirmation == prepared.fingerprint else {
            throw WorkError(
                .refused,
                "the fingerprint to confirm is \(prepared.fingerprint), not \(confirmation): something changed since the "
                    + "plan was looked at, or it was mistyped. Look at `crossfade plan \(prepared.recipe.typed)` again")
        }
        let survey = prepared.survey
        let store = StateStore(target: survey.target, name: prepared.recipe.name)
        let writer = survey.target.writer
        if let state = survey.state, state.fingerprint != prepared.fingerprint {
            try store.update {
                $0.fingerprint = prepared.fingerprint
                $0.work = prepared.work
                $0.indices = Array(Set($0.indices + survey.entries.map(\.index))).sorted()
            }
        }
        let remade = survey.state.map { state in survey.entries.contains { !$0.exists && state.uuids[$0.index] != "" } }
        let missing = survey.entries.filter { !$0.exists }.map(\.index)
        if survey.state == nil {
            // State first: a crash after it leaves indices that are known to be ours.
            var state = MigrationState(
                name: prepared.recipe.name, phase: .created, fingerprint: prepared.fingerprint, work: prepared.work,
                created: WallClock.now(), indices: survey.entries.map(\.index))
            for index in missing { state.uuids[index] = "" }
            try store.create(state)
        } else if !missing.isEmpty {
            try store.update {
                for index in missing { $0.uuids[index] = "" }
                if remade == true { $0.startOver() }
            }
        }
        for (number, entry) in survey.entries.filter({ !$0.exists }).enumerated() {
            do {
                try writer.createIndex(
                    entry.index,
                    body: TargetMapping.createBody(
                        mapping: entry.mapping, settings: entry.settings, capabilities: survey.target.capabilities,
                        aliases: TargetAliases(index: entry.index).created(survey.target.capabilities)))
            } catch {
                // Nothing was made yet: nothing is left behind.
                if survey.state == nil, number == 0 { _ = try? writer.deleteIndex(store.index) }
                throw error
            }
            logger.info("created the target index", ["index": entry.index])
        }
        try settle(survey, store, writer)
        return survey.state == nil || !missing.isEmpty
    }

    /// Sees to the aliases of every index, and remembers which indices they are.
    private static func settle(_ survey: Survey, _ store: StateStore, _ writer: TargetWriter) throws {
        var uuids: [String: String] = [:]
        for entry in survey.entries {
            try TargetAliases(index: entry.index).restore(writer)
            uuids[entry.index] = try writer.indexUUID(entry.index)
        }
        try store.update { state in
            for (index, uuid) in uuids where state.uuids[index] ?? "" == "" { state.uuids[index] = uuid }
        }
    }
}

/// Which of its aliases the target is written through.
enum WriteRoad {
    case copy, log

    func alias(of index: String) -> String {
        let aliases = TargetAliases(index: index)
        return self == .copy ? aliases.copy : aliases.log
    }
}

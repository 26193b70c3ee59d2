import CommandLog
import Foundation
import JSONText
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
        let start = try survey.start(recipe, admin: admin)
        let work = survey.work(recipe)
        var rails = Rails(recipe: recipe, survey: survey, start: start).found
        if sampling {
            rails.append(try IDSample.take(recipe, watermarks: survey.watermarks, logger: logger).rail(recipe))
        }
        return Preparation(
            recipe: recipe, survey: survey, rails: rails,
            start: start, work: work, fingerprint: Fingerprint.of(work))
    }

    public var refusals: [Rail] { rails.filter { $0.verdict == .refused } }

    /// Throws the refusals as one error.
    public func passRails() throws(WorkError) {
        guard !refusals.isEmpty else { return }
        throw WorkError(.refused, refusals.map { "\($0.name): \($0.detail)" }.joined(separator: "; also "))
    }

    /// The state, when it stands under this very work, or the user has just confirmed the new one.
    func confirmed(_ confirmation: String?, logger: Logger) throws -> MigrationState {
        guard let state = survey.state else {
            throw WorkError(
                .refused,
                "migration \(recipe.name) is not initialised on \(survey.target.name): run `crossfade plan`, then "
                    + "`crossfade init --confirm \(fingerprint)`")
        }
        if let gone = survey.entries.first(where: { !$0.exists }) {
            throw WorkError(
                .refused,
                "the target index \(gone.index) is not there (any more): run `crossfade init --confirm \(fingerprint)`, which "
                    + "makes it again, then copy and replay")
        }
        guard state.fingerprint != fingerprint else { return state }
        guard confirmation == fingerprint else {
            let changes = Fingerprint.differences(state.work, work).joined(separator: "; ")
            throw WorkError(
                .refused,
                "what is to be done is not what was confirmed at init. Changed: \(changes). If that is meant, confirm it with "
                    + "--confirm \(fingerprint)")
        }
        logger.warning(
            "other work was confirmed; what is already written keeps its form until its document is written again",
            ["fingerprint": fingerprint])
        return try StateStore(target: survey.target, name: recipe.name).update {
            $0.fingerprint = fingerprint
            $0.work = work
        }
    }

    /// What the pipeline needs.
    func pipelinePlan(state: MigrationState) -> PipelinePlan {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return PipelinePlan(
            name: recipe.name, topic: recipe.commands.topic, format: recipe.commands.format,
            entries: survey.entries.map {
                PipelinePlan.Entry(
                    index: $0.index, transform: $0.recipe.transform, merge: $0.recipe.merge,
                    missing: $0.recipe.missing, from: $0.source.map(\.name), id: $0.recipe.id)
            },
            copyUnfinished: survey.source != nil && state.copyUnfinished, memory: recipe.limits.memory / 2,
            inFlight: recipe.limits.inFlight, deadLetterTopic: recipe.deadLetterTopic,
            workers: max(1, min(4, cores - 1)))
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

    func pipeline(state: MigrationState, logger: Logger) -> Pipeline {
        Pipeline(
            pipelinePlan(state: state), target: survey.target, source: survey.source,
            deadLetters: DeadLetters.Options(
                settings: recipe.kafkaSettings, topic: recipe.deadLetterTopic, sourceTopic: recipe.commands.topic),
            logger: logger)
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
                    + "plan was looked at, or it was mistyped. Look at `crossfade plan` again")
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
        var made = false
        if survey.state == nil {
            // State first: a crash after it leaves indices that are known to be ours.
            try store.create(
                MigrationState(
                    name: prepared.recipe.name, phase: .created, fingerprint: prepared.fingerprint,
                    work: prepared.work, created: Clock.now(), indices: survey.entries.map(\.index)))
            made = true
        }
        var created = 0
        for entry in survey.entries where !entry.exists {
            do {
                try writer.createIndex(
                    entry.index,
                    body: TargetMapping.createBody(
                        mapping: entry.mapping, settings: entry.settings, capabilities: survey.target.capabilities))
            } catch {
                // Nothing was made yet: nothing is left behind.
                if survey.state == nil, created == 0 { _ = try? writer.deleteIndex(store.index) }
                throw error
            }
            created += 1
            logger.info("created the target index", ["index": entry.index])
            made = true
        }
        return made
    }
}

enum Clock {
    /// Milliseconds since 1970.
    static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
}

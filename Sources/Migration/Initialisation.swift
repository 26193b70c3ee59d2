import Failures
import Planning
import Runtime
import Schema
import SearchCluster
import State
import Telemetry

/// `init`: creates the target indices and the state, under the fingerprint that was confirmed.
package enum Initialisation {
    /// Rails that do not concern it: an index that was deleted to mend a copy is made again.
    package static let unneeded: Set<String> = ["copy_deaths"]

    /// Throws when other work was confirmed than what was found.
    package static func check(_ confirmation: String, _ prepared: Preflight) throws(WorkError) {
        guard confirmation != prepared.fingerprint else { return }
        throw WorkError(
            .refused,
            "the fingerprint to confirm is \(prepared.fingerprint), not \(confirmation): something changed since "
                + "the plan was looked at, or it was mistyped. Look at "
                + "`crossfade plan \(prepared.recipe.typed)` again")
    }

    /// Returns true if it created something, false if everything was there already under the same fingerprint.
    package static func run(_ prepared: Preflight, confirmation: String, logger: Logger) throws -> Bool {
        try prepared.passRails(except: unneeded)
        try check(confirmation, prepared)
        let survey = prepared.survey
        try checkSource(survey)
        let store = StateStore(target: survey.target, name: prepared.recipe.name)
        let writer = survey.target.writer
        if let state = survey.state { try prepared.checkNotEnding(state) }
        if let state = survey.state, state.fingerprint != prepared.fingerprint {
            try confirmOther(prepared, state, store, logger)
        }
        let remade = survey.state.map { state in survey.entries.contains { !$0.exists && state.uuids[$0.index] != "" } }
        let missing = survey.entries.filter { !$0.exists }.map(\.index)
        let adopted = survey.entries.filter { survey.takesOver($0) }.map(\.index)
        if survey.state == nil {
            // The state is written first. After a crash it tells that the indices are ours.
            var state = MigrationState(
                name: prepared.recipe.name, phase: .created, fingerprint: prepared.fingerprint, work: prepared.work,
                created: WallClock.now(), indices: survey.entries.map(\.index))
            state.fence.term = state.created
            (state.fence.confirmedBy, state.fence.confirmedAt) = (.present, state.created)
            for index in missing { state.uuids[index] = "" }
            state.adopted = Set(adopted)
            try store.create(state)
        } else if !missing.isEmpty || !adopted.isEmpty {
            try store.update {
                for index in missing { $0.uuids[index] = "" }
                // An index that is made again is ours.
                $0.adopted = $0.adopted.subtracting(missing).union(adopted)
                if remade == true { $0.startOver(at: WallClock.now(), hasCommands: prepared.recipe.hasCommands) }
            }
        }
        for (number, entry) in survey.entries.filter({ !$0.exists }).enumerated() {
            do {
                try writer.createIndex(
                    entry.index,
                    body: TargetMapping.createBody(
                        mapping: entry.mapping, settings: entry.settings,
                        documentType: survey.target.capabilities.mappingType,
                        aliases: TargetAliases(index: entry.index, shown: entry.shown)
                            .created(survey.target.capabilities)))
            } catch {
                // Nothing was created yet, so the state is removed again.
                if survey.state == nil, number == 0 { _ = try? writer.deleteIndex(store.index) }
                throw error
            }
            logger.info("created the target index", ["index": entry.index])
        }
        try adopt(adopted, survey.target, logger)
        try settle(survey, store, writer)
        let isMade = survey.state == nil || !missing.isEmpty || !adopted.isEmpty
        if isMade {
            let parts = [("created", missing), ("adopted", adopted)].filter { !$0.1.isEmpty }
            let words = parts.map { "\($0.0) \($0.1.joined(separator: ", "))" }.joined(separator: "; ")
            prepared.record(.initialised, words, logger: logger)
        }
        return isMade
    }

    /// Deletes that commands or a repair bring are marked with fields of their own.
    private static func adopt(_ indices: [String], _ target: Cluster, _ logger: Logger) throws {
        for index in indices {
            try target.writer.putMapping(index, ["properties": .object(target.capabilities.tombstoneProperties)])
            logger.info("adopted the target index as it is", ["index": index])
        }
    }

    /// Confirms other work than `state` says.
    private static func confirmOther(
        _ prepared: Preflight, _ state: MigrationState, _ store: StateStore, _ logger: Logger
    ) throws {
        try prepared.refuseLiveMembers(state, logger: logger)
        try prepared.refuseToLeaveReaders(state)
        try mendMappings(prepared.survey, state, logger)
        try prepared.confirmOther(than: state, logger: logger)
    }

    /// Puts the mapping that was confirmed into the indices that are there with another one. A cluster adds fields, and
    /// does not change them.
    private static func mendMappings(_ survey: Survey, _ state: MigrationState, _ logger: Logger) throws {
        for entry in survey.entries where entry.exists && !entry.mappingFromSource {
            let before = state.work["indices"]?.array?.first { $0["index"]?.string == entry.index }?["mapping"]
            guard let before, before != .object(entry.mapping) else { continue }
            do throws(ClusterError) {
                try survey.target.writer.putMapping(entry.index, .object(entry.mapping))
            } catch {
                guard error.code == .badRequest else { throw error }
                throw Refusal.mappingCannotChange(index: entry.index).error(underlying: error.underlying)
            }
            logger.info("added to the mapping of the target index", ["index": entry.index])
        }
    }

    /// Throws when an index would have to be made again from a source that is away.
    private static func checkSource(_ survey: Survey) throws(WorkError) {
        if survey.hasSource, survey.source == nil, let gone = survey.entries.first(where: { !$0.exists }) {
            throw WorkError(
                .cluster,
                "the target index \(gone.index) is not there and cannot be made again without the source, from which "
                    + "it is to be copied: \(survey.sourceUnknown ?? "it was not asked"). If everything is in the "
                    + "topic, take `source` and `from` out of the recipe")
        }
    }

    /// Adds missing aliases to every index, and records the UUIDs of the indices.
    private static func settle(_ survey: Survey, _ store: StateStore, _ writer: TargetWriter) throws {
        var uuids: [String: String] = [:]
        for entry in survey.entries {
            try TargetAliases(index: entry.index, shown: entry.shown).restore(writer)
            uuids[entry.index] = try writer.indexUUID(entry.index)
        }
        try store.update { state in
            for (index, uuid) in uuids where state.uuids[index] ?? "" == "" { state.uuids[index] = uuid }
        }
    }
}

import CommandLog
import Commands
import Failures
import Foundation
import JSONText
import Recipe
import Runtime
import SearchCluster
import State
import Telemetry

/// All that is looked at and judged before anything is done. `plan` shows it, and every other command checks it.
package struct Preflight: Sendable {
    package let recipe: Recipe
    package let survey: Survey
    package let rails: [Rail]
    /// The offset per partition from which the log would be read.
    package let start: [Int32: Int64]
    package let work: JSONValue
    package let fingerprint: String
    /// nil: the log keeps its deletes, or it is not known whether it does, or that was not looked at.
    package let compaction: CompactionRail.Outlook?
    /// The clients that the caller has lent; nil: none, and what asks the brokers later makes its own.
    package let clients: LogClients?

    /// How much is looked at.
    package enum Depth: Int, Comparable {
        /// What can be asked for at once.
        case facts
        /// What of the log was not read yet, too.
        case log
        /// The samples of the topic and of the source, too.
        case samples
        /// All that `plan` shows.
        case plan

        package static func < (one: Depth, other: Depth) -> Bool { one.rawValue < other.rawValue }
    }

    /// - Parameters:
    ///   - isConfirming: whether the user confirms work with this command.
    ///   - clients: ask the brokers now, and for whoever has the result; nil: its own do, and end with this call.
    package static func prepare(
        _ recipe: Recipe, for purpose: Purpose, depth: Depth, isConfirming: Bool = false, adopts: Bool = false,
        clients lent: LogClients? = nil, logger: Logger
    ) throws -> Preflight {
        try recipe.checkHasCommands(for: purpose)
        let clients = purpose.asksLog ? try lent ?? LogClients(recipe, logger) : nil
        defer { if lent == nil { clients?.close() } }
        var survey: Survey
        do {
            survey = try Survey.look(
                recipe, for: purpose, isConfirming: isConfirming, clients: clients, logger: logger)
        } catch {
            // One question was forbidden; the user wants to know of all at once.
            guard depth >= .plan, RightsRail.isForbidden(error) else { throw error }
            throw RightsRail.explained(recipe) ?? error
        }
        survey.adopts = adopts
        let admin = survey.logUnknown == nil ? clients?.admin : nil
        var recipe = recipe
        try admin.map { try recipe.lookWhetherBeforeIsProof($0) }
        let start =
            try admin.map { try ReplayStart(recipe, survey, admin: $0, logger: logger) }
            ?? ReplayStart(offsets: [:])
        let work = survey.work(recipe)
        var rails = Rails(recipe: recipe, survey: survey, start: start).found
        rails += CopyDeathsRail.look(survey)
        if let admin, let rail = try GroupRail.look(recipe, survey, admin: admin) { rails.append(rail) }
        var compaction: CompactionRail.Outlook?
        if depth >= .log, let admin {
            let found = try CompactionRail.look(recipe, survey, start: start.offsets, admin: admin, logger: logger)
            rails.append(found.rail)
            compaction = found.outlook
        }
        rails += SourceRail.look(recipe, survey) + TemplateRail.look(recipe, survey)
        rails += try ChangedFormRail.look(recipe, survey, work: work)
        if depth >= .samples { rails += AdoptRail.look(recipe, survey) }
        if depth >= .samples { rails += try Samples.take(recipe, survey: survey, logger: logger).rails(recipe, survey) }
        if depth >= .plan { rails += ReadersRail.look(recipe, survey) }
        if depth >= .plan, let admin { rails.append(try DeadLetterRail.look(recipe, admin: admin)) }
        if depth >= .plan { rails += try RightsRail.look(recipe, survey, admin: admin) }
        return Preflight(
            recipe: recipe, survey: survey, rails: rails.map { $0.answered(by: recipe) },
            start: start.offsets, work: work, fingerprint: Fingerprint.of(work), compaction: compaction,
            clients: lent)
    }

    /// Target indices that were there before `init` and are, or would be, taken as they are.
    package var adopted: [String] {
        survey.entries.filter { survey.takesOver($0) || survey.state?.adopted.contains($0.index) == true }.map(\.index)
    }

    package var refusals: [Rail] { rails.filter { $0.verdict == .refused } }

    /// What the recipe accepts, and whether that is a refusal at present, as far as was looked.
    package var accepted: [(acceptance: Recipe.Acceptance, isNeeded: Bool)] {
        recipe.accept.map { accepted in (accepted, rails.contains { $0.name == accepted.rail && $0.accepted != nil }) }
    }

    /// Throws all refusals as one error, except those of the rails in `unneeded`, which do not concern this work.
    package func passRails(except unneeded: Set<String> = []) throws(WorkError) {
        let refusals = refusals.filter { !unneeded.contains($0.name) }
        guard !refusals.isEmpty else { return }
        throw WorkError(.refused, refusals.map { "\($0.name): \($0.detail)" }.joined(separator: "; also "))
    }

    /// The command line that creates the target index.
    private var initialising: String { "crossfade init \(recipe.typed) --confirm \(fingerprint)" }

    /// Whether `init` has nothing left to do: everything was made under this fingerprint.
    package var isMade: Bool {
        guard let state = survey.state, state.fingerprint == fingerprint else { return false }
        return survey.entries.allSatisfy { $0.exists && state.uuids[$0.index] != "" }
    }

    /// Throws where the migration is being cancelled or finished.
    package func checkNotEnding(_ state: MigrationState) throws(WorkError) {
        guard state.cutover.end != .cancelled else {
            throw WorkError(
                .refused,
                "migration \(recipe.name) is being cancelled, and the cancel was broken off: run "
                    + "`crossfade cancel \(recipe.typed) --yes` again")
        }
        guard state.cutover.end != .finished else {
            throw WorkError(
                .refused,
                "migration \(recipe.name) is being finished, and that was broken off: run "
                    + "`crossfade finish \(recipe.typed) --yes` again")
        }
    }

    /// Throws if the work must not begin: not initialised, an index is missing, or other work was confirmed. Changes
    /// nothing.
    @discardableResult
    package func checkConfirmed(_ confirmation: String?) throws(WorkError) -> MigrationState {
        guard let state = survey.state else {
            throw WorkError(
                .refused,
                "migration \(recipe.name) is not initialised on \(survey.target.name): run "
                    + "`crossfade plan \(recipe.typed)`, then `\(initialising)`")
        }
        try checkNotEnding(state)
        if let gone = survey.entries.first(where: { !$0.exists }) {
            throw WorkError(
                .refused,
                "the target index \(gone.index) is not there (any more): run `\(initialising)`, which makes it again, "
                    + "then "
                    + "copy and replay")
        }
        if let half = survey.entries.first(where: { state.uuids[$0.index] == "" }) {
            throw WorkError(
                .refused,
                "init was broken off while it made the target index \(half.index): run `\(initialising)` again")
        }
        guard state.fingerprint == fingerprint || confirmation == fingerprint else {
            let changes = differences(from: state).joined(separator: "; ")
            throw WorkError(
                .refused,
                "what is to be done is not what was confirmed at init. Changed: \(changes). If that is meant, confirm "
                    + "it: `\(initialising)`. The present work was confirmed \(state.confirmationWords)")
        }
        return state
    }

    /// The state, if it was confirmed for this work, or if the user has just confirmed this work.
    package func confirmed(_ confirmation: String?, logger: Logger) throws -> MigrationState {
        let state = try checkConfirmed(confirmation)
        for rail in rails {
            guard let why = rail.accepted else { continue }
            logger.warning("a refusal is accepted", ["rail": rail.name, "because": why])
        }
        try restoreAliases(logger)
        guard state.fingerprint != fingerprint else { return state }
        try refuseLiveMembers(state, logger: logger)
        logger.warning(
            "other work was confirmed; what is already written keeps its form until its document is written again",
            ["fingerprint": fingerprint])
        return try confirmOther(than: state, logger: logger)
    }

    /// Throws where readers are on an index that this work does not keep current.
    package func refuseToLeaveReaders(_ state: MigrationState) throws(WorkError) {
        let kept = Set(survey.entries.map(\.index))
        let left = Set(state.cutover.moved.flatMap(\.to).map(\.index)).subtracting(kept).sorted()
        guard left.isEmpty else {
            throw WorkError(
                .refused,
                "readers are on \(left.joined(separator: ", ")), which the recipe does not write any more: nobody "
                    + "would keep it current. Roll back first, with the recipe as it was, or take \(left[0]) into "
                    + "the recipe again")
        }
    }

    /// Writes down that this work is confirmed in place of the one that `state` says. Throws when somebody else has
    /// confirmed yet another one meanwhile, or has begun work that only one process does.
    @discardableResult
    package func confirmOther(than state: MigrationState, logger: Logger) throws -> MigrationState {
        try refuseToLeaveReaders(state)
        let changed = try StateStore(target: survey.target, name: recipe.name).update {
            if $0.fingerprint != fingerprint { try $0.check(isStill: state.fingerprint) }
            try refuseToLeaveReaders($0)
            let taken = $0.fence.taken(since: state.fence)
            if !taken.isEmpty {
                let now = WallClock.now()
                let members = taken.map { MemberReport($0.value, command: $0.key).words(now: now) }
                throw Refusal.membersLive(migration: recipe.name, members: members).error()
            }
            $0.confirm(fingerprint, work: work, by: .present, at: WallClock.now())
        }
        record(.confirmed, differences(from: state, limit: 3).joined(separator: "; "), logger: logger)
        return changed
    }

    /// What this work differs in from the confirmed one, in words that may be shown.
    package func differences(from state: MigrationState, limit: Int = 8) -> [String] {
        let shown = SubstitutedValues(recipe).masked(work)
        return Fingerprint.differences(state.work, work, shown: shown, limit: limit)
    }

    /// The state, for this work alone.
    package var store: StateStore { store(on: survey.target) }

    /// Writes into the migration's history what was done under this work.
    package func record(_ what: HistoryEvent.What, _ detail: String = "", logger: Logger) {
        HistoryStore(store, target: survey.target.answering(withinSeconds: 5), logger: logger)
            .record(HistoryEvent(what, detail, fingerprint: fingerprint))
    }

    /// Does what may refuse the work before it begins. A refusal is left in the history, so that others see why nobody
    /// works. Without a state there is no history, and while the migration ends nothing is added.
    package func leaving<Answer>(
        _ what: HistoryEvent.What, logger: Logger, _ checks: () throws -> Answer
    ) throws -> Answer {
        do {
            return try checks()
        } catch let error as WorkError where error.code == .refused {
            // Asked again: what is written after somebody has cancelled would make the state's index anew.
            if let state = try? store.load(), state.cutover.end == nil { record(what, "\(error)", logger: logger) }
            throw error
        }
    }

    /// The same through another connection to the target.
    package func store(on target: Cluster) -> StateStore {
        StateStore(target: target, name: recipe.name).fenced(fingerprint)
    }

    /// Adds aliases that somebody removed. The rails have checked that each index is the one that `init` made.
    private func restoreAliases(_ logger: Logger) throws {
        for entry in survey.entries
        where try TargetAliases(index: entry.index, shown: entry.shown).restore(survey.target.writer) {
            logger.warning("an alias of the target index was missing and is there again", ["index": entry.index])
        }
    }
}

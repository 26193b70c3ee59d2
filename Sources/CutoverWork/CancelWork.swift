import Cutover
import Failures
import Foundation
import Migration
import Planning
import Recipe
import Runtime
import SearchCluster
import State
import Telemetry

/// `cancel`: removes what `init` and the work after it have made, and nothing else.
///
/// Every step can be repeated. The state goes last, so that a cancel that was broken off goes on.
package struct CancelWork {
    package struct Options: Sendable {
        /// The dead-letter topic is deleted, too, although it holds letters.
        package var deletesDeadLetters = false
        /// Nothing is removed; the result says what would be.
        package var isDry = false

        package init() {}
    }

    package struct Result: Sendable {
        /// What was there and is not any more; of a dry run: what would be removed.
        package var removed: [String] = []
        package var kept: [String] = []
        /// There was nothing to cancel.
        package var isNothing = false
    }

    let recipe: Recipe
    let options: Options
    let logger: Logger

    package init(_ recipe: Recipe, options: Options, logger: Logger) {
        (self.recipe, self.options, self.logger) = (recipe, options, logger)
    }

    package func run() throws -> Result {
        let target = try recipe.connectTarget()
        let store = StateStore(target: target, name: recipe.name)
        var result = Result()
        guard let state = try store.load() else {
            result.isNothing = true
            return result
        }
        let away = try Self.away(state, target.writer)
        try check(state, store, target, away)
        if options.isDry { return try planned(state, store, target.writer) }
        // From now on nobody begins anything: every command refuses a cancelled migration.
        try store.update { state in
            do {
                try state.cutover.checkCancel(away: away)
            } catch let refusal as CutoverRefusal {
                throw refusal.error
            }
            state.cutover.end = .cancelled
        }
        let writer = target.writer
        for (index, why) in try indices(state, writer) {
            try Self.goOn()
            if let why {
                if state.adopted.contains(index) { try release(index, writer) }
                result.kept.append("index \(index): \(why)")
            } else {
                try writer.deleteIndex(index)
                result.removed.append("index \(index)")
            }
        }
        // A marker may stand on an old index, where no target index was left to carry it.
        for (alias, index) in try Turn.aliases(store, writer) where index != store.index {
            try writer.updateAliases([AliasAction.remove(alias, index)])
            result.removed.append("alias \(alias)")
        }
        try removeFromLog(&result)
        try writer.deleteIndex(store.index)
        result.removed.append("index \(store.index)")
        return result
    }

    /// The target indices that are there, and why one is kept; nil: it is removed.
    private func indices(_ state: MigrationState, _ writer: TargetWriter) throws -> [(index: String, kept: String?)] {
        try state.uuids.sorted { $0.key < $1.key }.compactMap { index, uuid in
            try Self.goOn()
            guard let now = try writer.indexUUID(index) else { return nil }
            if state.adopted.contains(index) {
                return (
                    index,
                    "it was there before init; our aliases are taken off it, and its mapping keeps the fields "
                        + "of tombstones"
                )
            }
            // An empty one: init was broken off while it made the index.
            guard uuid == now || uuid.isEmpty else {
                return (index, "it was made again by somebody else (UUID \(now))")
            }
            return (index, try isMade(index, writer) ? nil : Self.unmarked)
        }
    }

    /// Throws after a signal. What was removed by then is found gone by the next `cancel`.
    private static func goOn() throws(WorkError) {
        guard StopSignal.isAsked else { return }
        throw WorkError(.interrupted, "interrupted before the end: run cancel again, which completes it")
    }

    private static let unmarked =
        "the recipe does not name it, and it has none of our aliases: if init made it, delete it by hand"

    /// Whether something besides the state says that `init` made an index. Whoever can write the state must not be able
    /// to have any index deleted.
    private func isMade(_ index: String, _ writer: TargetWriter) throws -> Bool {
        if recipe.indices.contains(where: { $0.to == index }) { return true }
        return try !ownAliases(of: index, writer).isEmpty
    }

    /// Those of our aliases that stand on an index.
    private func ownAliases(of index: String, _ writer: TargetWriter) throws -> [String] {
        let own = TargetAliases(index: index)
        let present = try writer.aliases(of: index)
        return [own.readers, own.log, own.copy].filter { present[$0] != nil }
    }

    private func planned(_ state: MigrationState, _ store: StateStore, _ writer: TargetWriter) throws -> Result {
        var result = Result()
        for (index, why) in try indices(state, writer) {
            if let why { result.kept.append("index \(index): \(why)") } else { result.removed.append("index \(index)") }
        }
        for (alias, index) in try Turn.aliases(store, writer) where index != store.index {
            if result.removed.contains("index \(index)") { continue }
            result.removed.append("alias \(alias)")
        }
        let leftovers = LogLeftovers(recipe: recipe, logger: logger)
        if try leftovers.hasGroup() { result.removed.append("consumer group \(recipe.commands.group)") }
        if let letters = try leftovers.deadLetterRecords() {
            let topic = "topic \(recipe.deadLetterTopic)"
            if letters == 0 || options.deletesDeadLetters {
                result.removed.append(topic)
            } else {
                result.kept.append("\(topic): it holds \(letters) records (--delete-dead-letters)")
            }
        }
        result.removed.append("index \(store.index)")
        return result
    }

    /// Takes our aliases off an index that is not ours.
    private func release(_ index: String, _ writer: TargetWriter) throws {
        let actions = try ownAliases(of: index, writer).map { AliasAction.remove($0, index) }
        if !actions.isEmpty { try writer.updateAliases(.array(actions)) }
    }

    /// Aliases of a rollover that somebody has moved to other indices by hand. One that stands nowhere is not among
    /// them: its readers get errors until a rollback puts it on the old index.
    private static func away(_ state: MigrationState, _ writer: TargetWriter) throws -> Set<String> {
        try state.cutover.moved.reduce(into: []) { found, move in
            try goOn()
            let indices = Set(try writer.indices(behind: move.alias).map(\.index))
            guard indices.isDisjoint(with: move.to.map(\.index)), indices.isEmpty == move.from.isEmpty else { return }
            found.insert(move.alias)
        }
    }

    private func check(_ state: MigrationState, _ store: StateStore, _ target: Cluster, _ away: Set<String>) throws {
        do {
            try state.cutover.checkCancel(away: away)
        } catch {
            throw error.error
        }
        let alive = try LiveMembers(store, target: target, logger: logger).words(of: state)
        guard alive.isEmpty else {
            throw WorkError(.refused, alive.joined(separator: "; ") + ": stop it first, then cancel")
        }
        guard !LogLeftovers(recipe: recipe, logger: logger).groupHasMembers() else {
            throw WorkError(
                .refused,
                "the consumer group \(recipe.commands.group) has members, so a process of Crossfade still reads for "
                    + "it: stop it first, then cancel. One that was killed leaves the group within a minute")
        }
        for index in state.uuids.keys where !state.adopted.contains(index) {
            try Self.goOn()
            let aliases = try target.writer.aliases(of: index).map(\.key)
            let own = TargetAliases(index: index)
            let foreign = aliases.filter {
                ![own.readers, own.log, own.copy].contains($0) && !$0.hasPrefix(store.index)
            }
            guard foreign.isEmpty else {
                throw WorkError(
                    .refused,
                    "alias \(foreign.sorted().joined(separator: ", ")) stands on \(index): something may read there. "
                        + "Move it away first")
            }
        }
    }

    /// Our consumer group, and the dead-letter topic.
    private func removeFromLog(_ result: inout Result) throws {
        let leftovers = LogLeftovers(recipe: recipe, logger: logger)
        if try leftovers.deleteGroup() { result.removed.append("consumer group \(recipe.commands.group)") }
        let topic = recipe.deadLetterTopic
        guard let letters = try leftovers.deadLetterRecords() else { return }
        guard letters == 0 || options.deletesDeadLetters else {
            result.kept.append("topic \(topic): it holds \(letters) records; delete it with Kafka's own tools")
            return
        }
        if try leftovers.deleteDeadLetters() { result.removed.append("topic \(topic)") }
    }
}

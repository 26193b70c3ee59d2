import DeadLetters
import Failures
import Planning
import Recipe
import Runtime
import SearchCluster
import State
import Telemetry

/// `dead-letters discard`: says of letters that they are meant to stay dead. They count as resolved from then on. One
/// whose record dies again for another reason is unresolved again.
package struct DiscardWork {
    package struct Result: Sendable {
        package var discarded: [DeadLetter]
        /// Letters that are still unresolved.
        package var left: Int
        /// Letters that were gone from the topic unresolved, and count no more.
        package var gone = 0
    }

    private let recipe: Recipe
    private let filter: DeadLetterFilter
    private let why: String
    private let logger: Logger

    package init(_ recipe: Recipe, filter: DeadLetterFilter, why: String, logger: Logger) {
        (self.recipe, self.filter, self.why, self.logger) = (recipe, filter, why, logger)
    }

    package func run() throws -> Result {
        let target = try recipe.connectTarget()
        let store = StateStore(target: target, name: recipe.name)
        let state = try store.loaded(recipe: recipe.typed)
        let letters = try DeadLetterReader(recipe, logger: logger).letters()
        var filter = filter
        filter.all = false
        let chosen = filter.select(letters)
        try LetterResolutions(recipe, logger: logger).write(chosen, .discarded, why: why)
        let settlement = LetterSettlement(recipe: recipe, store: store, logger: logger)
        // Who chooses letters has seen them, and says nothing of those that nobody can see.
        let gone = filter.isEmpty ? try settlement.forgive() : 0
        if !filter.isEmpty { settlement.keep() }
        if !chosen.isEmpty || gone > 0 {
            let lost = gone > 0 ? ", and \(gone) that are gone" : ""
            HistoryStore(store, target: target, logger: logger).record(
                HistoryEvent(
                    .discarded, "\(chosen.count) dead letters\(lost): \(why)", fingerprint: state.fingerprint))
        }
        return Result(discarded: chosen, left: letters.count { $0.resolved == nil } - chosen.count, gone: gone)
    }
}

extension LetterResolutions {
    /// Those of the recipe's migration.
    package init(_ recipe: Recipe, logger: Logger) {
        self.init(
            settings: recipe.kafkaSettings, topic: recipe.deadLetterTopic, migration: recipe.name, logger: logger)
    }
}

import DeadLetters
import Recipe
import Runtime
import Telemetry

extension DeadLetterReader {
    /// Reads the dead letters of the recipe's migration.
    package init(_ recipe: Recipe, logger: Logger) {
        self.init(
            Options(
                settings: recipe.kafkaSettings, topic: recipe.deadLetterTopic, migration: recipe.name,
                format: recipe.commands.format, idTemplates: recipe.indices.map(\.id)),
            logger: logger)
    }

    /// What a redrive may still write, for the purge of tombstones. A letter that was resolved less than
    /// `tombstone_age` ago counts too: a redrive that was killed may have sent it, and that request may still arrive.
    ///
    /// Letters of records that could not be decoded do not count, because they would stop every purge for ever.
    /// ``RedriveWork`` does not send those that died before a purge.
    package static func unresolved(_ recipe: Recipe, logger: Logger) throws -> UnresolvedLetters {
        // Without commands there is no topic that could hold any.
        let letters = recipe.hasCommands ? try DeadLetterReader(recipe, logger: logger).letters() : []
        return UnresolvedLetters(letters, now: WallClock.now(), tombstoneAge: recipe.tombstoneAge)
    }
}

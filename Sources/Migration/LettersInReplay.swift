import CommandLog
import DeadLetters
import Indexing
import Pipeline
import Planning
import Recipe
import Telemetry

/// What a replay does about the dead letters of the records that it reads. Used by its poll thread only.
final class LettersInReplay {
    private let recipe: Recipe
    private let logger: Logger
    private var letters: ReplayedLetters

    /// Where the letters cannot be read, none is resolved, and the replay goes on.
    init(_ recipe: Recipe, logger: Logger) {
        (self.recipe, self.logger) = (recipe, logger)
        var found: [DeadLetter] = []
        do {
            found = try DeadLetterReader(recipe, logger: logger).letters()
        } catch {
            logger.warning("the dead letters are not known; the replay resolves none", ["error": "\(error)"])
        }
        letters = ReplayedLetters(found, topic: recipe.commands.topic, epoch: recipe.commands.format.epoch)
    }

    /// Records of one partition were read.
    func read(_ records: RecordBatch, _ run: PolledRun) {
        guard letters.concerns(run.partition) else { return }
        for place in run.records { letters.read(run.partition, records[place].offset) }
    }

    /// Resolves the letters of records that have their outcome and did not die again. Returns how many.
    func resolve(settled: [Int32: Int64]) -> Int {
        guard !letters.isEmpty else { return 0 }
        do {
            let now = try DeadLetterReader(recipe, logger: logger).letters()
            let resolved = letters.resolved(settled: settled, now: now)
            try LetterResolutions(recipe, logger: logger).write(resolved, .replayed)
            if !resolved.isEmpty {
                logger.info("dead letters are resolved: their records were replayed", ["letters": resolved.count])
            }
            return resolved.count
        } catch {
            logger.warning(
                "dead letters whose records were replayed stay unresolved; a redrive resolves them",
                ["error": "\(error)"])
            return 0
        }
    }
}

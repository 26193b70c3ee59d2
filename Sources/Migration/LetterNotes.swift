import DeadLetters
import Failures
import Pipeline
import Planning
import Recipe
import SearchCluster
import State
import Synchronization
import Telemetry

/// Keeps in the state how many dead letters a pipeline has written.
package final class LetterNotes: Sendable {
    private let store: StateStore
    private let topic: String
    private let letters: DeadLetterWriter
    private let logger: Logger
    private let kept = Mutex(0)

    package init(_ recipe: Recipe, store: StateStore, letters: DeadLetterWriter, logger: Logger) {
        (topic, self.store, self.letters, self.logger) = (recipe.deadLetterTopic, store, letters, logger)
    }

    package var isDue: Bool { kept.withLock { letters.written > $0 } }

    package func keep() throws {
        try kept.withLock { kept in
            let written = letters.written
            guard written > kept else { return }
            let fresh = written - kept
            try store.update { $0.letters.wrote(fresh, to: topic) }
            kept = written
        }
    }

    /// At the end of the work, when nobody asks again.
    package func keepLast() {
        do {
            try keep()
        } catch let error as ClusterError {
            logger.warning(
                """
                the state could not take how many dead letters were written: if their topic is emptied, nobody misses \
                them
                """,
                ["topic": topic, "error": "\(error)"])
        } catch {
            // Other work is confirmed by now, or the migration was cancelled.
            logger.debug("dead letters are not counted any more", ["because": "\(error)"])
        }
    }
}

extension LetterTally.Present {
    package init(_ letters: [DeadLetter]) {
        self.init(
            deaths: letters.reduce(0) { $0 + $1.deaths },
            unresolved: letters.reduce(0) { $0 + ($1.resolved == nil ? $1.deaths : 0) })
    }
}

/// Keeps in the state which letters are resolved, after work that resolves them.
package struct LetterSettlement {
    let recipe: Recipe
    let store: StateStore
    let logger: Logger

    /// A failure does no harm: the letters count as unresolved until the next time, unless they stay in the topic.
    package func keep() {
        do {
            try look { $0.settle(recipe.deadLetterTopic, before: $1, present: $2) }
        } catch {
            logger.debug("the state was not told which dead letters are resolved", ["because": "\(error)"])
        }
    }

    /// Those that are gone are not needed. Returns how many there were.
    package func forgive() throws -> Int {
        var count = 0
        try look { count = $0.forgive(recipe.deadLetterTopic, before: $1, present: $2) }
        return count
    }

    private func look(
        _ change: (inout LetterTally, _ before: LetterTally, LetterTally.Present) -> Void
    ) throws {
        guard let before = try store.load()?.letters, !before.topics.isEmpty else { return }
        let present = LetterTally.Present(try DeadLetterReader(recipe, logger: logger).letters())
        try store.update { change(&$0.letters, before, present) }
    }
}

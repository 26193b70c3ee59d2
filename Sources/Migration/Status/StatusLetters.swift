import CommandLog
import DeadLetters
import Planning
import Recipe
import State
import Telemetry

extension Status {
    /// Dead letters that nothing has resolved.
    package struct Letters: Sendable {
        /// By reason; nil: unknown.
        package var unresolved: [String: Int]?
        /// Why it is unknown.
        package var unknown: String?
        /// So many unresolved letters are in the topic no more.
        package var gone = 0
        /// Unresolved letters in topics that the recipe named before.
        package var left: [String: Int] = [:]
        var topic = ""

        package init(unresolved: [String: Int]? = nil, unknown: String? = nil) {
            (self.unresolved, self.unknown) = (unresolved, unknown)
        }

        /// Nobody has looked.
        package static let unread = Letters(unknown: "nobody has looked")

        /// Reads the whole dead-letter topic.
        /// - Parameters:
        ///   - tally: as it was before; nil: nothing was counted.
        ///   - trouble: why the command topic could not be looked at. Brokers that did not answer are not asked again.
        package static func read(
            _ recipe: Recipe, tally: LetterTally?, unlessAway trouble: LogError? = nil, logger: Logger
        ) throws -> Letters {
            guard recipe.hasCommands else { return Letters(unresolved: [:]) }
            if let trouble, trouble.code != .missingTopic { return Letters(unknown: "\(trouble)") }
            do {
                let letters = try DeadLetterReader(recipe, logger: logger).letters()
                return Letters(letters, topic: recipe.deadLetterTopic, tally: tally)
            } catch let error as LogError {
                return Letters(unknown: "\(error)")
            }
        }

        package init(_ letters: [DeadLetter], topic: String, tally: LetterTally?) {
            let open = letters.filter { $0.resolved == nil }
            unresolved = Dictionary(open.map { ($0.reason, 1) }, uniquingKeysWith: +)
            self.topic = topic
            gone = tally?.gone(from: topic, present: LetterTally.Present(letters)) ?? 0
            left = tally?.left(besides: topic) ?? [:]
        }

        /// What nobody can read or redrive any more, in words.
        package var lost: [String] {
            var found = left.sorted { $0.key < $1.key }.map {
                "\(Self.count($0.value)) unresolved in \($0.key), which the recipe named before"
            }
            if gone > 0 {
                found.append(
                    "\(Self.count(gone)) gone from \(topic) unresolved: it was deleted, made again or emptied")
            }
            return found
        }

        private static func count(_ count: Int) -> String { "\(count) dead letter\(count == 1 ? "" : "s")" }
    }
}

import DeadLetters
import Foundation
import JSONText
import Migration
import Pipeline
import Recipe
import SearchCluster
import State
import Telemetry

/// The output of `dead-letters list`.
struct DeadLetterList: Sendable {
    let topic: String
    /// The number of dead letters in the topic, and of the unresolved ones among them.
    let total: Int
    let unresolved: Int
    let letters: [DeadLetter]
    /// Letters that nobody can read any more, in words.
    let lost: [String]
    /// The recipe, as it is typed.
    private let recipe: String

    /// `tally`: as it was before the letters were read; nil: it is not known.
    init(_ recipe: Recipe, all: [DeadLetter], chosen filter: DeadLetterFilter, tally: LetterTally?) {
        (topic, self.recipe) = (recipe.deadLetterTopic, recipe.typed)
        lost = Status.Letters(all, topic: topic, tally: tally).lost
        total = all.count
        unresolved = all.count { $0.resolved == nil }
        letters = filter.select(all)
    }

    var json: JSONValue {
        [
            "topic": .string(topic), "total": .number(total), "unresolved": .number(unresolved),
            "letters": .array(letters.map(\.json)), "lost": .array(lost.map { .string($0) }),
        ]
    }

    private var next: [String] {
        let open = letters.filter { $0.resolved == nil }
        guard !open.isEmpty else { return [] }
        return [
            "next, once the cause is mended: crossfade dead-letters redrive \(recipe)",
            "for those that cannot be mended: crossfade dead-letters discard \(recipe) --why TEXT",
        ]
    }

    private var lostLines: [String] {
        lost.isEmpty ? [] : lost + ["next: " + Standing.lostLettersAdvice(recipe)]
    }

    var text: String {
        let rows =
            [["AT", "TIME", "REASON", "ID", "DEATHS", "RESOLVED", "DETAIL"]]
            + letters.map { letter in
                [
                    letter.originText, DeadLetterTime.text(letter.time), letter.reason,
                    letter.shownID, String(letter.deaths),
                    letter.resolution,
                    VisibleText.line(DeadLetterText.withoutValue(letter.detail), limit: 120),
                ]
            }
        let said = "\(letters.count) shown; \(topic) holds \(total) dead letters, \(unresolved) of them unresolved"
        let shown = letters.isEmpty ? [said] : TableText.lines(rows) + [said]
        return (shown + next + lostLines).joined(separator: "\n")
    }
}

extension DeadLetter {
    /// The document's id; where the recipe cannot tell it, the record's key.
    fileprivate var shownID: String {
        if let id { return VisibleText.line(id, limit: 40) }
        return key.map { "key " + VisibleText.line($0, limit: 36) } ?? ""
    }

    /// Whether it is resolved, and how.
    fileprivate var resolution: String {
        guard let resolved else { return "no" }
        return resolved + (why.map { ": " + VisibleText.line($0, limit: 60) } ?? "")
    }
}

/// The output of `dead-letters show`.
extension DeadLetterReader.Whole {
    var json: JSONValue {
        var object = letter.json.object ?? JSONObject()
        object["detail"] = .string(letter.detail)
        object["headers"] = .array(
            headers.map { ["name": .string($0.name), "value": $0.value.map { DeadLetterText.json($0) } ?? .null] })
        object["value"] = value.map { DeadLetterText.json($0) } ?? .null
        return .object(object)
    }

    var text: String {
        var lines = [
            "at        \(VisibleText.line(letter.originText))", "reason    \(VisibleText.line(letter.reason))",
            "detail    \(VisibleText.line(letter.detail))",
            "time      \(DeadLetterTime.text(letter.time))",
            "version   \(letter.version)", "key       \(letter.key.map { VisibleText.line($0) } ?? "null")",
            "resolved  \(letter.resolution)",
        ]
        for header in headers {
            let value = header.value.map { VisibleText.line($0) } ?? "null"
            lines.append("header    \(VisibleText.line(header.name)): \(value)")
        }
        lines.append("value     \(value.map { VisibleText.line($0) } ?? "null")")
        return lines.joined(separator: "\n")
    }
}

extension LetterTally {
    /// What the state says; nil: the target does not answer now, or nothing is initialised. The letters can be listed
    /// all the same.
    static func kept(of recipe: Recipe) -> LetterTally? {
        guard let target = try? Cluster.connect(recipe.target, withinSeconds: 3) else { return nil }
        return try? StateStore(target: target, name: recipe.name).load()?.letters
    }
}

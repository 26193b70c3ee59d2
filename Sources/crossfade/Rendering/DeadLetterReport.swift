import DeadLetters
import Foundation
import JSONText
import Pipeline
import Telemetry

/// The output of `dead-letters list`.
struct DeadLetterList: Sendable {
    let topic: String
    /// The number of dead letters in the topic, and of the unresolved ones among them.
    let total: Int
    let unresolved: Int
    let letters: [DeadLetter]

    init(topic: String, all: [DeadLetter], chosen filter: DeadLetterFilter) {
        self.topic = topic
        total = all.count
        unresolved = all.count { $0.resolved == nil }
        letters = filter.select(all)
    }

    var json: JSONValue {
        [
            "topic": .string(topic), "total": .number(total), "unresolved": .number(unresolved),
            "letters": .array(letters.map(\.json)),
        ]
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
        return (letters.isEmpty ? [said] : TableText.lines(rows) + [said]).joined(separator: "\n")
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

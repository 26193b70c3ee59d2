import DeadLetters
import Foundation
import JSONText
import Migration
import Recipe
import Telemetry

/// The output of `purge`.
extension PurgeSummary {
    var json: JSONValue {
        [
            "command": "purge", "complete": .bool(report.complete), "found": .number(report.found),
            "purged": .number(report.purged),
            "kept": .object(
                JSONObject(PurgeReport.reasons.map { ($0, .number(report.kept[$0] ?? 0)) })),
            "redriven_until": report.redrivenUntil.map { .number($0) } ?? .null,
            "older_than": age.map { .string(RecipeDuration.text($0)) } ?? .null,
            "seconds": .number(String(format: "%.3f", seconds)), "accepted": AcceptanceReport.json(accepted),
            "next": .array(next.map { .string($0) }),
        ]
    }

    var text: String {
        let age = age.map { "older than \(RecipeDuration.text($0))" } ?? "of any age"
        var lines = [
            "purge \(report.complete ? "done" : "interrupted"): \(report.found) tombstones, \(report.purged) \(age) "
                + "purged"
        ]
        for reason in PurgeReport.reasons {
            if let count = report.kept[reason], count > 0 { lines.append("  \(count) \(why(reason))") }
        }
        lines += AcceptanceReport.lines(accepted).map { "  " + $0 }
        return VisibleText.joined(lines + next.map { "next: \($0)" })
    }

    /// Why tombstones are kept, and until when.
    private func why(_ reason: String) -> String {
        switch reason {
        case "younger": return "kept until they are \(age.map { RecipeDuration.text($0) + " old" } ?? "older")"
        case "dead_letter":
            return
                "kept as long as there are unresolved dead letters of their documents: redrive those, which could "
                + "bring the documents back"
        case "redriven":
            let until = report.redrivenUntil.map { DeadLetterTime.text($0) } ?? "-"
            return "kept until \(until): dead letters of their documents were redriven less than tombstone_age "
                + "(\(RecipeDuration.text(tombstoneAge))) ago, and a redrive that was killed may still be on its way"
        case "newer": return "written again meanwhile"
        case "gone": return "gone already"
        default: return reason
        }
    }
}

import DeadLetters
import Failures
import Foundation
import JSONText
import Pipeline
import Planning
import Recipe
import Runtime
import SearchCluster
import State
import Telemetry

/// `purge`: deletes the tombstones that are older than an age, once.
package struct PurgeWork {
    package let prepared: Preflight
    /// The least age in milliseconds; nil: any age.
    package let age: Int64?
    package let logger: Logger

    /// `olderThan`: the least age in milliseconds; nil: the recipe's `tombstone_age`. `all`: any age, for the end of a
    /// migration.
    package init(_ prepared: Preflight, olderThan: Int64?, all: Bool, logger: Logger) {
        self.prepared = prepared
        age = all ? nil : olderThan ?? prepared.recipe.tombstoneAge
        self.logger = logger
    }

    package func run() throws -> PurgeSummary {
        // Refusals about the log do not matter for a purge. Those about the target do.
        let needed: Set<String> = ["target_identity", "target_content", "target_closed"]
        let refusals = prepared.refusals.filter { needed.contains($0.name) }
        guard refusals.isEmpty else {
            throw WorkError(.refused, refusals.map { "\($0.name): \($0.detail)" }.joined(separator: "; also "))
        }
        _ = try prepared.confirmed(nil, logger: logger)
        let begun = MonotonicClock.milliseconds()
        let report = try prepared.purge(logger: logger).run(before: age.map { WallClock.now() - $0 }) {
            StopSignal.isAsked
        }
        return PurgeSummary(
            report: report, age: age, tombstoneAge: prepared.recipe.tombstoneAge, recipe: prepared.recipe.typed,
            seconds: Double(MonotonicClock.milliseconds() - begun) / 1000)
    }
}

extension Preflight {
    /// A purge of this migration's target indices.
    package func purge(logger: Logger) -> Purge {
        Purge(
            target: survey.target, indices: survey.entries.map(\.index),
            store: StateStore(target: survey.target, name: recipe.name), recipeFile: recipe.typed,
            hasSource: recipe.source != nil, letters: { try DeadLetterReader.unresolved(recipe, logger: logger).hold },
            logger: logger)
    }
}

/// The result of `purge`.
package struct PurgeSummary: Sendable {
    package let report: PurgeReport
    /// Milliseconds; nil: all.
    package let age: Int64?
    /// The recipe's `tombstone_age`, milliseconds.
    package let tombstoneAge: Int64
    /// The recipe as it is typed.
    package let recipe: String
    package let seconds: Double

    package var complete: Bool { report.complete }

    /// Command lines to type next.
    package var next: [String] {
        report.kept["dead_letter", default: 0] > 0 ? ["crossfade dead-letters list \(recipe)"] : []
    }

    package var json: JSONValue {
        [
            "command": "purge", "complete": .bool(report.complete), "found": .number(report.found),
            "purged": .number(report.purged),
            "kept": .object(
                JSONObject(PurgeReport.reasons.map { ($0, .number(report.kept[$0] ?? 0)) })),
            "redriven_until": report.redrivenUntil.map { .number($0) } ?? .null,
            "older_than": age.map { .string(RecipeDuration.text($0)) } ?? .null,
            "seconds": .number(String(format: "%.3f", seconds)), "next": .array(next.map { .string($0) }),
        ]
    }

    package var text: String {
        let age = age.map { "older than \(RecipeDuration.text($0))" } ?? "of any age"
        var lines = [
            "purge \(report.complete ? "done" : "interrupted"): \(report.found) tombstones, \(report.purged) \(age) "
                + "purged"
        ]
        for reason in PurgeReport.reasons {
            if let count = report.kept[reason], count > 0 { lines.append("  \(count) \(why(reason))") }
        }
        return (lines + next.map { "next: \($0)" }).joined(separator: "\n")
    }

    /// Why tombstones are kept, and until when.
    private func why(_ reason: String) -> String {
        switch reason {
        case "younger": return "kept until they are \(age.map { RecipeDuration.text($0) + " old" } ?? "older")"
        case "dead_letter":
            return
                "kept as long as there are unresolved dead letters of their documents: redrive those, which could "
                + "bring the "
                + "documents back"
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

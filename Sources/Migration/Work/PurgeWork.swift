import Foundation
import JSONText
import SearchCluster
import Telemetry

/// `purge`: deletes the tombstones that are older than an age, once.
public struct PurgeWork {
    let prepared: Preparation
    /// Milliseconds; nil: all, whatever their age.
    let age: Int64?
    let logger: Logger

    /// `olderThan`: milliseconds; nil: the recipe's `tombstone_age`. `all`: whatever their age, for the end of a migration.
    public init(_ prepared: Preparation, olderThan: Int64?, all: Bool, logger: Logger) {
        self.prepared = prepared
        age = all ? nil : olderThan ?? prepared.recipe.tombstoneAge
        self.logger = logger
    }

    public func run() throws -> PurgeSummary {
        // What is wrong with the log does not matter here; that the index is ours does.
        let needed: Set<String> = ["target_identity", "target_content", "target_closed"]
        let refusals = prepared.refusals.filter { needed.contains($0.name) }
        guard refusals.isEmpty else {
            throw WorkError(.refused, refusals.map { "\($0.name): \($0.detail)" }.joined(separator: "; also "))
        }
        _ = try prepared.confirmed(nil, logger: logger)
        let begun = Monotonic.milliseconds()
        let report = try prepared.purge(logger: logger).run(before: age.map { Clock.now() - $0 }) {
            Interruption.isAsked
        }
        return PurgeSummary(report: report, age: age, seconds: Double(Monotonic.milliseconds() - begun) / 1000)
    }
}

extension Preparation {
    /// A purge of this migration's target indices.
    func purge(logger: Logger) -> Purge {
        Purge(
            target: survey.target, indices: survey.entries.map(\.index),
            store: StateStore(target: survey.target, name: recipe.name), recipeFile: recipe.typed,
            hasSource: recipe.source != nil, letters: { try DeadLetterLog.unresolved(recipe, logger: logger).mayWrite },
            logger: logger)
    }
}

/// What `purge` came to.
public struct PurgeSummary: Sendable {
    public let report: PurgeReport
    /// Milliseconds; nil: all.
    let age: Int64?
    let seconds: Double

    public var complete: Bool { report.complete }

    public var json: JSONValue {
        [
            "command": "purge", "complete": .bool(report.complete), "found": .number(report.found),
            "purged": .number(report.purged),
            "kept": .object(
                JSONObject(PurgeReport.reasons.map { ($0, .number(report.kept[$0] ?? 0)) })),
            "older_than": age.map { .string(RecipeDuration.text($0)) } ?? .null,
            "seconds": .number(String(format: "%.3f", seconds)),
        ]
    }

    public var text: String {
        let age = age.map { "older than \(RecipeDuration.text($0))" } ?? "of any age"
        var lines = [
            "purge \(report.complete ? "done" : "interrupted"): \(report.found) tombstones, \(report.purged) \(age) purged"
        ]
        let why = [
            "younger": "younger", "dead_letter": "kept because dead letters are not resolved",
            "newer": "written again meanwhile", "gone": "gone already",
        ]
        for reason in PurgeReport.reasons {
            if let count = report.kept[reason], count > 0 { lines.append("  \(count) \(why[reason] ?? reason)") }
        }
        return lines.joined(separator: "\n")
    }
}

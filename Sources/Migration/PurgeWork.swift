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
        var summary = PurgeSummary(
            report: report, age: age, tombstoneAge: prepared.recipe.tombstoneAge, recipe: prepared.recipe.typed,
            seconds: Double(MonotonicClock.milliseconds() - begun) / 1000)
        summary.accepted = prepared.recipe.accept
        prepared.record(.purged, "\(report.purged) of \(report.found) tombstones", logger: logger)
        return summary
    }
}

extension Preflight {
    /// A purge of this migration's target indices.
    package func purge(logger: Logger) -> Purge {
        Purge(
            target: survey.target, indices: survey.entries.map(\.index),
            store: store, recipeFile: recipe.typed,
            hasSource: recipe.source != nil, letters: { try DeadLetterReader.unresolved(recipe, logger: logger).hold },
            logger: logger)
    }
}

extension Preflight {
    /// The last purge of a migration: all tombstones, whatever else is unfinished, because nothing is written after it.
    package func lastPurge(of indices: [String], logger: Logger) -> Purge {
        Purge(
            target: survey.target, indices: indices, store: StateStore(target: survey.target, name: recipe.name),
            recipeFile: recipe.typed, hasSource: recipe.source != nil, letters: { { _ in nil } }, logger: logger,
            isLast: true)
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
    /// The refusals that the recipe accepts.
    package var accepted: [Recipe.Acceptance] = []

    package var complete: Bool { report.complete }

    /// Command lines to type next.
    package var next: [String] {
        report.kept["dead_letter", default: 0] > 0 ? ["crossfade dead-letters list \(recipe)"] : []
    }
}

import Cutover
import Failures
import Foundation
import JSONText
import Migration
import Planning
import Recipe
import Runtime
import SearchCluster
import State
import Telemetry

/// What all commands of the cutover need: the recipe with what was found, the state, and who is at it.
package struct CutoverSession: Sendable {
    package let prepared: Preflight
    package let store: StateStore
    package let logger: Logger
    /// User, host and process, for people.
    package let by: String

    var recipe: Recipe { prepared.recipe }
    var target: Cluster { prepared.survey.target }
    /// Whether the source and the target are one cluster: then an alias moves from index to index.
    var isOneCluster: Bool { prepared.survey.source?.isSame(as: target) ?? sameByState }

    package init(_ prepared: Preflight, logger: Logger) {
        (self.prepared, self.logger) = (prepared, logger)
        store = StateStore(target: prepared.survey.target, name: prepared.recipe.name)
        by = "\(Operator.present.words) (process \(ProcessInfo.processInfo.processIdentifier))"
    }

    /// The source may be away by now; the state knows which cluster it was.
    private var sameByState: Bool {
        guard let work = prepared.survey.state?.work, let source = work["source"]?.string else { return false }
        return source == work["target"]?.string
    }

    /// Milliseconds since 1970.
    var now: Int64 { WallClock.now() }

    /// Throws where it says of aliases or indices that neither the recipe nor the confirmed work names that they were
    /// moved: whoever can write the state must not be able to have any alias moved.
    package func state() throws -> MigrationState {
        let state = try store.loaded(recipe: recipe.typed)
        let entries = prepared.survey.entries
        var ours = Set(entries.map(\.index) + entries.flatMap(\.scope.names) + entries.flatMap(\.scope.gone))
        ours.formUnion(recipe.indices.flatMap { $0.aliases + [$0.from ?? ""] })
        // The recipe may have been shortened since. Then its fingerprint is another one, and that is told elsewhere.
        if Fingerprint.of(state.work) == state.fingerprint { ours.formUnion(Self.texts(state.work)) }
        guard let stranger = state.cutover.names.subtracting(ours).sorted().first else { return state }
        throw WorkError(
            .refused,
            "the state says that \(stranger) has a part in the cutover, and neither the recipe nor the confirmed work "
                + "names it. Nothing was changed. Somebody else has written to \(store.index)")
    }

    /// All texts of a JSON value, names of members among them.
    private static func texts(_ value: JSONValue) -> Set<String> {
        switch value {
        case .string(let text): return [text]
        case .array(let elements): return elements.reduce(into: []) { $0.formUnion(texts($1)) }
        case .object(let members):
            return members.reduce(into: []) { found, member in
                found.insert(member.key)
                found.formUnion(texts(member.value))
            }
        default: return []
        }
    }

    /// The state, without moves that somebody has undone by hand.
    func reconciled() throws -> MigrationState {
        let state = try state()
        func isUndone(_ move: AliasMove) throws -> Bool {
            // Between two clusters, an alias that is gone from the new one says nothing of where readers are.
            try !move.from.isEmpty && move.standing(target.writer.indices(behind: move.alias).map(\.index)) == .before
        }
        guard !state.cutover.moved.isEmpty else { return state }
        var undone: [String] = []
        let now = try store.update { undone = try $0.cutover.forget(isUndone) }
        for alias in undone {
            logger.warning("somebody has moved an alias back by hand", ["alias": alias])
            tell(.rolledBack, "\(alias), by hand")
        }
        return now
    }

    /// Adds an event to the history.
    func tell(_ what: HistoryEvent.What, _ detail: String) { prepared.record(what, detail, logger: logger) }
}

extension CutoverRefusal {
    var error: WorkError { WorkError(.refused, reason) }
}

import Cutover
import Foundation
import JSONText
import Migration
import Planning
import Runtime
import State

/// Where the readers are.
extension Status {
    var cutoverJSON: JSONValue {
        guard let cutover = prepared.survey.state?.cutover else { return .null }
        return [
            "position": .string(cutover.position.rawValue), "aliases": MoveText.json(cutover.moved),
            "rolled_over_at": cutover.rolledOverAt.map { .number($0) } ?? .null,
            "rollback": wayBackJSON,
            "readers_due": cutover.openReaders.map { .string($0.words) } ?? .null,
            "under_way": cutover.intent.map { ["kind": .string($0.kind.rawValue), "by": .string($0.by)] } ?? .null,
        ]
    }

    /// null while no alias is moved.
    private var wayBackJSON: JSONValue {
        guard let back = prepared.survey.wayBack else { return .null }
        return [
            "ready": .bool(back.reasons.isEmpty), "reasons": .array(back.reasons.map { .string($0) }),
            "old_lag": back.lag.map { .number($0) } ?? .null,
            "dues": .array(back.dues(now: WallClock.now()).map { .string($0) }),
        ]
    }

    private var wayBackLines: [String] {
        guard let back = prepared.survey.wayBack else { return [] }
        let lag = back.lag.map { "the old indexer is \($0) record\($0 == 1 ? "" : "s") behind" }
        let said = back.reasons.isEmpty ? "yes" : "no, because " + back.reasons.joined(separator: "; ")
        return ["rollback ready: \(said)" + (back.reasons.isEmpty ? lag.map { "; \($0)" } ?? "" : "")]
            + back.dues(now: WallClock.now()).map { "but      \($0)" }
    }

    /// Nothing while no alias was ever moved.
    var cutoverLines: [String] { wayBackLines + readerLines }

    private var readerLines: [String] {
        guard let cutover = prepared.survey.state?.cutover, cutover.position != .before else { return [] }
        let recipe = prepared.recipe.typed
        switch cutover.position {
        case .rolledOver:
            if let back = prepared.survey.wayBack, !back.misplaced.isEmpty {
                let said = back.misplaced.map(\.words).joined(separator: "; ")
                return ["readers  not where the rollover put them: \(said)"]
            }
            return ["readers  on the new side; back: crossfade rollback \(recipe)"]
        case .readersDue:
            let why = cutover.readersDue.map(\.words) ?? "the readers are not moved"
            return [
                "readers  the aliases are on the new side, but \(why); again: crossfade rollover \(recipe); "
                    + "back: crossfade rollback \(recipe)"
            ]
        case .partly:
            let names = cutover.moved.map(\.alias).joined(separator: ", ")
            return ["readers  of \(names) are on the new side; the others: crossfade rollover \(recipe)"]
        case .rolledBack: return ["readers  back on the old side"]
        case .unknown:
            return ["readers  a move is under way, or was broken off: crossfade rollover or rollback settles it"]
        case .finished: return ["readers  the end was begun and broken off: crossfade finish \(recipe) --yes"]
        case .cancelled: return ["readers  the cancel was begun and broken off: crossfade cancel \(recipe) --yes"]
        case .before: return []
        }
    }
}

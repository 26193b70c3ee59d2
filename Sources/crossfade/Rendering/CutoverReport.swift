import Cutover
import CutoverWork
import JSONText
import Recipe
import Telemetry

/// What `rollover` prints.
struct RolloverReport {
    let result: RolloverWork.Result
    let options: RolloverWork.Options
    let recipe: Recipe

    init(_ result: RolloverWork.Result, options: RolloverWork.Options, recipe: Recipe) {
        (self.result, self.options, self.recipe) = (result, options, recipe)
    }

    var json: JSONValue {
        [
            "command": "rollover", "moved": .bool(isMoved), "dry_run": .bool(options.isDry),
            "position": .string(result.position.rawValue), "gates": .array(result.gates.map(\.json)),
            "aliases": MoveText.json(result.moves), "nodes": .array(result.nodes.map { .string($0) }),
            "unreachable_nodes": .array(result.unreachable.map { .string($0) }),
            "remarks": .array(result.remarks.map { .string($0) }),
        ]
    }

    private var isMoved: Bool { result.failed.isEmpty && !options.isDry }

    var text: String {
        var lines = result.gates.flatMap(GateText.lines)
        let failed = result.failed.count
        if failed > 0 {
            lines.append("nothing was moved: \(failed) gate\(failed == 1 ? "" : "s") failed")
        } else if options.isDry {
            lines.append("all gates pass; nothing was moved (--dry-run)")
            lines += result.moves.map { "would move " + MoveText.line($0) } + result.remarks
        } else {
            lines += result.moves.isEmpty ? ["the aliases are on the new side already"] : []
            lines += result.moves.map { "moved " + MoveText.line($0) }
            lines += MoveText.nodes(result.nodes, result.unreachable) + result.remarks
            lines.append("the way back: crossfade rollback \(recipe.typed)")
        }
        return VisibleText.joined(lines)
    }
}

/// What `rollback` prints.
struct RollbackReport {
    let result: RollbackWork.Result
    let recipe: Recipe

    init(_ result: RollbackWork.Result, recipe: Recipe) { (self.result, self.recipe) = (result, recipe) }

    var json: JSONValue {
        [
            "command": "rollback", "position": .string(result.position.rawValue),
            "aliases": MoveText.json(result.moves), "nodes": .array(result.nodes.map { .string($0) }),
            "unreachable_nodes": .array(result.unreachable.map { .string($0) }),
            "remarks": .array(result.remarks.map { .string($0) }),
        ]
    }

    var text: String {
        var lines = result.moves.isEmpty ? ["the readers are on the old side already"] : []
        lines += result.moves.map { "moved " + MoveText.line($0) }
        lines += MoveText.nodes(result.nodes, result.unreachable) + result.remarks
        lines.append("again to the new side: crossfade rollover \(recipe.typed)")
        return VisibleText.joined(lines)
    }
}

/// Gates for people.
enum GateText {
    static func lines(_ gate: Gate) -> [String] {
        let word =
            switch gate.verdict {
            case .passed: "pass"
            case .failed: "FAIL"
            case .overridden: "over"
            }
        let name = gate.name.rawValue.padding(toLength: 14, withPad: " ", startingAt: 0)
        let first = "  \(word)  \(name) \(gate.text)"
        guard gate.verdict == .failed, let mend = gate.mend else { return [first] }
        return [first, "        " + String(repeating: " ", count: 13) + "-> \(mend)"]
    }
}

/// Moves of aliases for people and programs.
enum MoveText {
    static func line(_ move: AliasMove) -> String {
        func names(_ places: [AliasMove.Place]) -> String {
            places.isEmpty ? "no index" : places.map(\.index).joined(separator: ", ")
        }
        return "\(move.alias): \(names(move.from)) -> \(names(move.to))"
    }

    static func json(_ moves: [AliasMove]) -> JSONValue {
        .array(
            moves.map { move in
                [
                    "alias": .string(move.alias), "from": .array(move.from.map { .string($0.index) }),
                    "to": .array(move.to.map { .string($0.index) }),
                ]
            })
    }

    static func nodes(_ asked: [String], _ unreachable: [String]) -> [String] {
        var lines: [String] = []
        if !asked.isEmpty { lines.append("searched through \(asked.count) node\(asked.count == 1 ? "" : "s"): right") }
        return lines + unreachable.map { "could not be asked: \($0)" }
    }
}

import Cutover
import CutoverWork
import Foundation
import JSONText
import Migration
import Recipe
import Telemetry

/// What `run` prints at its end.
struct RunReport {
    let result: RunWork.Result
    let recipe: Recipe
    let goal: RunMachine.Goal

    init(_ result: RunWork.Result, recipe: Recipe, goal: RunMachine.Goal) {
        (self.result, self.recipe, self.goal) = (result, recipe, goal)
    }

    var json: JSONValue {
        [
            "command": "run", "migration": .string(recipe.name), "until": .string(goal.rawValue),
            "end": .string(result.end == .stopped ? "stopped" : result.end == .finished ? "finished" : "reached"),
            "complete": .bool(result.isComplete), "fingerprint": .string(result.fingerprint),
            "steps": .array(result.lines.map(\.json)), "position": .string(result.position.rawValue),
            "gates": .array(result.gates.map(\.json)),
            "receipt": result.receipt.map { .string($0.id) } ?? .null, "next": .array(next.map { .string($0) }),
        ]
    }

    var text: String {
        let head =
            switch result.end {
            case .stopped: result.isComplete ? "stopped" : "interrupted"
            case .finished: "the migration is finished"
            default: "reached: \(goal.rawValue)"
            }
        return VisibleText.joined(["run \(head)"] + RunText.lines(result.lines) + next.map { "next: \($0)" })
    }

    /// Nobody follows any more, so the same command goes on.
    private var next: [String] {
        let isOver = result.end == .finished || (!recipe.hasCommands && result.position == .rolledOver)
        return isOver ? [] : ["crossfade run \(recipe.typed)"]
    }
}

/// The steps of a run as lines.
enum RunText {
    static func lines(_ lines: [RunBoard.Line]) -> [String] {
        lines.map { line in
            let mark = (line.mark == .failed ? "FAIL" : line.mark.rawValue).padding(
                toLength: 4, withPad: " ", startingAt: 0)
            let step = line.step.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)
            let time = line.seconds.map { " (\(Summary.duration($0)))" } ?? ""
            return line.words.isEmpty && time.isEmpty
                ? "  \(mark)  \(line.step.rawValue)"
                : "  \(mark)  \(step)  \(line.words)\(time)"
        }
    }
}

extension RunBoard.Line {
    fileprivate var json: JSONValue {
        [
            "step": .string(step.rawValue), "mark": .string(mark.rawValue), "text": .string(words),
            "seconds": seconds.map { .number(String(format: "%.3f", $0)) } ?? .null,
        ]
    }
}

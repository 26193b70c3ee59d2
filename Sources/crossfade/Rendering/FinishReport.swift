import Cutover
import CutoverWork
import JSONText
import Telemetry

/// What `finish` prints.
struct FinishReport {
    let result: FinishWork.Result
    let isDry: Bool
    /// The migration's.
    let name: String

    private var isFinished: Bool { result.failed.isEmpty && !isDry && !result.isNothing }

    var json: JSONValue {
        [
            "command": "finish", "finished": .bool(isFinished), "dry_run": .bool(isDry),
            "nothing": .bool(result.isNothing), "gates": .array(result.gates.map(\.json)),
            "done": .array(isFinished ? words : []), "would": .array(isDry ? words : []),
            "kept": .array(result.kept.map { .string($0) }),
            "archive": isFinished ? result.archive.map { .string($0) } ?? .null : .null,
        ]
    }

    private var words: [JSONValue] { result.done.map { .string($0) } }

    var text: String {
        if result.isNothing {
            let hint = ArchiveFile.hint(name).map { ". " + $0 } ?? ""
            return "there is no migration \(name) on the target: nothing to finish\(hint)"
        }
        var lines = result.gates.flatMap(GateText.lines)
        let failed = result.failed.count
        if failed > 0 {
            lines.append("nothing was changed: \(failed) gate\(failed == 1 ? "" : "s") failed")
            return VisibleText.joined(lines)
        }
        lines += result.done.map { isDry ? "would \($0)" : $0 }
        lines += result.kept.map { (isDry ? "would keep " : "kept ") + $0 }
        if isFinished, let archive = result.archive {
            lines.append("archived to \(archive)")
            lines.append("migration \(name) is finished")
        } else {
            lines.append("nothing was changed (--dry-run)")
        }
        return VisibleText.joined(lines)
    }
}

import Commands
import JSONText
import Migration
import Telemetry
import Trial

/// The result of `crossfade try`, for people and for programs.
struct TryReport {
    /// Product and version of the server that the trial imitated.
    var server: String
    var results: [TrialBench.Result]
    /// The differences between the trial and the real target.
    var notes: [String]

    private var outcomes: [(Outcome, Int)] {
        Outcome.allCases.map { outcome in (outcome, results.filter { $0.outcome == outcome }.count) }
    }

    // MARK: text

    var text: String {
        var blocks = ["tried as \(server)"]
        blocks += notes.map { "note: \($0)" }
        blocks += results.map(block)
        let counts = outcomes.filter { $0.1 > 0 }.map { "\($0.1) \($0.0.name)" }.joined(separator: ", ")
        let count = results.count
        blocks.append("\(count) \(count == 1 ? "sample" : "samples")" + (counts.isEmpty ? "" : ": " + counts))
        return blocks.joined(separator: "\n\n")
    }

    private func block(_ result: TrialBench.Result) -> String {
        var lines = [result.label]
        func line(_ name: String, _ text: String) {
            lines.append("  " + name + String(repeating: " ", count: max(1, 12 - name.count)) + text)
        }
        if let reading = result.reading { line("read as", reading == .record ? "a record" : "the value alone") }
        if let hint = result.hint { line("hint", VisibleText.line(hint)) }
        if let write = result.write {
            line("operation", write.kind.name)
            line("index", VisibleText.line(write.index))
            line("id", VisibleText.line(write.id))
            if let routing = write.routing { line("routing", VisibleText.line(routing)) }
            line("version", String(write.version))
        }
        line("outcome", result.outcome.name + (result.reason.map { ": " + $0 } ?? ""))
        if let detail = result.detail { line("", VisibleText.line(detail)) }
        if let document = result.write?.document {
            let shown = document.text(pretty: true).split(separator: "\n", omittingEmptySubsequences: false)
            line("document", shown.joined(separator: "\n" + String(repeating: " ", count: 14)))
        }
        for field in result.newFields { line("new field", VisibleText.line("\(field.path) (\(field.type))")) }
        if let fields = result.fields, !result.newFields.isEmpty {
            line("fields", "\(fields.count) of at most \(fields.limit)")
        }
        return lines.joined(separator: "\n")
    }

    // MARK: JSON

    var json: JSONValue {
        [
            "server": .string(server), "notes": .array(notes.map { .string($0) }),
            "samples": .array(results.map(sample)),
            "outcomes": .object(JSONObject(outcomes.map { ($0.0.name, .number($0.1)) })),
        ]
    }

    private func sample(_ result: TrialBench.Result) -> JSONValue {
        let write = result.write
        return [
            "sample": .string(result.label), "outcome": .string(result.outcome.name),
            "reason": result.reason.map { .string($0) } ?? .null, "detail": result.detail.map { .string($0) } ?? .null,
            "read_as": result.reading.map { .string($0.rawValue) } ?? .null,
            "hint": result.hint.map { .string($0) } ?? .null,
            "operation": write.map { .string($0.kind.name) } ?? .null,
            "index": write.map { .string($0.index) } ?? .null, "id": write.map { .string($0.id) } ?? .null,
            "routing": write?.routing.map { .string($0) } ?? .null,
            "version": write.map { .number($0.version) } ?? .null, "document": write?.document ?? .null,
            "new_fields": .array(
                result.newFields.map { ["field": .string($0.path), "type": .string($0.type)] }),
            "fields": result.fields.map { .number($0.count) } ?? .null,
            "field_limit": result.fields.map { .number($0.limit) } ?? .null,
        ]
    }
}

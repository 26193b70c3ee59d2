import Trial
import Recipe
import JSONText
import Migration
import Telemetry

/// The result of `crossfade recipe test`, for people and for programs.
struct RecipeTestReport {
    /// The recipe's file, for the place of a failed test.
    let file: String
    let verdicts: [RecipeTest.Verdict]

    var failed: Int { verdicts.filter { !$0.passed }.count }

    var text: String {
        let count = verdicts.count
        let sum = "\(count) \(count == 1 ? "test" : "tests"), \(count - failed) passed, \(failed) failed"
        return (verdicts.map(text) + [sum]).joined(separator: "\n")
    }

    var json: JSONValue {
        [
            "tests": .array(verdicts.map(json)), "run": .number(verdicts.count),
            "passed": .number(verdicts.count - failed), "failed": .number(failed),
        ]
    }

    private func text(_ verdict: RecipeTest.Verdict) -> String {
        guard !verdict.passed else { return "ok    \(VisibleText.line(verdict.test.name))" }
        let mark = verdict.test.mark
        var lines = ["FAIL  \(verdict.test.name) (\(file):\(mark.line):\(mark.column))"]
        for difference in verdict.differences {
            lines.append("        \(difference.path)")
            lines.append("          expected  \(shown(difference.expected))")
            lines.append("          got       \(shown(difference.found))")
        }
        if let reject = verdict.reject { lines.append("        rejected: \(reject.reason): \(reject.detail)") }
        return VisibleText.joined(lines)
    }

    private func shown(_ value: JSONValue?) -> String { value?.text() ?? "nothing" }

    private func json(_ verdict: RecipeTest.Verdict) -> JSONValue {
        let differences = verdict.differences.map { difference -> JSONValue in
            var object: JSONObject = ["path": .string(difference.path)]
            object["expected"] = difference.expected
            object["found"] = difference.found
            return .object(object)
        }
        let reject: JSONValue =
            verdict.reject.map { ["reason": .string($0.reason), "detail": .string($0.detail)] } ?? .null
        return [
            "name": .string(verdict.test.name), "line": .number(verdict.test.mark.line),
            "column": .number(verdict.test.mark.column), "passed": .bool(verdict.passed),
            "differences": .array(differences), "reject": reject,
        ]
    }
}

import JSONText
import Migration
import Recipe
import Trial

/// `crossfade recipe test`.
enum RecipeTestCommand {
    static let declaration = CommandDeclaration(
        path: ["recipe", "test"],
        summary: "Run the tests that a recipe has, without any server",
        discussion: """
            Every entry of `tests` in the recipe gives a record of the topic or a document of the source, and what is to
            become of it. They go through the same decoder and the same transform as in a migration. A test that fails
            shows where the result differs. Whether the target's mapping takes the documents is not checked: `crossfade try`
            shows that. Exit code 1 when one fails, 2 when the recipe is wrong or has no tests.
            """,
        positionals: [CommandDeclaration.recipe],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        RecipeReading.with(arguments, output) { recipe in
            guard !recipe.tests.isEmpty else {
                output.failure(
                    "the recipe has no tests: write some under `tests`, as docs/recipe.md shows.", code: "no_tests")
                return .usage
            }
            let trial = RecipeTrial(recipe)
            let verdicts = recipe.tests.map { $0.run(trial) }
            let failed = verdicts.filter { !$0.passed }.count
            output.data(
                [
                    "tests": .array(verdicts.map { json($0, file: recipe.file) }), "run": .number(verdicts.count),
                    "passed": .number(verdicts.count - failed), "failed": .number(failed),
                ],
                text: (verdicts.map { text($0, file: recipe.file) } + [sum(verdicts.count, failed)])
                    .joined(separator: "\n"))
            return failed == 0 ? .done : .failed
        }
    }

    private static func sum(_ count: Int, _ failed: Int) -> String {
        "\(count) \(count == 1 ? "test" : "tests"), \(count - failed) passed, \(failed) failed"
    }

    private static func text(_ verdict: RecipeTest.Verdict, file: String) -> String {
        guard !verdict.passed else { return "ok    \(verdict.test.name)" }
        let mark = verdict.test.mark
        var lines = ["FAIL  \(verdict.test.name) (\(file):\(mark.line):\(mark.column))"]
        for difference in verdict.differences {
            lines.append("        \(difference.path)")
            lines.append("          expected  \(shown(difference.expected))")
            lines.append("          got       \(shown(difference.found))")
        }
        if let reject = verdict.reject { lines.append("        rejected: \(reject.reason): \(reject.detail)") }
        return lines.joined(separator: "\n")
    }

    private static func shown(_ value: JSONValue?) -> String { value?.text() ?? "nothing" }

    private static func json(_ verdict: RecipeTest.Verdict, file: String) -> JSONValue {
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

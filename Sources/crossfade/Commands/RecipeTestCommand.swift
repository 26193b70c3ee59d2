import JSONText
import Migration
import Recipe
import Trial

enum RecipeTestCommand {
    static let declaration = CommandDeclaration(
        path: ["recipe", "test"],
        summary: "Run the tests that a recipe has, without any server",
        discussion: """
            Every entry of `tests` in the recipe gives a record of the topic or a document of the source, and the
            expected result. It goes through the same decoder and the same transform as in a migration. A test that
            fails shows where the result differs. The tests do not check whether the target's mapping accepts the
            documents: `crossfade try` shows that. Exit code 1 when a test fails, 2 when the recipe is wrong or has no
            tests.
            """,
        positionals: [CommandDeclaration.recipe],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        RecipeArgument.load(arguments, output) { recipe in
            guard !recipe.tests.isEmpty else {
                output.failure(
                    "the recipe has no tests: write some under `tests`, as docs/recipe.md shows.", code: "no_tests")
                return .usage
            }
            let trial = RecipeTrial(recipe)
            let report = RecipeTestReport(file: recipe.file, verdicts: recipe.tests.map { $0.run(trial) })
            output.data(report.json, text: report.text)
            return report.failed == 0 ? .done : .failed
        }
    }
}

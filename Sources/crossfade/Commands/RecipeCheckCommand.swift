import JSONText
import Migration
import Recipe
import Telemetry

enum RecipeCheckCommand {
    static let declaration = CommandDeclaration(
        path: ["recipe", "check"],
        summary: "Say everything that is wrong with a recipe, or that it is good",
        discussion: """
            Needs no server. Prints all errors at once, each as `file:line:column: error: what is wrong`. A good recipe
            is printed in short. With --format json it is printed as it will be used, with every default and without
            its secrets.
            """,
        positionals: [CommandDeclaration.recipe],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        RecipeArgument.load(arguments, output) { recipe in
            let warnings = RecipeText.warnings(recipe) + RecipeText.exposures(recipe)
            output.data(
                [
                    "good": true, "recipe": RecipeText.canonical(recipe),
                    "warnings": .array(warnings.map { .string($0) }),
                ],
                text: VisibleText.joined(
                    RecipeText.facts(recipe) + warnings.map { "warning: \($0)" } + ["recipe is good"]))
            return .done
        }
    }
}

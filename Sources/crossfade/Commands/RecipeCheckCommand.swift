import JSONText
import Migration

/// `crossfade recipe check`.
enum RecipeCheckCommand {
    static let declaration = CommandDeclaration(
        path: ["recipe", "check"],
        summary: "Say everything that is wrong with a recipe, or that it is good",
        discussion: """
            Needs no server. Each error is `file:line:column: error: what is wrong`, all of them at once. A good recipe
            is shown as it will be used, with every default and without its secrets.
            """,
        positionals: [CommandDeclaration.recipe],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        RecipeReading.with(arguments, output) { recipe in
            output.data(
                ["good": true, "recipe": RecipeText.canonical(recipe)],
                text: (RecipeText.facts(recipe) + ["recipe is good"]).joined(separator: "\n"))
            return .done
        }
    }
}

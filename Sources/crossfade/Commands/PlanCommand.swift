/// `crossfade plan`.
enum PlanCommand {
    static let declaration = CommandDeclaration(
        path: ["plan"],
        summary: "Look at everything, change nothing",
        discussion: """
            Reads the recipe, both clusters and the topic; prints what would be done, every rail with its verdict, and
            the fingerprint that `crossfade init --confirm` takes. Ends with 3 when a rail refuses.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        RecipeReading.with(arguments, output) { _ in
            output.failure("crossfade plan is not built yet.", code: "not_built")
            return .failed
        }
    }
}

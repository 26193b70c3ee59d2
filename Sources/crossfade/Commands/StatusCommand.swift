/// `crossfade status`.
enum StatusCommand {
    static let declaration = CommandDeclaration(
        path: ["status"],
        summary: "Where the migration stands",
        discussion: """
            Reads the state on the target and the offsets of the consumer groups.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        RecipeReading.with(arguments, output) { _ in
            output.failure("crossfade status is not built yet.", code: "not_built")
            return .failed
        }
    }
}

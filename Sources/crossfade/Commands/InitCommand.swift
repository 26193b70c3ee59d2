/// `crossfade init`.
enum InitCommand {
    static let declaration = CommandDeclaration(
        path: ["init"],
        summary: "Create the target indices and the state",
        discussion: """
            Does what `crossfade plan` printed, under its fingerprint: --confirm, or yes at a terminal.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [CommandDeclaration.confirm],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        RecipeReading.with(arguments, output) { _ in
            output.failure("crossfade init is not built yet.", code: "not_built")
            return .failed
        }
    }
}

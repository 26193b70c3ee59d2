import Migration

/// `crossfade status`.
enum StatusCommand {
    static let declaration = CommandDeclaration(
        path: ["status"],
        summary: "Where the migration stands",
        discussion: """
            Reads the state on the new cluster and the offsets of the consumer groups; changes nothing.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        WorkRunning.with(arguments, output) { recipe, logger in
            let status = Status(try Preparation.prepare(recipe, sampling: false, logger: logger))
            output.data(status.json, text: status.text)
            return .done
        }
    }
}

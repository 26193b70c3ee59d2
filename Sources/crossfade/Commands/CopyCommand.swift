import Migration

/// `crossfade copy`.
enum CopyCommand {
    static let declaration = CommandDeclaration(
        path: ["copy"],
        summary: "Copy what the source holds, resumable",
        discussion: """
            Finished slices are never read again; what was under way when a copy ended is read once more, harmlessly.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [CommandDeclaration.confirm],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        WorkRunning.work(arguments, output) { prepared, confirmation, logger in
            try CopyWork(prepared, confirmation: confirmation, logger: logger).run()
        }
    }
}

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
        WorkRunning.with(arguments, output) { recipe, logger in
            Interruption.listen()
            let prepared = try Preparation.prepare(
                recipe, sampling: arguments.value("confirm") != nil, logger: logger)
            let work = CopyWork(prepared, confirmation: arguments.value("confirm"), logger: logger)
            return WorkRunning.summary(try work.run(), output)
        }
    }
}

import Migration

/// `crossfade copy`.
enum CopyCommand {
    static let declaration = CommandDeclaration(
        path: ["copy"],
        summary: "Copy all documents from the old cluster to the new one",
        discussion: """
            The old cluster is only ever read. An interrupted copy goes on where it was: finished slices are never read
            again, and what was under way is read once more, harmlessly.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [CommandDeclaration.confirm],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        WorkRunning.watchedWork("copy", arguments, output) { prepared, confirmation, live in
            try CopyWork(prepared, confirmation: confirmation, logger: live.events.logger, live: live).run()
        }
    }
}

import Migration

/// `crossfade replay`.
enum ReplayCommand {
    static let declaration = CommandDeclaration(
        path: ["replay"],
        summary: "Read the topic from the start to its end as it is now, then stop",
        discussion: """
            The end of every partition is frozen when the replay begins, and reached when it ends.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [CommandDeclaration.confirm],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        WorkRunning.work(arguments, output) { prepared, confirmation, logger in
            try ReplayWork(prepared, confirmation: confirmation, logger: logger).run()
        }
    }
}

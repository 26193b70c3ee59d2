import Migration

/// `crossfade follow`.
enum FollowCommand {
    static let declaration = CommandDeclaration(
        path: ["follow"],
        summary: "Stay in the consumer group and keep the target current until told to stop",
        discussion: """
            The first SIGINT or SIGTERM drains and commits, the second stops at once; either way a restart goes on.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [CommandDeclaration.confirm],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        WorkRunning.work(arguments, output) { prepared, confirmation, logger in
            try FollowWork(prepared, confirmation: confirmation, logger: logger).run()
        }
    }
}

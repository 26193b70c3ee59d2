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
        WorkRunning.with(arguments, output) { recipe, logger in
            Interruption.listen()
            let prepared = try Preparation.prepare(
                recipe, sampling: arguments.value("confirm") != nil, logger: logger)
            let work = FollowWork(prepared, confirmation: arguments.value("confirm"), logger: logger)
            return WorkRunning.summary(try work.run(), output)
        }
    }
}

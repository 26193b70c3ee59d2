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
        WorkRunning.with(arguments, output) { recipe, logger in
            Interruption.listen()
            let prepared = try Preparation.prepare(
                recipe, sampling: arguments.value("confirm") != nil, logger: logger)
            let work = ReplayWork(prepared, confirmation: arguments.value("confirm"), logger: logger)
            return WorkRunning.summary(try work.run(), output)
        }
    }
}

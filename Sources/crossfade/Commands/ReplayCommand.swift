import Migration

/// `crossfade replay`.
enum ReplayCommand {
    static let declaration = CommandDeclaration(
        path: ["replay"],
        summary: "Apply the command topic up to its end as it is now, then stop",
        discussion: """
            Closes the gap that opened while the copy ran. The end of every partition is noted when the replay begins; it
            stops when it has got there. Begins where the recipe's replay.from says, or where an earlier replay stopped.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [CommandDeclaration.confirm],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        WorkRunning.watchedWork("replay", arguments, output) { prepared, confirmation, live in
            try ReplayWork(prepared, confirmation: confirmation, logger: live.events.logger, live: live).run()
        }
    }
}

import Migration

/// `crossfade plan`.
enum PlanCommand {
    static let declaration = CommandDeclaration(
        path: ["plan"],
        summary: "Look at everything, change nothing",
        discussion: """
            Reads the recipe, both clusters and the topic; prints what would be done, every rail with its verdict, and
            the fingerprint that `crossfade init --confirm` takes. Ends with 3 when a rail refuses.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        WorkRunning.with(arguments, output) { recipe, logger in
            let prepared = try Preparation.prepare(recipe, sampling: true, logger: logger)
            output.data(prepared.json, text: prepared.text)
            guard !prepared.refusals.isEmpty else { return .done }
            output.talk(
                "crossfade: " + prepared.refusals.map { "\($0.name): \($0.detail)" }.joined(separator: "; also ") + ".")
            return .refused
        }
    }
}

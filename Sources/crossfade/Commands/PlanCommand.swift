import Migration
import Planning

enum PlanCommand {
    static let declaration = CommandDeclaration(
        path: ["plan"],
        summary: "Check everything and print what would be done; changes nothing",
        discussion: """
            Reads the recipe, both clusters and the topic. Prints what would be done, every safety check with its
            verdict, and the plan's fingerprint, which `crossfade init --confirm` takes. Ends with exit code 3 when a
            check refuses.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [CommandDeclaration.adopt],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        CommandRunner.withRecipe(arguments, output) { recipe, logger in
            let prepared = try Preflight.prepare(
                recipe, for: .plan, depth: .plan, adopts: arguments.has("adopt"), logger: logger)
            output.data(prepared.json, text: prepared.text)
            guard !prepared.refusals.isEmpty else { return .done }
            output.talk(
                "crossfade: " + prepared.refusals.map { "\($0.name): \($0.detail)" }.joined(separator: "; also ") + ".")
            return .refused
        }
    }
}

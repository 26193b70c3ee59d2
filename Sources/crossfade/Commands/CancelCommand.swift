import CutoverWork
import JSONText
import Telemetry

enum CancelCommand {
    static let declaration = CommandDeclaration(
        path: ["cancel"],
        summary: "Give a migration up: remove what it has made",
        discussion: """
            Deletes the new indices, by the identities that `crossfade init` recorded, then Crossfade's consumer group,
            the dead-letter topic if it is empty, and last the migration's state. It touches nothing of the old side.

            It refuses while a command of the migration runs, and while readers are on the new side. It may be repeated,
            and goes on where it was broken off.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [
            .init("yes", "Do it. Without this, nothing is removed, and what would be is listed."),
            .init("delete-dead-letters", "Also delete a dead-letter topic that holds letters."),
        ],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        var options = CancelWork.Options()
        options.isDry = !arguments.has("yes")
        options.deletesDeadLetters = arguments.has("delete-dead-letters")
        return CommandRunner.withRecipe(arguments, output) { recipe, logger in
            CommandRunner.listen(arguments, output, logger)
            let result = try CancelWork(recipe, options: options, logger: logger).run()
            let words = options.isDry ? ("would remove", "would keep") : ("removed", "kept")
            var lines = result.removed.map { "\(words.0) \($0)" } + result.kept.map { "\(words.1) \($0)" }
            if result.isNothing {
                lines.append("there is no migration \(recipe.name) on the target: nothing to cancel")
            }
            output.data(
                [
                    "command": "cancel", "dry_run": .bool(options.isDry),
                    "removed": .array(result.removed.map { .string($0) }),
                    "kept": .array(result.kept.map { .string($0) }), "nothing": .bool(result.isNothing),
                ], text: VisibleText.joined(lines))
            guard options.isDry, !result.isNothing else { return .done }
            output.talk("crossfade: nothing was removed; say --yes if that is meant.")
            return .usage
        }
    }
}

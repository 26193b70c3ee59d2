import Cutover
import CutoverWork
import Planning
import Recipe

enum RolloverCommand {
    static let declaration = CommandDeclaration(
        path: ["rollover"],
        summary: "Move the readers to the new indices, in one step",
        discussion: """
            Asks all gates first: whether the lag is small, a fresh receipt says that both sides are equal, no dead
            letter is unresolved, the new indices are green and have their settings, and so on. If one fails, nothing
            is moved, the exit code is 3, and each failed gate names its number and the command that mends it.

            Then every alias of the recipe is moved by one request, all or none. In one cluster readers see the old
            index or the new one, never both and never neither. Between two clusters the alias is made on the new one,
            and the recipe's cutover.command moves the readers.

            The old index is kept up to date by the application's own indexer, so that `crossfade rollback` is possible
            at any time. Run the command again if it was interrupted.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [
            .init("only", value: "NAME", "Move this alias, or that of this target index. May be given several times."),
            .init(
                "override", value: "GATE", choices: Gate.Name.ofRollover.map(\.rawValue),
                "Move the readers although this gate fails. May be given several times; needs --why."),
            .init("why", value: "TEXT", "Why a gate may fail here. It is kept in the migration's history."),
            .init("dry-run", "Only ask the gates."),
        ],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        var options = RolloverWork.Options()
        options.only = arguments.only("only")
        options.overrides = Set(arguments.all("override").compactMap(Gate.Name.init))
        options.why = arguments.value("why")
        options.isDry = arguments.has("dry-run")
        guard options.overrides.isEmpty == (options.why ?? "").isEmpty else {
            output.failure("--override and --why go together: say why the gate may fail here.", code: "usage")
            return .usage
        }
        return CommandRunner.withRecipe(arguments, output) { recipe, logger in
            CommandRunner.listen(arguments, output, logger)
            let prepared = try Preflight.prepare(recipe, for: .cutover, depth: .facts, logger: logger)
            let result = try RolloverWork(prepared, options: options, logger: logger).run()
            let report = RolloverReport(result, options: options, recipe: recipe)
            output.data(report.json, text: report.text)
            return result.failed.isEmpty ? .done : .refused
        }
    }
}

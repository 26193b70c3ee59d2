import Cutover
import CutoverWork
import JSONText
import Planning

enum FinishCommand {
    static let declaration = CommandDeclaration(
        path: ["finish"],
        summary: "End a migration after its rollover: there is no way back from here",
        discussion: """
            Asks its gates first: all readers are on the new side, nobody works on the migration any more, no dead
            letter is unresolved, the newest receipt says equal, and nothing of the topic is left to be applied, unless
            cutover.handover names the consumer group of your new indexer, which then gets Crossfade's offsets.

            Then it archives the state, the history and all receipts to a file, purges the last tombstones, takes the
            filter that hid them off the readers' aliases, and removes Crossfade's own aliases, its consumer group, the
            dead-letter topic if it is empty, and last the migration's state.

            It deletes nothing of the old side by itself. --delete-old deletes the old indices of the same cluster: by
            the UUIDs that the rollover recorded, if no alias stands on them, no search is open, the old indexer has
            stopped, and nobody has used them for cutover.quiet_for.

            It may be repeated, and goes on where it was broken off.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [
            .init("yes", "Do it. Without this, nothing is changed."),
            .init("dry-run", "Only ask the gates, and list what would be done."),
            .init("delete-old", "Also delete the old indices, if they are in the same cluster and nobody uses them."),
            .init("keep-group", "Keep Crossfade's consumer group with its offsets."),
            .init("delete-dead-letters", "Also delete a dead-letter topic that holds letters."),
            .init("archive", value: "FILE", "Archive to this file instead of crossfade-NAME-finished.json here."),
            .init(
                "override", value: "GATE", choices: Gate.Name.ofEnd.map(\.rawValue),
                "Finish although this gate fails. May be given several times; needs --why."),
            .init("why", value: "TEXT", "Why a gate may fail here. It is kept in the archive."),
        ],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        var options = FinishWork.Options()
        options.overrides = Set(arguments.all("override").compactMap(Gate.Name.init))
        options.why = arguments.value("why")
        options.isDry = arguments.has("dry-run")
        options.deletesOld = arguments.has("delete-old")
        options.keepsGroup = arguments.has("keep-group")
        options.deletesDeadLetters = arguments.has("delete-dead-letters")
        options.archive = arguments.value("archive")
        guard options.overrides.isEmpty == (options.why ?? "").isEmpty else {
            output.failure("--override and --why go together: say why the gate may fail here.", code: "usage")
            return .usage
        }
        guard options.isDry || arguments.has("yes") else {
            output.failure(
                "there is no way back after this; look at it with --dry-run, then say --yes if that is meant.",
                code: "usage")
            return .usage
        }
        return CommandRunner.withRecipe(arguments, output) { recipe, logger in
            CommandRunner.listen(arguments, output, logger)
            let prepared = try Preflight.prepare(recipe, for: .cutover, depth: .facts, logger: logger)
            let result = try FinishWork(prepared, options: options, logger: logger).run()
            let report = FinishReport(result: result, isDry: options.isDry, name: recipe.name)
            output.data(report.json, text: report.text)
            return result.failed.isEmpty ? .done : .refused
        }
    }
}

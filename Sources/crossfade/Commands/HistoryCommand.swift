import CutoverWork
import Failures
import Migration
import Runtime
import SearchCluster
import State

/// `crossfade history`.
enum HistoryCommand {
    static let declaration = CommandDeclaration(
        path: ["history"],
        summary: "Show who did what to a migration, and when",
        discussion: """
            Reads the migration's history on the new cluster; changes nothing. The oldest event comes first, and the
            last \(MigrationHistory.most) events are kept. Times are those of the hosts' own clocks. The order is that
            in which the events were written.
            """,
        positionals: [CommandDeclaration.recipe], run: run)

    @Sendable private static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        CommandRunner.withRecipe(arguments, output) { recipe, logger in
            StopSignal.listen()
            let target = try recipe.connectTarget()
            let store = StateStore(target: target, name: recipe.name)
            let otherwise = ArchiveFile.hint(recipe.name) ?? "nothing has happened to it"
            let state = try store.loaded(recipe: recipe.typed, otherwise: otherwise)
            let history = try HistoryStore(store, target: target, logger: logger).load()
            let report = HistoryReport(migration: recipe.name, history: history, fingerprint: state.fingerprint)
            output.data(report.json, text: report.text)
            return .done
        }
    }
}

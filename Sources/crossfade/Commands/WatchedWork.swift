import Migration
import Operations
import Planning
import Recipe
import Telemetry

extension CommandDeclaration {
    /// Declares a command that runs long and that the operations endpoint shows, from its start to its last commit.
    static func watchedWork<Work: WatchedWork>(
        _ work: Work.Type, summary: String, discussion: String
    ) -> CommandDeclaration {
        CommandDeclaration(
            path: [Work.command], summary: summary, discussion: discussion, positionals: [recipe], options: [confirm]
        ) { arguments, output in
            CommandRunner.withRecipe(arguments, output) { recipe, logger in
                CommandRunner.listen(arguments, output, logger)
                let confirmation = arguments.value("confirm")
                // These checks come before a port is opened: the work may not start at all.
                let prepared = try Work.prepared(recipe, confirmation: confirmation, logger: logger)
                let summary = try CommandRunner.watched(prepared, as: Work.command, logger) {
                    try Work($0, confirmation: confirmation).run()
                }
                output.data(summary.json, text: summary.text)
                return summary.complete ? .done : .interrupted
            }
        }
    }
}

extension CommandRunner {
    /// Runs work that dashboard, metrics and StatsD show meanwhile. `command`: its name.
    static func watched<Result>(
        _ prepared: Preflight, as command: String, _ logger: Logger, _ body: (LiveWork) throws -> Result
    ) throws -> Result {
        let live = LiveWork(prepared, command: command, version: VersionCommand.crossfade, logger: logger)
        let operations = try OperationsServer.start(
            prepared.recipe.operations, source: WorkStatus(live), isBeside: command == "verify", logger: logger)
        defer { operations?.stop() }
        let look = StatusLook(live)
        defer { look.stop() }
        let statsd = prepared.recipe.operations.statsd.flatMap { StatsDReporter(live, address: $0) }
        statsd?.start()
        defer { statsd?.stop() }
        return try body(live)
    }
}

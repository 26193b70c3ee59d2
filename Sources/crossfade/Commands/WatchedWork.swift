import Telemetry
import Recipe
import Planning
import Migration
import Operations

extension CommandDeclaration {
    /// Declares a command that runs long and that the operations endpoint shows, from its start to its last commit.
    /// `depth`: how much is looked at before it begins. `unneeded`: rails that do not concern it.
    static func watchedWork(
        _ name: String, for purpose: Purpose, summary: String, discussion: String, depth: Preflight.Depth = .facts,
        unneeded: Set<String> = [], _ body: @escaping @Sendable (LiveWork, String?) throws -> Summary
    ) -> CommandDeclaration {
        CommandDeclaration(
            path: [name], summary: summary, discussion: discussion, positionals: [recipe], options: [confirm]
        ) { arguments, output in
            CommandRunner.work(arguments, output, for: purpose, depth: depth) { prepared, confirmation, logger in
                // These checks come before a port is opened: the work may not start at all.
                try prepared.passRails(except: unneeded)
                try prepared.checkConfirmed(confirmation)
                return try CommandRunner.watched(prepared, as: name, logger) { try body($0, confirmation) }
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
            prepared.recipe.operations, source: WorkStatus(live), logger: logger)
        defer { operations?.stop() }
        let statsd = prepared.recipe.operations.statsd.flatMap { StatsDReporter(live, address: $0) }
        statsd?.start()
        defer { statsd?.stop() }
        return try body(live)
    }
}

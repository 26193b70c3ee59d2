import CommandLog
import Failures
import Foundation
import HTTPServer
import JSONText
import Migration
import Operations
import Planning
import Recipe
import Runtime
import SearchCluster
import Telemetry

/// What the commands that touch servers have in common: recipe, log, errors and their exit codes.
enum WorkRunning {
    static func with(
        _ arguments: ParsedArguments, _ output: Output, _ body: (Recipe, Logger) throws -> ExitCode
    ) -> ExitCode {
        RecipeReading.with(arguments, output) { recipe in
            let logger = Logger(
                format: arguments.logsJSON ? .json : .text, level: arguments.isVerbose ? .debug : .info)
            do {
                return try body(recipe, logger)
            } catch {
                return report(error, output)
            }
        }
    }

    /// A piece of work that a signal may interrupt, and its summary.
    static func work(
        _ arguments: ParsedArguments, _ output: Output, _ body: (Preflight, String?, Logger) throws -> Summary
    ) -> ExitCode {
        with(arguments, output) { recipe, logger in
            listen(arguments, output, logger)
            let confirmation = arguments.value("confirm")
            // Whoever confirms something new is shown what `plan` would have refused.
            let prepared = try Preflight.prepare(recipe, sampling: confirmation != nil, logger: logger)
            let summary = try body(prepared, confirmation, logger)
            output.data(summary.json, text: summary.text)
            return summary.complete ? .done : .interrupted
        }
    }

    /// Work that can be watched from its beginning to its last commit.
    static func watchedWork(
        _ command: String, _ arguments: ParsedArguments, _ output: Output,
        _ body: (Preflight, String?, LiveWork) throws -> Summary
    ) -> ExitCode {
        work(arguments, output) { prepared, confirmation, logger in
            // Before a port is opened for work that does not begin.
            try prepared.passRails()
            try prepared.checkConfirmed(confirmation)
            let live = LiveWork(prepared, command: command, version: VersionCommand.crossfade, logger: logger)
            let operations = try OperationsServer.start(
                prepared.recipe.operations, source: WorkStatus(live), logger: logger)
            defer { operations?.stop() }
            let statsd = prepared.recipe.operations.statsd.flatMap { StatsDReporter(live, address: $0) }
            statsd?.start()
            defer { statsd?.stop() }
            return try body(prepared, confirmation, live)
        }
    }

    /// Listens to signals, and says at the first one what happens now and for how long at most.
    private static func listen(_ arguments: ParsedArguments, _ output: Output, _ logger: Logger) {
        let isTerminal = output.isTerminal
        let isJSON = arguments.logsJSON
        StopSignal.listen { atMost in
            if isJSON {
                return logger.info(
                    "stopping; a second signal stops at once", ["drain_at_most_seconds": atMost ?? 0])
            }
            let what = atMost.map { "draining, at most \($0) s" } ?? "stopping"
            // Over the line of progress.
            output.talk((isTerminal ? "\r\u{1B}[K" : "") + "\(what); again to stop at once")
        }
    }

    private static func report(_ error: any Error, _ output: Output) -> ExitCode {
        switch error {
        case let error as WorkError:
            switch error.code {
            case .refused: return fail(output, "\(error)", "refused", .refused)
            case .recipe: return fail(output, "\(error)", "recipe", .usage)
            default: return fail(output, "\(error)", "failed", .failed)
            }
        case let error as LogError:
            return fail(
                output, "\(error)", error.code.rawValue, error.code == .startDeleted ? .refused : .failed)
        case let error as ClusterError: return fail(output, "\(error)", error.code.rawValue, .failed)
        case let error as HTTPServerError: return fail(output, "\(error)", error.code.rawValue, .failed)
        default: return fail(output, "\(error)", "failed", .failed)
        }
    }

    private static func fail(_ output: Output, _ text: String, _ code: String, _ exit: ExitCode) -> ExitCode {
        output.failure(text.hasSuffix(".") ? text : text + ".", code: code)
        return exit
    }
}

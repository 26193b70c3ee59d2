import Recipe
import Planning
import Failures
import CommandLog
import Foundation
import HTTPServer
import JSONText
import Migration
import Operations
import Runtime
import SearchCluster
import Telemetry

/// Shared by the commands that use servers: recipe, log, errors and exit codes.
enum CommandRunner {
    static func withRecipe(
        _ arguments: ParsedArguments, _ output: Output, _ body: (Recipe, Logger) throws -> ExitCode
    ) -> ExitCode {
        RecipeArgument.load(arguments, output) { recipe in
            let logger = Logger(
                format: arguments.logsJSON ? .json : .text, level: arguments.isVerbose ? .debug : .info)
            for exposure in RecipeText.exposures(recipe) {
                logger.warning("others on the network are trusted", ["because": exposure])
            }
            do {
                return try body(recipe, logger)
            } catch {
                let failure = CommandFailure(error)
                output.failure(failure.text, code: failure.code)
                return failure.exit
            }
        }
    }

    /// Runs work that a signal may interrupt, and prints its summary.
    static func work(
        _ arguments: ParsedArguments, _ output: Output, for purpose: Purpose,
        _ body: (Preflight, String?, Logger) throws -> Summary
    ) -> ExitCode {
        withRecipe(arguments, output) { recipe, logger in
            listen(arguments, output, logger)
            let confirmation = arguments.value("confirm")
            // A user who confirms something new must see every refusal that `plan` would show.
            let prepared = try Preflight.prepare(
                recipe, for: purpose, depth: confirmation == nil ? .facts : .plan, isConfirming: confirmation != nil,
                logger: logger)
            let summary = try body(prepared, confirmation, logger)
            output.data(summary.json, text: summary.text)
            guard summary.complete else { return .interrupted }
            return summary.isInVain ? .differs : .done
        }
    }

    /// Listens to signals. The first signal prints what happens now and how long it takes at most.
    static func listen(_ arguments: ParsedArguments, _ output: Output, _ logger: Logger) {
        let isJSON = arguments.logsJSON
        StopSignal.listen { atMost in
            if isJSON {
                return logger.info(
                    "stopping; a second signal stops at once", ["drain_at_most_seconds": atMost ?? 0])
            }
            let what = atMost.map { "draining, at most \($0) s" } ?? "stopping"
            output.talkOverProgress("\(what); again to stop at once")
        }
    }
}

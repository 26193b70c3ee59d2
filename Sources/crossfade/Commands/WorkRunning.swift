import CommandLog
import Foundation
import JSONText
import Migration
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
        _ arguments: ParsedArguments, _ output: Output, _ body: (Preparation, String?, Logger) throws -> Summary
    ) -> ExitCode {
        with(arguments, output) { recipe, logger in
            Interruption.listen()
            let confirmation = arguments.value("confirm")
            // Whoever confirms something new is shown what `plan` would have refused.
            let prepared = try Preparation.prepare(recipe, sampling: confirmation != nil, logger: logger)
            let summary = try body(prepared, confirmation, logger)
            output.data(summary.json, text: summary.text)
            return summary.complete ? .done : .interrupted
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
        default: return fail(output, "\(error)", "failed", .failed)
        }
    }

    private static func fail(_ output: Output, _ text: String, _ code: String, _ exit: ExitCode) -> ExitCode {
        output.failure(text.hasSuffix(".") ? text : text + ".", code: code)
        return exit
    }
}

import Cutover
import CutoverWork
import Foundation
import Migration
import Planning
import Recipe
import Telemetry

enum RunCommand {
    static let declaration = CommandDeclaration(
        path: ["run"],
        summary: "The whole way up to the rollover, in one command that can be broken off and started again",
        discussion: """
            Does what plan, init, copy, replay, follow and verify do, one after the other, and goes on following. When
            every gate of the rollover passes it says so, keeps the receipt fresh, and waits: `crossfade rollover`
            moves the readers. It goes on following after that, because the new index is kept current by it, until
            SIGINT or SIGTERM.

            Where the recipe names no commands, copies take the place of replay and follow: they are repeated with what
            changed since (copy.since) until little is left. It verifies and is ready once nobody writes to the old side
            any more, and ends when the readers are moved.

            The plan must be confirmed: with --confirm and the fingerprint that `crossfade plan` prints, on a terminal
            by yes, or before by `crossfade init`. Started again after a stop, a crash or a kill -9, it goes on where
            the state says; nothing is confirmed twice.

            An error of a step ends it with the message and exit code of that step's own command.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [
            .init(
                "until", value: "PHASE", choices: RunMachine.Goal.allCases.map(\.rawValue), standard: "ready",
                "How far it goes. At initialised, copied, replayed and verified it ends; at ready, and at rolled-over "
                    + "which moves the readers as soon as every gate passes, it goes on following."),
            .init(
                "until-below", value: "N", standard: "1000",
                "Without commands: copies of what changed follow each other at once until one has read fewer "
                    + "documents."),
            .init(
                "confirm", value: "FINGERPRINT",
                "Accept the plan with this fingerprint, which `crossfade plan` prints."),
        ],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        var options = RunWork.Options()
        options.goal = arguments.value("until").flatMap(RunMachine.Goal.init) ?? .ready
        (options.confirmation, options.version) = (arguments.value("confirm"), VersionCommand.crossfade)
        if let text = arguments.value("until-below") {
            guard let number = Int(text), number > 0 else {
                output.failure("--until-below is \"\(text)\"; it must be a number from 1 on.", code: "usage")
                return .usage
            }
            options.below = number
        }
        return CommandRunner.withRecipe(arguments, output) { [options] recipe, logger in
            guard recipe.hasCommands || options.goal != .replayed else {
                throw recipe.withoutCommands("there is nothing to replay (--until replayed)")
            }
            CommandRunner.listen(arguments, output, logger)
            var screen: RunScreen?
            let work = RunWork(recipe, options: options, logger: logger) { prepared, command, body in
                try CommandRunner.watched(prepared, as: command, logger, body)
            } confirm: { prepared in
                // A question and a screen do not go together.
                screen?.close()
                defer { screen?.open() }
                return InitCommand.asked(prepared, output)
            }
            if output.isTerminal, !arguments.logsJSON { screen = RunScreen(work.board, recipe, options.goal) }
            screen?.open()
            defer { screen?.close() }
            let result = try work.run()
            screen?.close()
            return tell(result, recipe, options, output)
        }
    }

    private static func tell(
        _ result: RunWork.Result, _ recipe: Recipe, _ options: RunWork.Options, _ output: Output
    ) -> ExitCode {
        if result.end == .unconfirmed {
            output.failure(
                "nothing was created, because nothing was confirmed. Look at the plan, then run crossfade run "
                    + "\(recipe.typed) --confirm \(result.fingerprint).", code: "usage")
            return .usage
        }
        if result.end == .failed, let receipt = result.receipt {
            let report = ReceiptReport(receipt, recipe: recipe)
            output.data(report.json, text: report.text)
            return ExitCode(receipt.verdict)
        }
        let report = RunReport(result, recipe: recipe, goal: options.goal)
        output.data(report.json, text: report.text)
        return result.isComplete ? .done : .interrupted
    }
}

import CommandLog
import CutoverWork
import Failures
import Parity
import Planning
import Recipe
import State
import Telemetry
import Verification

enum RollbackCommand {
    static let declaration = CommandDeclaration(
        path: ["rollback"],
        summary: "Move the readers back to the old indices, in one step",
        discussion: """
            Moves every alias back by one request, with the filter, routing and write flag that it had. That is possible
            at any time before the migration is finished.

            First it compares both sides, document by document, for what the topic has named since the last receipt.
            If the old side lacks something of that, because the application's own indexer does not write there any
            more, nothing is moved, and the exit code is 3. --accept-loss skips the comparison; use it when the new
            side is broken.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [
            .init("only", value: "ALIAS", "Move only this alias back. May be given several times."),
            .init("accept-loss", "Do not compare: give up what the old side lacks."),
            .init(
                "readers-moved",
                "Between two clusters: the readers are on the old cluster again, moved by hand. cutover.command is not "
                    + "started."),
        ],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        var options = RollbackWork.Options()
        options.only = arguments.only("only")
        options.acceptsLoss = arguments.has("accept-loss")
        options.readersMoved = arguments.has("readers-moved")
        return CommandRunner.withRecipe(arguments, output) { recipe, logger in
            CommandRunner.listen(arguments, output, logger)
            let prepared = try prepare(recipe, options, logger)
            let result = try RollbackWork(prepared, options: options, logger: logger).run { state in
                let found = try compare(state, recipe, logger)
                guard found.lost > 0, let reasons = prepared.survey.wayBack?.reasons, !reasons.isEmpty else {
                    return found
                }
                return (found.lost, "\(reasons.joined(separator: "; ")). \(found.text)")
            }
            let report = RollbackReport(result, recipe: recipe)
            output.data(report.json, text: report.text)
            return .done
        }
    }

    /// Whoever gives up what the old side lacks needs the clusters only.
    private static func prepare(
        _ recipe: Recipe, _ options: RollbackWork.Options, _ logger: Logger
    ) throws -> Preflight {
        do {
            return try Preflight.prepare(
                recipe, for: options.acceptsLoss ? .wayBack : .cutover, depth: .facts, logger: logger)
        } catch let error as LogError {
            throw WorkError(
                .log,
                "both sides are compared by what the topic names, and that cannot be asked: \(error). To move the "
                    + "readers back all the same, and give up what the old side lacks: crossfade rollback "
                    + "\(recipe.typed) --accept-loss")
        }
    }

    /// What the old side lacks of what the log has named since the newest receipt.
    private static func compare(
        _ state: MigrationState, _ recipe: Recipe, _ logger: Logger
    ) throws -> (lost: Int, text: String) {
        // Without a log, nobody knows what was written since a receipt: everything is compared.
        let since =
            !recipe.hasCommands
            ? nil
            : state.receipts.last {
                $0.fingerprint == state.fingerprint && $0.verdict == .equal && $0.voided == nil
            }?.id
        let prepared = try Preflight.prepare(recipe, for: .verify, depth: .facts, logger: logger)
        func verified(_ since: String?) throws -> Receipt {
            var options = VerifyOptions()
            options.since = since
            return try CommandRunner.watched(prepared, as: "verify", logger) { live in
                try VerifyWork(live, options: options).run()
            }
        }
        var receipt = try VerifyWork.whole(unless: since, recipe, prepared, logger: logger) { since in
            try verified(since)
        }
        // Documents that went without a command: only a full comparison finds them.
        if receipt.since != nil, receipt.verdict == .equal, !receipt.countsAgree { receipt = try verified(nil) }
        let totals = receipt.totals
        // Two empty sides are alike, whatever the recipe says of it.
        let isEqual = receipt.verdict == .equal || (receipt.verdict == .empty && receipt.countsAgree)
        let lost = isEqual ? 0 : max(1, totals.wrong + totals.settling)
        return (
            lost,
            "receipt \(receipt.id) of now is \(receipt.verdict.rawValue): \(totals.equal) documents equal, "
                + "\(totals.wrong) not, \(totals.settling) still changing"
                + (lost > 0 ? ". Look at it: crossfade receipts show \(recipe.typed) \(receipt.id)" : "")
        )
    }
}

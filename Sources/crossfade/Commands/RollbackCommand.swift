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
        ],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        var options = RollbackWork.Options()
        options.only = arguments.only("only")
        options.acceptsLoss = arguments.has("accept-loss")
        return CommandRunner.withRecipe(arguments, output) { recipe, logger in
            CommandRunner.listen(arguments, output, logger)
            let prepared = try Preflight.prepare(recipe, for: .status, depth: .facts, logger: logger)
            let result = try RollbackWork(prepared, options: options, logger: logger).run { state in
                try compare(state, recipe, logger)
            }
            let report = RollbackReport(result, recipe: recipe)
            output.data(report.json, text: report.text)
            return .done
        }
    }

    /// What the old side lacks of what the log has named since the newest receipt.
    private static func compare(
        _ state: MigrationState, _ recipe: Recipe, _ logger: Logger
    ) throws -> (lost: Int, text: String) {
        var options = VerifyOptions()
        // Without a log, nobody knows what was written since a receipt: everything is compared.
        options.since =
            !recipe.hasCommands
            ? nil
            : state.receipts.last {
                $0.fingerprint == state.fingerprint && $0.verdict == .equal && $0.voided == nil
            }?.id
        let prepared = try Preflight.prepare(recipe, for: .verify, depth: .facts, logger: logger)
        func verified() throws -> Receipt {
            try CommandRunner.watched(prepared, as: "verify", logger) { live in
                try VerifyWork(live, options: options).run()
            }
        }
        let receipt: Receipt
        do {
            receipt = try verified()
        } catch let error as WorkError where error.code == .refused && options.since != nil {
            // That receipt proves nothing any more, which the look at it has found out: everything is compared then.
            let store = StateStore(target: prepared.survey.target, name: recipe.name)
            guard try ReceiptStore(store, target: prepared.survey.target).voided(options.since ?? "") != nil else {
                throw error
            }
            options.since = nil
            receipt = try verified()
        }
        let totals = receipt.totals
        let lost = receipt.verdict == .equal ? 0 : max(1, totals.wrong + totals.settling)
        return (
            lost,
            "receipt \(receipt.id) of now is \(receipt.verdict.rawValue): \(totals.equal) documents equal, "
                + "\(totals.wrong) not, \(totals.settling) still changing"
                + (lost > 0 ? ". Look at it: crossfade receipts show \(recipe.typed) \(receipt.id)" : "")
        )
    }
}

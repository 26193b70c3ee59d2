import Failures
import Foundation
import Migration
import Parity
import Planning
import Recipe
import Verification

enum VerifyCommand {
    static let declaration = CommandDeclaration(
        path: ["verify"],
        summary: "Prove that the new cluster has what the old one has",
        discussion: """
            Reads every document of both clusters, the old one's through the recipe's transform, and compares their
            contents, while the application goes on writing. What differs is read again until the commands that could
            explain it have been applied on both sides, so that nothing is called different which is only late. The
            result is a receipt. It is kept in the migration's state, and `crossfade receipts` lists it.

            The exit code is 0 only if all documents were compared and are equal. It is 4 if a document differs, and 1
            if that could not be found out: documents that are still changing, something that could not be read,
            nothing to compare.

            An interrupted verification goes on where it was. docs/verify.md says what it proves, and what not.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [
            .init(
                "repair",
                "Also list what would make both sides equal: the newest state of each document in the log."),
            .init("yes", "With --repair: write it, and verify these documents again."),
            .init(
                "trust-source",
                "With --repair: delete documents which the old cluster and the log do not have. Only while the "
                    + "application still writes to the old cluster."),
            .init(
                "against", value: "SIDE", choices: ["source", "log"],
                "Compare with the old cluster, or with what the topic says where no old cluster is left. Default: the "
                    + "old cluster if the recipe has one."),
            .init(
                "since", value: "RECEIPT",
                "Compare only what the topic has named since this receipt, and what was open in it: its id, how that "
                    + "begins, or `last`."),
            .init("stop-after", value: "N", "Stop when so many documents are found wrong."),
            .init(
                "rate", value: "RATE",
                "Bound the reading of each side, such as 5000/s or 20MB/s, in place of the recipe's verify.rate. May "
                    + "be given twice."),
            .init(
                "report", value: "FILE",
                "Also write the receipt to a file that ends in .html, .md or .json. May be given more than once."),
            CommandDeclaration.confirm,
        ],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        do throws(UsageError) {
            let given = try Given(arguments)
            return CommandRunner.withRecipe(arguments, output) { recipe, logger in
                CommandRunner.listen(arguments, output, logger)
                let (recipe, options) = try given.applied(to: recipe)
                let prepared = try VerifyWork.prepared(
                    recipe, options: options, confirmation: arguments.value("confirm"), logger: logger)
                let receipt = try CommandRunner.watched(prepared, as: "verify", logger) { live in
                    try VerifyWork(live, options: options).run()
                }
                var report = ReceiptReport(receipt, recipe: recipe)
                (report.listsRepair, report.trustsSource) = (options.repair == .listed, options.trustsSource)
                let isOver = prepared.survey.state?.cutover.position.isOver == true
                report.mayRepair = recipe.hasCommands || !isOver
                for file in given.reports { try file.write(report) }
                output.data(report.json, text: report.text)
                return ExitCode(receipt.verdict)
            }
        } catch {
            output.failure(error.message, code: "usage")
            return .usage
        }
    }

    /// What the command line says, before the recipe is known.
    struct Given {
        var options = VerifyOptions()
        var against: Receipt.Basis?
        var rates: [RecipeRate] = []
        var reports: [ReceiptFile] = []

        init(_ arguments: ParsedArguments) throws(UsageError) {
            for flag in ["yes", "trust-source"] where arguments.has(flag) && !arguments.has("repair") {
                throw UsageError(message: "--\(flag) goes with --repair.")
            }
            if arguments.has("repair") { options.repair = arguments.has("yes") ? .written : .listed }
            options.trustsSource = arguments.has("trust-source")
            against = arguments.value("against").flatMap(Receipt.Basis.init)
            if options.trustsSource, against == .log {
                throw UsageError(message: "--trust-source and --against log exclude each other.")
            }
            options.since = arguments.value("since")
            if let text = arguments.value("stop-after") {
                guard let number = Int(text), number > 0 else {
                    throw UsageError(message: "--stop-after is \"\(text)\"; it must be a number from 1 on.")
                }
                options.stopAfter = number
            }
            for text in arguments.all("rate") {
                guard let rate = RecipeRate(text) else {
                    throw UsageError(
                        message: "--rate is \"\(text)\"; it must be documents such as 5000/s, or bytes such as 20MB/s.")
                }
                rates.append(rate)
            }
            for path in arguments.all("report") { reports.append(try ReceiptFile(path)) }
        }

        func applied(to recipe: Recipe) throws(WorkError) -> (Recipe, VerifyOptions) {
            var (recipe, options) = (recipe, options)
            options.against = against ?? VerifyOptions.basis(of: recipe)
            guard recipe.hasCommands || options.since == nil else {
                throw recipe.withoutCommands("nobody knows what was written since a receipt (--since)")
            }
            guard recipe.hasCommands || options.against == .source else {
                throw recipe.withoutCommands("there is no log to compare with")
            }
            if options.against == .source, recipe.source == nil {
                throw WorkError(.recipe, "the recipe has no source to compare with; use --against log")
            }
            if !rates.isEmpty { (recipe.verify.documentsPerSecond, recipe.verify.bytesPerSecond) = (nil, nil) }
            for rate in rates { recipe.verify.limit(rate) }
            return (recipe, options)
        }
    }
}

import Failures
import JSONText
import Migration
import Planning
import Recipe
import Runtime
import Telemetry

enum CopyCommand {
    static let declaration = CommandDeclaration(
        path: ["copy"],
        summary: "Copy all documents from the old cluster to the new one",
        discussion: """
            The old cluster is only read. An interrupted copy goes on where it was: finished slices are not read again,
            and the unfinished ones are read once more, which does no harm.

            After a finished copy, --since copies only what changed: documents whose field has at least a value, what a
            query finds, or, with `last`, what was written since the copies before, by the recipe's copy.since. Deletes
            are not seen by any copy; `crossfade verify` finds them. With --until-below, such copies are repeated until
            one has read fewer documents.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [
            .init(
                "since", value: "WHAT",
                "Only what changed: last, FIELD>=VALUE such as 'modified_at>=2026-11-01', FIELD>VALUE, or a query as "
                    + "JSON."),
            .init(
                "until-below", value: "N", "With --since last: copy again and again, until fewer documents were read."),
            CommandDeclaration.confirm,
        ],
        run: run)

    /// So many copies in a row that get no smaller are enough to see that the writers are faster.
    private static let patience = 5

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        do throws(UsageError) {
            let given = try Given(arguments)
            return CommandRunner.withRecipe(arguments, output) { recipe, logger in
                CommandRunner.listen(arguments, output, logger)
                return try run(given, recipe, arguments.value("confirm"), output, logger)
            }
        } catch {
            output.failure(error.message, code: "usage")
            return .usage
        }
    }

    private static func run(
        _ given: Given, _ recipe: Recipe, _ confirmation: String?, _ output: Output, _ logger: Logger
    ) throws -> ExitCode {
        var read: [Int] = []
        while true {
            let summary = try copy(given, recipe, read.isEmpty ? confirmation : nil, logger)
            read.append(summary.returned ?? 0)
            var report = summary
            if read.count > 1 {
                report.notes.append(
                    "copies in a row have read \(read.map(String.init).joined(separator: ", ")) documents")
            }
            let isOver = given.untilBelow.map { read.last ?? 0 < $0 } ?? true
            guard summary.complete, !isOver else {
                output.data(report.json, text: report.text)
                return summary.complete ? .done : .interrupted
            }
            let last = read.suffix(patience)
            guard last.count < patience || (last.first ?? 0) > (last.last ?? 0) else {
                output.data(report.json, text: report.text)
                throw WorkError(
                    .refused,
                    "\(patience) copies in a row got no smaller (\(last.map(String.init).joined(separator: ", ")) "
                        + "documents): the writers are as fast, or copy.since.margin covers more than --until-below. "
                        + "Everything up to the last of them is copied")
            }
            logger.info("the copy is not small enough yet", ["read": read.last ?? 0, "below": given.untilBelow ?? 0])
        }
    }

    private static func copy(
        _ given: Given, _ recipe: Recipe, _ confirmation: String?, _ logger: Logger
    ) throws -> Summary {
        // These checks come before a port is opened: the work may not start at all.
        let prepared = try CopyWork.prepared(recipe, confirmation: confirmation, logger: logger)
        return try CommandRunner.watched(prepared, as: "copy", logger) { live in
            try CopyWork(live, confirmation: confirmation, since: given.since).run()
        }
    }

    /// What the command line says.
    private struct Given {
        var since: CopySince?
        var untilBelow: Int?

        init(_ arguments: ParsedArguments) throws(UsageError) {
            if let text = arguments.value("since") {
                do throws(CopySince.Unreadable) {
                    since = try CopySince(parsing: text)
                } catch {
                    throw UsageError(message: "--since is \"\(text)\": \(error.message).")
                }
            }
            guard let text = arguments.value("until-below") else { return }
            guard let number = Int(text), number > 0 else {
                throw UsageError(message: "--until-below is \"\(text)\"; it must be a number from 1 on.")
            }
            guard since == .last else { throw UsageError(message: "--until-below goes with --since last.") }
            untilBelow = number
        }
    }
}

import Failures
import JSONText
import Parity
import Planning
import Recipe
import Runtime
import SearchCluster
import State
import Telemetry
import Verification

/// `crossfade receipts list`, `show` and `check`.
enum ReceiptsCommand {
    static let list = CommandDeclaration(
        path: ["receipts", "list"],
        summary: "List what was verified, and with which verdict",
        discussion: """
            Reads the migration's state on the new cluster; changes nothing. A receipt's age counts from the oldest part
            that was read for it. The last 200 receipts are kept.
            """,
        positionals: [CommandDeclaration.recipe], run: runList)

    static let show = CommandDeclaration(
        path: ["receipts", "show"],
        summary: "Show a receipt, or write it to a file",
        discussion: "Without an id the newest receipt is shown. A receipt that was changed is not shown.",
        positionals: [CommandDeclaration.recipe, receipt],
        options: [.init("report", value: "FILE", "Also write it to a file that ends in .html, .md or .json.")],
        run: runShow)

    static let check = CommandDeclaration(
        path: ["receipts", "check"],
        summary: "Find out whether a receipt was changed",
        discussion: """
            Compares a receipt with the digest of it in the migration's state. Without an id all receipts are checked.
            The exit code is 1 if one was changed or is gone.
            """,
        positionals: [CommandDeclaration.recipe, receipt], run: runCheck)

    private static let receipt = CommandDeclaration.Positional(
        name: "RECEIPT", doc: "The id that `crossfade receipts list` shows.", required: false)

    @Sendable private static func runList(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        with(arguments, output) { _, store, state, recipe in
            let report = ReceiptList(
                migration: recipe.name, recipe: recipe.typed, fingerprint: state.fingerprint,
                receipts: state.receipts.reversed(), now: WallClock.now())
            output.data(report.json, text: report.text)
            return .done
        }
    }

    @Sendable private static func runShow(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        do throws(UsageError) {
            let file = try arguments.value("report").map { path throws(UsageError) in try ReceiptFile(path) }
            return with(arguments, output) { id, store, state, recipe in
                guard let id = id ?? state.newestReceipt?.id else { throw Self.none(recipe) }
                let check = try store.check(id)
                guard check == .intact else { throw Self.failure(id, check, recipe) }
                guard let receipt = try store.load(id) else {
                    throw WorkError(
                        .state, "receipt \(id) was written by a newer version of crossfade, which must show it")
                }
                let report = ReceiptReport(receipt, recipe: recipe)
                try file?.write(report)
                output.data(report.json, text: report.text)
                return .done
            }
        } catch {
            output.failure(error.message, code: "usage")
            return .usage
        }
    }

    @Sendable private static func runCheck(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        with(arguments, output) { id, store, state, recipe in
            let ids = id.map { [$0] } ?? state.receipts.reversed().map(\.id)
            if ids.isEmpty { throw Self.none(recipe) }
            let found = try ids.map { (id: $0, check: try store.check($0)) }
            let json: [JSONValue] = found.map { found in
                [
                    "receipt": .string(found.id), "intact": .bool(found.check == .intact),
                    "trouble": Self.trouble(found.check).map { .string($0) } ?? .null,
                ]
            }
            let lines = found.map { found in
                "\(ReceiptReport.line(found.id))  " + (Self.trouble(found.check) ?? "as it was written")
            }
            output.data(["receipts": .array(json)], text: lines.joined(separator: "\n"))
            return found.allSatisfy { $0.check == .intact } ? .done : .failed
        }
    }

    private static func none(_ recipe: Recipe) -> WorkError {
        WorkError(
            .state,
            "migration \(recipe.name) has no receipt: nothing was verified. Run crossfade verify \(recipe.typed)")
    }

    private static func failure(_ id: String, _ check: ReceiptStore.Check, _ recipe: Recipe) -> WorkError {
        WorkError(
            .state,
            "receipt \(ReceiptReport.line(id)): \(trouble(check) ?? ""). Verify again: "
                + "crossfade verify \(recipe.typed)")
    }

    /// nil: there is none.
    private static func trouble(_ check: ReceiptStore.Check) -> String? {
        switch check {
        case .intact: nil
        case .changed(let what): "CHANGED: \(what)"
        case .gone: "GONE: the state lists it, and its document is not there"
        case .unlisted: "UNKNOWN: the state lists no such receipt"
        }
    }

    private static func with(
        _ arguments: ParsedArguments, _ output: Output,
        _ body: (String?, ReceiptStore, MigrationState, Recipe) throws -> ExitCode
    ) -> ExitCode {
        CommandRunner.withRecipe(arguments, output) { recipe, _ in
            StopSignal.listen()
            let target = try Cluster.connect(recipe.target)
            let states = StateStore(target: target, name: recipe.name)
            guard let state = try states.load() else {
                throw WorkError(
                    .refused,
                    "migration \(recipe.name) is not initialised on \(target.name), so nothing was verified: run "
                        + "`crossfade plan \(recipe.typed)`")
            }
            let id = arguments["RECEIPT"]
            return try body(id.isEmpty ? nil : id, ReceiptStore(states, target: target), state, recipe)
        }
    }
}

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
        options: [
            .init(
                "report", value: "FILE",
                "Also write it to a file that ends in .html, .md or .json. May be given more than once.")
        ],
        run: runShow)

    static let check = CommandDeclaration(
        path: ["receipts", "check"],
        summary: "Find out whether a receipt was changed, and whether it still stands",
        discussion: """
            Compares a receipt with the digest of it in the migration's state. Without an id all receipts are checked;
            with one, or with `last`, that one alone, whatever became of the others.
            Of the newest one, or of the one that is named, it also finds out whether anybody but Crossfade has written
            to the new cluster since, with a look at the topic.

            The exit code is 1 if a receipt was changed or is gone, or if that cannot be found out, and 4 if it is void:
            somebody else has written since, or the index is another one. Otherwise it is that of the verification: 0
            only if all was equal. docs/verify.md says what this cannot see.

            With --report, a file that `--report` has written is compared with its receipt: a number that was edited in
            it is found.
            """,
        positionals: [CommandDeclaration.recipe, receipt],
        options: [
            .init(
                "report", value: "FILE",
                "Also find out whether this file still says what its receipt says. May be given more than once.")
        ],
        run: runCheck)

    private static let receipt = CommandDeclaration.Positional(
        name: "RECEIPT", doc: "The id that `crossfade receipts list` shows, how it begins, or `last`.", required: false)

    @Sendable private static func runList(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        with(arguments, output) { _, store, state, recipe, _ in
            let report = ReceiptList(
                migration: recipe.name, recipe: recipe.typed, fingerprint: state.fingerprint,
                receipts: state.receipts.reversed(), now: WallClock.now())
            output.data(report.json, text: report.text)
            return .done
        }
    }

    @Sendable private static func runShow(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        do throws(UsageError) {
            var files: [ReceiptFile] = []
            for path in arguments.all("report") { files.append(try ReceiptFile(path)) }
            return with(arguments, output) { id, store, state, recipe, _ in
                guard let id = id ?? state.newestReceipt?.id else { throw Self.none(recipe) }
                let check = try store.check(id)
                guard check == .intact else { throw Self.failure(id, check, recipe) }
                guard let receipt = try store.load(id) else {
                    throw WorkError(
                        .state, "receipt \(id) was written by a newer version of crossfade, which must show it")
                }
                let report = ReceiptReport(receipt, recipe: recipe)
                for file in files { try file.write(report) }
                output.data(report.json, text: report.text)
                return .done
            }
        } catch {
            output.failure(error.message, code: "usage")
            return .usage
        }
    }

    @Sendable private static func runCheck(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        do throws(UsageError) {
            var files: [ReceiptFile] = []
            for path in arguments.all("report") { files.append(try ReceiptFile(path)) }
            return check(files, arguments, output)
        } catch {
            output.failure(error.message, code: "usage")
            return .usage
        }
    }

    private static func check(_ files: [ReceiptFile], _ arguments: ParsedArguments, _ output: Output) -> ExitCode {
        with(arguments, output) { id, store, state, recipe, logger in
            let reports = try files.map { try CheckedReport($0, of: id, in: store) }
            var ids = id.map { [$0] } ?? reports.map(\.receipt)
            if ids.isEmpty { ids = state.receipts.reversed().map(\.id) }
            if ids.isEmpty { throw Self.none(recipe) }
            var seen: Set<String> = []
            var checked = try ids.filter { seen.insert($0).inserted }
                .map { id in
                    guard !StopSignal.isAsked else { throw WorkError(.interrupted, "interrupted; nothing was changed") }
                    let entry = state.receipts.last { $0.id == id }
                    return Checked(id: id, check: try entry.map { try store.check($0) } ?? .unlisted)
                }
            // An older one is replaced by the newest.
            if checked[0].check == .intact, let receipt = try store.load(checked[0].id) {
                if receipt.isJudged {
                    checked[0].standing = try ReceiptLook.standing(of: receipt, in: store, recipe, logger: logger)
                }
                checked[0].receipt = receipt
            }
            output.data(
                ["receipts": .array(checked.map(\.json)), "reports": .array(reports.map(\.json))],
                text: VisibleText.joined(checked.map(\.line) + reports.map(\.line)))
            guard checked.allSatisfy({ $0.check == .intact }), reports.allSatisfy({ $0.trouble == nil }) else {
                if id == nil, reports.isEmpty, checked[0].check == .intact {
                    output.talk(
                        "crossfade: older receipts were changed or are gone, and the newest is as it was written. "
                            + "To check that one alone: crossfade receipts check \(recipe.typed) last")
                }
                return .failed
            }
            switch checked[0].standing {
            case .void: return .differs
            case .unknown: return .failed
            case .stands, .untold, nil: return checked[0].receipt.map { ExitCode($0.verdict) } ?? .done
            }
        }
    }

    private struct Checked {
        var id: String
        var check: ReceiptStore.Check
        /// nil: that was not looked at.
        var standing: ReceiptStanding?
        var receipt: Receipt?

        var json: JSONValue {
            let trouble = ReceiptsCommand.trouble(check)
            return [
                "receipt": .string(id), "intact": .bool(check == .intact),
                "trouble": trouble.map { .string($0) } ?? .null,
                "standing": standing.map { .string($0.name) } ?? .null,
                "because": standing?.words.map { .string($0) } ?? .null, "foreign_writes": .array(foreign),
            ]
        }

        private var foreign: [JSONValue] {
            guard case .void(.foreignWrites(let writes)) = standing else { return [] }
            return writes.indices.sorted { $0.key < $1.key }.map { entry, index in
                [
                    "index": .string(index.name), "documents": .number(index.documents),
                    "unseen": .number(index.unseen),
                    "examples": .array(writes.examples.filter { $0.entry == entry }.map(\.json)),
                ]
            }
        }

        /// What it says; nothing of one that was not looked at.
        private var said: String { receipt.map { "says \($0.verdict.rawValue), " } ?? "" }

        var line: String {
            let name = VisibleText.line(id) + "  "
            if let trouble = ReceiptsCommand.trouble(check) { return name + trouble }
            switch standing {
            case nil: return name + said + "as it was written"
            case .stands(let notes):
                return name + said + (["as it was written, and stands"] + notes).joined(separator: "; ")
            case .void(let void): return name + "VOID: " + VisibleText.line(void.words) + ". Verify again"
            case .unknown(let why), .untold(let why):
                return name + said + "as it was written; whether it still stands is not known: "
                    + VisibleText.line(why)
            }
        }
    }

    /// A file that `--report` wrote, and what is wrong with it.
    private struct CheckedReport {
        let path: String
        let receipt: String
        let trouble: String?

        /// - Parameter wanted: the receipt that it is to be of; nil: any that the state lists.
        init(_ file: ReceiptFile, of wanted: String?, in store: ReceiptStore) throws {
            let written = try WrittenReport(reading: file)
            (path, receipt) = (file.path, written.receipt)
            let check = try store.check(written.receipt)
            if let wanted, wanted != written.receipt {
                trouble = "OTHER: it is of receipt \(written.receipt)"
            } else if check != .intact {
                trouble = "UNKNOWN: its receipt cannot be compared with it"
            } else if let stored = try store.load(written.receipt) {
                trouble = written.trouble(stored)
            } else {
                trouble = "UNKNOWN: its receipt was written by a newer version of crossfade, which must check it"
            }
        }

        var json: JSONValue {
            [
                "file": .string(path), "receipt": .string(receipt), "intact": .bool(trouble == nil),
                "trouble": trouble.map { .string($0) } ?? .null,
            ]
        }

        var line: String {
            VisibleText.line(path) + "  "
                + (trouble.map { VisibleText.line($0) } ?? "says what receipt \(receipt) says")
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
            "receipt \(VisibleText.line(id)): \(trouble(check) ?? ""). Verify again: "
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

    /// The id of the receipt that is meant; nil: none is named.
    private static func id(_ text: String, _ state: MigrationState) throws -> String? {
        if text == "last" { return state.newestReceipt?.id }
        switch text.isEmpty ? .none : state.receipts.named(text) {
        case .one(let id): return id
        case .none: return text.isEmpty ? nil : text
        case .several(let ids):
            throw WorkError(
                .state, "several receipts begin with \(VisibleText.line(text)): \(ids.joined(separator: ", "))")
        }
    }

    private static func with(
        _ arguments: ParsedArguments, _ output: Output,
        _ body: (String?, ReceiptStore, MigrationState, Recipe, Logger) throws -> ExitCode
    ) -> ExitCode {
        CommandRunner.withRecipe(arguments, output) { recipe, logger in
            StopSignal.listen()
            let target = try recipe.connectTarget()
            let states = StateStore(target: target, name: recipe.name)
            let state = try states.loaded(recipe: recipe.typed, otherwise: "nothing was verified")
            let id = try Self.id(arguments["RECEIPT"], state)
            return try body(id, ReceiptStore(states, target: target), state, recipe, logger)
        }
    }
}

import DeadLetters
import Failures
import Foundation
import JSONText
import Migration
import Pipeline
import Runtime
import State

/// `crossfade dead-letters list`, `show`, `redrive` and `discard`.
enum DeadLettersCommand {
    private static let filters: [CommandDeclaration.Option] = [
        .init(
            "reason", value: "REASON", suggestions: DeadLetterReasons.known.map(\.code),
            "Only letters of this reason, or of several separated by commas. The manual lists them."),
        .init("partition", value: "P", "Only records of this partition of the command topic."),
        .init(
            "since", value: "TIME",
            "Only letters written at or after this time (2026-11-01T00:00:00Z), or so long ago (2h)."),
        .init("until", value: "TIME", "Only letters written at or before this time, or so long ago."),
        .init("offset", value: "P:O", "Only the record at this partition and offset of the command topic."),
        .init("id", value: "ID", "Only letters with this key or document id."),
        .init("limit", value: "N", "At most this many, the oldest first."),
        .init("all", "Also letters that are resolved: redriven, replayed or discarded."),
    ]

    static let list = CommandDeclaration(
        path: ["dead-letters", "list"],
        summary: "List the records that could not be written, and why",
        discussion: """
            Reads the dead-letter topic to its end; nothing is changed. A record that failed several times is one line,
            with its latest reason.
            """,
        positionals: [CommandDeclaration.recipe], options: filters, run: runList)

    static let show = CommandDeclaration(
        path: ["dead-letters", "show"],
        summary: "Show one dead letter whole, with its headers and its value",
        discussion: """
            Name it by its place in the command topic (partition and offset, as `dead-letters list` prints it under AT),
            or by --id. If several match, the latest is shown.
            """,
        positionals: [
            CommandDeclaration.recipe,
            .init(name: "P:O", doc: "Partition and offset of the record; the same as --offset.", required: false),
        ], options: filters, run: runShow)

    static let redrive = CommandDeclaration(
        path: ["dead-letters", "redrive"],
        summary: "Try to write dead letters again, with the recipe as it is now",
        discussion: """
            Every letter is handled as its record in a replay: decoder, transform, bulk write, with the record's
            version. Nothing newer is overwritten. A letter that fails again stays. The command may be repeated, and
            may run beside follow.
            """,
        positionals: [CommandDeclaration.recipe], options: filters + [CommandDeclaration.confirm], run: runRedrive)

    static let discard = CommandDeclaration(
        path: ["dead-letters", "discard"],
        summary: "Say of dead letters that they are meant to stay dead, and why",
        discussion: """
            They count as resolved from then on, so they hold back no rollover and no finish. They stay in the topic,
            with the reason; `dead-letters list --all` shows it. A letter whose record dies again
            for the same reason, as in another replay, stays discarded; for another reason it is unresolved again.
            Without a selection, all unresolved letters are discarded, and those that are gone from the topic, too.
            """,
        positionals: [CommandDeclaration.recipe],
        options: filters.filter { $0.name != "all" } + [
            .init("why", value: "TEXT", "Why they are not needed. It is kept with each letter, and in the history.")
        ], run: runDiscard)

    @Sendable private static func runList(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        with(arguments, output) { filter in
            CommandRunner.withRecipe(arguments, output) { recipe, logger in
                StopSignal.listen()
                guard recipe.hasCommands else { throw recipe.withoutCommands("there are no dead letters") }
                let tally = LetterTally.kept(of: recipe)
                let all = try DeadLetterReader(recipe, logger: logger).letters()
                for doubt in DeadLetterReasons.doubts(of: filter.reasons, seen: Set(all.map(\.reason))) {
                    output.talk("crossfade: " + doubt)
                }
                let report = DeadLetterList(recipe, all: all, chosen: filter, tally: tally)
                output.data(report.json, text: report.text)
                return .done
            }
        }
    }

    @Sendable private static func runShow(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        with(arguments, output) { filter throws(UsageError) in
            var filter = filter
            if !arguments["P:O"].isEmpty {
                guard arguments.value("offset") == nil else {
                    throw UsageError(message: "P:O and --offset name the same: give one of them.")
                }
                filter.offset = try recordPosition("P:O", arguments["P:O"])
            }
            guard filter.offset != nil || filter.id != nil else {
                throw UsageError(message: "crossfade dead-letters show needs P:O, such as 3:1200, or --id ID.")
            }
            // The user named this letter, so it is shown whether it is resolved or not.
            filter.all = true
            return CommandRunner.withRecipe(arguments, output) { recipe, logger in
                StopSignal.listen()
                guard recipe.hasCommands else { throw recipe.withoutCommands("there are no dead letters") }
                let log = DeadLetterReader(recipe, logger: logger)
                guard let letter = filter.select(try log.letters()).last, let whole = try log.whole(letter) else {
                    output.failure(
                        "there is no such dead letter in topic \(recipe.deadLetterTopic).", code: "not_found")
                    return .failed
                }
                output.data(whole.json, text: whole.text)
                return .done
            }
        }
    }

    @Sendable private static func runRedrive(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        with(arguments, output) { filter in
            CommandRunner.work(arguments, output, for: .redrive) { prepared, confirmation, logger in
                try RedriveWork(prepared, confirmation: confirmation, filter: filter, logger: logger).run()
            }
        }
    }

    @Sendable private static func runDiscard(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        with(arguments, output) { filter throws(UsageError) in
            let why = (arguments.value("why") ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
            guard !why.isEmpty else {
                throw UsageError(message: "crossfade dead-letters discard needs --why TEXT: why they are not needed.")
            }
            return CommandRunner.withRecipe(arguments, output) { recipe, logger in
                StopSignal.listen()
                let result = try DiscardWork(recipe, filter: filter, why: why, logger: logger).run()
                let count = result.discarded.count
                output.data(
                    [
                        "command": "dead-letters discard", "discarded": .number(count),
                        "unresolved": .number(result.left), "gone": .number(result.gone),
                        "letters": .array(result.discarded.map(\.json)),
                    ],
                    text: "discarded \(count) dead letter\(count == 1 ? "" : "s")"
                        + (result.gone > 0 ? ", and \(result.gone) that nobody can read any more" : "")
                        + "; \(result.left) left unresolved")
                return .done
            }
        }
    }

    private static func with(
        _ arguments: ParsedArguments, _ output: Output, _ body: (DeadLetterFilter) throws(UsageError) -> ExitCode
    ) -> ExitCode {
        do throws(UsageError) {
            return try body(try filter(arguments))
        } catch {
            output.failure(error.message, code: "usage")
            return .usage
        }
    }

    static func filter(_ arguments: ParsedArguments) throws(UsageError) -> DeadLetterFilter {
        var filter = DeadLetterFilter()
        filter.reasons = Set((arguments.value("reason") ?? "").split(separator: ",").map(String.init))
        filter.all = arguments.has("all")
        filter.id = arguments.value("id")
        if let text = arguments.value("partition") {
            guard let partition = Int32(text), partition >= 0 else {
                throw bad("partition", text, "a partition's number")
            }
            filter.partition = partition
        }
        if let text = arguments.value("limit") {
            guard let limit = Int(text), limit > 0 else { throw bad("limit", text, "a number from 1 on") }
            filter.limit = limit
        }
        if let text = arguments.value("offset") {
            filter.offset = try recordPosition("--offset", text)
        }
        filter.since = try time("since", arguments)
        filter.until = try time("until", arguments)
        return filter
    }

    private static func time(_ name: String, _ arguments: ParsedArguments) throws(UsageError) -> Int64? {
        guard let text = arguments.value(name) else { return nil }
        guard let time = DeadLetterTime.parse(text) else {
            throw bad(name, text, "a time such as 2026-11-01T00:00:00Z, or how long ago, such as 90s, 30m, 2h or 1d")
        }
        return time
    }

    private static func bad(_ name: String, _ text: String, _ expected: String) -> UsageError {
        UsageError(message: "--\(name) is \"\(text)\"; it must be \(expected).")
    }
}

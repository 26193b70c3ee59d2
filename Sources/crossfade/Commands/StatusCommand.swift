import CutoverWork
import Foundation
import JSONText
import Migration

enum StatusCommand {
    static let declaration = CommandDeclaration(
        path: ["status"],
        summary: "Where the migration stands",
        discussion: """
            Reads the state on the new cluster, the offsets of the consumer groups and the dead letters; changes
            nothing. Shows what runs now, whether readers may move to the new index and if not why, and the command to
            type next.

            The exit code is 1 when the servers do not answer. While only Kafka or the command topic is away, all that
            does not need it is shown all the same.

            With --check the exit code is 1 when something will not get right by waiting: a target index that is gone
            or closed; work that was interrupted or that no process does any more; a process that no longer reports, or
            that waits for a cluster or for Kafka; unresolved dead letters; a replay that is due because the target
            index was created again; a recipe that has changed since it was confirmed; an unknown lag while a process
            follows or should follow, or a committed offset behind the end of the log; a newest verification that
            found documents wrong, with no copy or repair since; an alarm. A migration that was only
            planned or created has not begun: it is no fault that nothing is copied, replayed or followed yet, and
            `next` says what to type.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [
            .init("watch", "Look again every 2 s; at a terminal on the whole screen, until q or Ctrl-C."),
            .init("check", "End with 1 when something needs a person."),
        ],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        guard !arguments.has("watch") || !arguments.has("check") else {
            output.failure("--watch and --check exclude each other.", code: "usage")
            return .usage
        }
        return CommandRunner.withRecipe(arguments, output) { recipe, logger in
            if arguments.has("watch") { return StatusWatch(recipe, output, logger).run() }
            let status = try Status.look(recipe, logger: logger).lookingAtReaders(logger: logger)
            output.data(status.json, text: status.text)
            if let trouble = status.prepared.survey.logUnknown {
                // In JSON, `log` says it.
                output.talk(
                    "crossfade: the command topic could not be looked at: \(trouble). What needs it is shown as "
                        + "unknown.")
                return .failed
            }
            return arguments.has("check") && !status.standing.attention.isEmpty ? .failed : .done
        }
    }
}

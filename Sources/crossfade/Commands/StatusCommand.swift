import Foundation
import JSONText
import Migration

/// `crossfade status`.
enum StatusCommand {
    static let declaration = CommandDeclaration(
        path: ["status"],
        summary: "Where the migration stands",
        discussion: """
            Reads the state on the new cluster, the offsets of the consumer groups and the dead letters; changes nothing. \
            Says what goes on, whether readers may be moved to the new index and why not, and the command to type next.

            With --check it ends with 1 when something does not get right by waiting: a target index that is gone or \
            closed, work that was interrupted or that nobody does any more, a process that is no longer heard of, one \
            that waits for a cluster or for Kafka, unresolved dead letters, a replay that is due because the target index \
            was made again, a recipe that has changed since it was confirmed, a lag that is unknown although somebody \
            follows or has to, an alarm; and when the servers cannot be asked. A migration that was only planned or \
            created is not begun: that nothing is copied, replayed or followed yet is no fault, and `next` says what to \
            type.
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
        return WorkRunning.with(arguments, output) { recipe, logger in
            if arguments.has("watch") { return StatusWatch(recipe, output, logger).run() }
            let status = try Status.look(recipe, logger: logger)
            output.data(status.json, text: status.text)
            return arguments.has("check") && !status.standing.attention.isEmpty ? .failed : .done
        }
    }
}

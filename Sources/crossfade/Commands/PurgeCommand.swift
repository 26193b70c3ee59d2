import Migration
import Planning
import Recipe
import Runtime

enum PurgeCommand {
    static let declaration = CommandDeclaration(
        path: ["purge"],
        summary: "Delete old tombstones of deleted documents",
        discussion: """
            While Crossfade writes, a deleted document is kept as a small tombstone, so that a late write cannot bring
            it back. `crossfade follow` purges tombstones that are older than the recipe's tombstone_age; this command
            does it once. It purges nothing while a copy is unfinished, and keeps every tombstone whose document has an
            unresolved dead letter.
            """,
        positionals: [CommandDeclaration.recipe],
        options: [
            .init(
                "older-than", value: "DURATION",
                "Purge what is older than this, such as 90s, 15m or 1h, instead of tombstone_age."),
            .init("all", "Purge all, whatever their age. For the end of a migration, when nothing writes any more."),
        ],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        var age: Int64?
        if let text = arguments.value("older-than") {
            guard !arguments.has("all") else {
                output.failure("--older-than and --all exclude each other.", code: "usage")
                return .usage
            }
            guard let milliseconds = RecipeDuration.milliseconds(text) else {
                output.failure("--older-than \(text) is not a duration such as 90s, 15m or 1h.", code: "usage")
                return .usage
            }
            age = milliseconds
        }
        return CommandRunner.withRecipe(arguments, output) { recipe, logger in
            StopSignal.listen()
            let prepared = try Preflight.prepare(recipe, for: .purge, depth: .facts, logger: logger)
            let summary = try PurgeWork(prepared, olderThan: age, all: arguments.has("all"), logger: logger).run()
            output.data(summary.json, text: summary.text)
            return summary.complete ? .done : .interrupted
        }
    }
}

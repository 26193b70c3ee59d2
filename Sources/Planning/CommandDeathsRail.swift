import Commands
import Indexing
import Recipe

/// The rail `command_deaths`: how many of the sampled records would be dead letters. Where these are most of them, the
/// recipe reads the commands wrongly, and nothing of the topic would reach the target.
package enum CommandDeathsRail {
    /// As for a copy: half of the records, and not only a few.
    private static let limit = CopyDeaths.Limit(share: 5000, count: 100)
    /// Nearly all of fewer records, too. Still fewer say nothing.
    private static let few = 20

    static func look(_ recipe: Recipe, _ samples: Samples) -> [Rail] {
        let log = samples.log
        let dead = log.rejects.values.reduce(0) { $0 + $1.count }
        let most = log.rejects.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }
        guard dead * 100 >= log.read, let (reason, first) = most else { return [] }
        let isRefused = refuses(dead, of: log.read)
        let detail =
            "\(dead) of \(log.read) sampled records would be dead letters, \(first.count) of them as \(reason) "
            + "(partition \(first.partition) offset \(first.offset): \(first.detail))"
            + (reason == "no_routing" ? withoutRouting(recipe, samples) : "")
            + (log.unknown.words.map { ". \($0)" } ?? "")
            + (isRefused
                ? ". Look at how commands.\(recipe.commands.format.shapeName) reads the records; "
                    + "`crossfade try` shows it for one of them" : "")
        return [Rail(name: "command_deaths", verdict: isRefused ? .refused : .warn, detail: detail)]
    }

    package static func refuses(_ dead: Int, of records: Int) -> Bool {
        limit.isReached(dead: dead, of: records) || (dead >= few && dead * 10 >= records * 9)
    }

    /// What to do about commands without routing.
    private static func withoutRouting(_ recipe: Recipe, _ samples: Samples) -> String {
        let names = samples.source.entries.flatMap(\.names)
        if !names.isEmpty, names.allSatisfy({ $0.routing == nil }) {
            return ". The source has no routing either: leave it out of the recipe"
        }
        return recipe.commands.format.missingRoutingIsID
            ? "" : IdentityWords.missingID(recipe.commands.format.routing)
    }
}

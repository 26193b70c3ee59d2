import Recipe
import SearchCluster

/// What a rollover will ask for, said before a copy that takes hours. The rollover's gates decide.
package enum ReadersRail {
    static func look(_ recipe: Recipe, _ survey: Survey) -> [Rail] {
        let isOneCluster = survey.source?.isSame(as: survey.target) == true
        var found: [Rail] = []
        let nameless = survey.entries.filter { aliases(of: $0, isOneCluster: isOneCluster).isEmpty }.map(\.index)
        if !nameless.isEmpty {
            found.append(
                Rail(
                    name: "readers", verdict: .warn,
                    detail:
                        "the recipe names no alias for \(nameless.joined(separator: ", ")), so a rollover will have "
                        + "nothing to move: set `alias` in the entry to the name through which readers search"))
        }
        if isOneCluster, recipe.cutover.writers == nil {
            found.append(
                Rail(
                    name: "writers", verdict: .warn,
                    detail: "both sides are one cluster, and a rollover will ask where the old indexer writes: set "
                        + "`cutover.writers: index` if it writes to the old index by its name, or `alias` if it writes "
                        + "through the alias that is moved"))
        }
        return found
    }

    /// The names that a rollover moves; empty: the recipe tells none. Between two clusters a name in `from` is enough;
    /// in one cluster it must be an alias, since an index keeps its name.
    package static func aliases(of entry: Survey.Entry, isOneCluster: Bool) -> [String] {
        guard entry.recipe.aliases.isEmpty else { return entry.recipe.aliases }
        guard let from = entry.recipe.from, !from.contains("*"), !from.contains(","), from != entry.index,
            !isOneCluster || !entry.scope.names.contains(from)
        else { return [] }
        return [from]
    }
}

import Recipe
import SearchCluster

/// What a rollover will ask for, said before a copy that takes hours. The rollover's gates decide.
package enum ReadersRail {
    static func look(_ recipe: Recipe, _ survey: Survey) -> [Rail] {
        let isOneCluster = survey.source?.isSame(as: survey.target) == true
        var found: [Rail] = []
        let nameless = survey.entries.filter { alias(of: $0, isOneCluster: isOneCluster) == nil }.map(\.index)
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

    /// The name that a rollover moves; nil: the recipe tells none. Between two clusters a name in `from` is enough; in
    /// one cluster it must be an alias, since an index keeps its name.
    package static func alias(of entry: Survey.Entry, isOneCluster: Bool) -> String? {
        if let alias = entry.recipe.alias { return alias }
        guard let from = entry.recipe.from, !from.contains("*"), !from.contains(","), from != entry.index,
            !isOneCluster || !entry.scope.names.contains(from)
        else { return nil }
        return from
    }
}

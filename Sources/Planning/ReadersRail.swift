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
        return found + strangers(survey, isOneCluster: isOneCluster)
    }

    /// Aliases that also stand on other indices of the target: a rollover would not know what becomes of those.
    private static func strangers(_ survey: Survey, isOneCluster: Bool) -> [Rail] {
        let ours = Set(survey.entries.map(\.index) + (isOneCluster ? survey.entries.flatMap(\.scope.names) : []))
        let names = Set(survey.entries.flatMap { aliases(of: $0, isOneCluster: isOneCluster) })
        return names.sorted().compactMap { alias in
            // Where we may not ask, the rail `rights` says so.
            let behind = (try? survey.target.writer.indices(behind: alias).map(\.index)) ?? []
            let others = behind.filter { !ours.contains($0) }.sorted()
            guard !others.isEmpty else { return nil }
            return Rail(
                name: "readers", verdict: .warn,
                detail: "alias \(alias) stands on \(others.joined(separator: ", ")) of the target, which the recipe "
                    + "does not migrate, so the rollover will refuse to move it: take it off there, or name another")
        }
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

import JSONText
import Recipe
import SearchCluster
import State

/// In one cluster, `from` may be the alias that the rollover moves. Then it shows the new index, which is no source,
/// and not the old ones, which still are. What was confirmed says which those were.
struct LeftIndices {
    /// The target indices, where the source is the same cluster.
    private let own: Set<String>
    private let confirmed: [KnownSources.Item]
    /// Whether readers were moved off the old indices, as far as the state knows.
    private let isMoved: Bool

    init(_ confirmed: [KnownSources.Item], _ state: MigrationState?, on source: Cluster) {
        let isTarget = state?.work["target"]?.string == source.permanentID
        own = isTarget ? Set(state?.indices ?? []) : []
        isMoved = isTarget && (state?.cutover.moved.isEmpty == false || state?.cutover.intent != nil)
        self.confirmed = confirmed
    }

    /// What `from` would show if nobody had moved an alias. `found`: what it shows now.
    func restored(_ found: [IndexInfo], _ reader: ClusterReader) throws -> [IndexInfo] {
        var indices = found.filter { !own.contains($0.name) }
        // Somebody may have moved the alias by hand.
        guard isMoved || indices.count < found.count else { return indices }
        for name in confirmed.flatMap(\.from) where !indices.contains(where: { $0.name == name }) {
            do throws(ClusterError) {
                indices += try reader.resolve(name).filter { $0.name == name }
            } catch {
                guard error.code == .notFound else { throw error }
            }
        }
        return indices.sorted { $0.name < $1.name }
    }

    /// The filter through which `from` shows the index, or did before its alias was moved; nil: it shows all of it.
    func filter(of index: IndexInfo, from: String) -> JSONValue? {
        let isShown = from.split(separator: ",").contains { part in
            ([index.name] + index.aliases.keys).contains { RecipeRules.matches($0, pattern: String(part)) }
        }
        guard !isShown else { return SourceFilter.of(index, from: from) }
        return confirmed.lazy.compactMap { $0.filters[index.name] }.first
    }
}

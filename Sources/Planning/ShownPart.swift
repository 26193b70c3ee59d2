import Indexing
import JSONText
import Recipe
import Schema

/// What readers of the new index are shown where `from` is an alias with a filter.
extension Survey.Entry {
    /// What a partial update without a base does. The part of a document that the filter hides is no document: the
    /// whole of it lies in the source, and was not copied.
    package var missing: MissingDocument {
        recipe.filter == .source && !filters.isEmpty ? .reject : recipe.missing
    }

    /// Gives the alias for readers the filter of the source. Under `filter: source` a command may write a document that
    /// the filter hides, although it should not. `looked`: whether the source was looked at.
    mutating func showsAsSource(looked: Bool) {
        guard recipe.filter == .alias || (recipe.filter == .source && filters.count == scope.names.count),
            !filters.isEmpty
        else { return }
        let filter = SourceFilter.any(filters.sorted { $0.key < $1.key }.map(\.value))
        let theirs = looked ? source.first.map { TargetMapping.bare($0.mappings) } : nil
        unshown = SourceFilter.changed(filter, recipe.transform, source: theirs, target: mapping)
        if recipe.filter == .alias || unshown == nil { shown = filter }
    }

    /// What an alias of the old indices shows of them where `from` does not name it; nil: everything. Of several
    /// indices, one without a filter shows all of itself.
    ///
    /// - Parameter definitions: what the alias says of each old index.
    package func shown(by alias: String, _ definitions: [JSONObject]) -> JSONValue? {
        let isFrom = (recipe.from ?? "").split(separator: ",").contains {
            RecipeRules.matches(alias, pattern: String($0))
        }
        let filters = definitions.compactMap { $0["filter"] }
        guard !isFrom, !filters.isEmpty, filters.count == definitions.count else { return nil }
        return SourceFilter.any(filters)
    }

    /// A field of a filter that the new index has in another form; see ``SourceFilter``.
    package func changedField(of filter: JSONValue) -> String? {
        SourceFilter.changed(
            filter, recipe.transform, source: source.first.map { TargetMapping.bare($0.mappings) }, target: mapping)
    }
}

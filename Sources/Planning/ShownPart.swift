import Indexing
import JSONText
import Recipe
import Schema
import SearchCluster

/// What readers of the new index are shown where `from` is an alias with a filter.
extension Survey.Entry {
    /// What a partial update without a base does. The part of a document that the filter hides is no document: the
    /// whole of it lies in the source, and was not copied. Nor may it be passed over: it may be what shows the
    /// document.
    package var missing: MissingDocument {
        recipe.filter == .source && !filters.isEmpty ? .reject : recipe.missing
    }

    /// Gives the alias for readers the filter of the source, in words of the new index. Under `filter: source` a
    /// command may write a document that the filter hides, although it should not.
    mutating func showsAsSource() {
        guard recipe.filter == .alias || (recipe.filter == .source && filters.count == scope.names.count),
            !filters.isEmpty
        else { return }
        let filter = SourceFilter.any(filters.sorted { $0.key < $1.key }.map(\.value))
        do throws(FilterRewrite.Refusal) {
            shown = try rewrite.rewritten(filter)
        } catch {
            unshown = error.words
            if recipe.filter == .alias { shown = filter }
        }
    }

    /// The old documents may lie in several indices, and in several types of each.
    static func rewrite(
        _ recipe: Recipe.IndexEntry, _ source: [IndexInfo], _ mapping: JSONObject, from: Capabilities?,
        to: Capabilities
    ) -> FilterRewrite {
        let mappings = source.flatMap { index in
            index.types.isEmpty
                ? [TargetMapping.bare(index.mappings)] : index.types.compactMap { index.mappings[$0]?.object }
        }
        return FilterRewrite(
            recipe.transform, source: source.isEmpty ? nil : mappings, target: mapping,
            servers: .init(
                needsShould: from?.filtersNeedShould == true && !to.filtersNeedShould,
                lenientBooleans: from?.lenientBooleans ?? true), changesIDs: recipe.id.map { $0 != "{id}" } ?? false)
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
}

import Indexing
import JSONText
import Recipe
import Schema
import SearchCluster
import Transform

/// What becomes of the filter of an alias that `from` names. The topic writes the documents that the filter hides, too,
/// unless `select` says the same.
enum SourceFilterRail {
    static func look(_ recipe: Recipe, _ survey: Survey) -> [Rail] {
        survey.entries.flatMap { entry -> [Rail] in
            guard let from = entry.recipe.from else { return [] }
            var rails = [judge(entry, from: from)].compactMap { $0 }
            let routed = entry.source.compactMap { index in
                SourceFilter.routed(index, from: from).map { (index.name, $0) }
            }
            if let (index, alias) = routed.first {
                rails.append(
                    rail(
                        .warn,
                        "the alias \(alias) has a routing, so a search through it goes to some shards of \(index) "
                            + "only. All of them are copied"))
            }
            return rails
        }
    }

    private static func judge(_ entry: Survey.Entry, from: String) -> Rail? {
        guard !entry.source.isEmpty, let (name, filter) = entry.filters.min(by: { $0.key < $1.key }) else { return nil }
        let whole = entry.source.filter { entry.filters[$0.name] != nil }.reduce(0) { $0 + $1.documentCount }
        let words = "from: \(from) shows \(name) through the filter \(short(filter))"
        switch entry.recipe.filter {
        case .alias:
            if entry.filters.count < entry.source.count || Set(entry.filters.values.map { $0.text() }).count > 1 {
                return rail(
                    .refused,
                    "\(words), and other indices that go into \(entry.index) through another one or through none: one "
                        + "alias cannot show the same part. Give each index an entry of its own")
            }
            if let why = entry.unshown {
                return rail(
                    .refused,
                    "\(words), which cannot be said of the new index, so that the target's alias would not show the "
                        + "same documents: \(why). Leave that field as it is, in transform and in the mapping, or "
                        + "give the alias its filter by hand and name the index itself in `from`")
            }
            return rail(
                .ok,
                "\(words). All \(whole) documents are copied, and \(entry.index)-crossfade-read has the filter"
                    + changed(filter, entry.shown))
        case nil where entry.source.contains { $0.filter == nil && entry.filters[$0.name] != nil }:
            return rail(
                .refused,
                "\(words), and commands of the topic write the documents that it hides, too. Say what is meant: "
                    + "`select` with the same field and value, so that only these documents are copied and written; "
                    + "`filter: source`, where commands concern no others; `filter: alias`, which copies all \(whole) "
                    + "and gives \(entry.index)-crossfade-read the filter; or name the index itself in `from`")
        case .source where entry.shown == nil:
            let why =
                entry.unshown.map { "it cannot be said of the new index: \($0)" }
                ?? "other indices that go into \(entry.index) have none"
            return rail(
                .warn,
                "\(words). Only the \(entry.documents) documents that it shows of \(whole) are copied, and "
                    + "\(entry.index)-crossfade-read cannot have the filter, because \(why): readers will see what a "
                    + "command writes of a hidden document")
        default:
            return rail(
                .ok,
                "\(words). Only the \(entry.documents) documents that it shows of \(whole) are copied"
                    + (entry.shown.map { changed(filter, $0) } ?? ""))
        }
    }

    /// Under `filter: source` the recipe says that commands concern no other documents. The sample of the log shows
    /// whether that is so.
    static func sampled(_ recipe: Recipe, _ survey: Survey, _ log: LogSample) -> [Rail] {
        guard let reader = survey.source?.reader else { return [] }
        return survey.entries.enumerated().compactMap { place, entry in
            guard entry.recipe.filter == .source, !entry.filters.isEmpty else { return nil }
            let commands = log.applied.commands(atMost: 2000).filter { $0.entry == place && $0.unreadKey == nil }
            let ids = Array(commands.prefix(500).map(\.id))
            do throws(ClusterError) {
                let indices = entry.source.filter { $0.filter != nil }
                var hidden: [FoundDocument] = []
                for index in indices {
                    let all = try SourceSample.find(ids, [index], reader)
                    let shown = try reader.find(index.name, ids: all.map(\.id), shown: index.filter)
                    hidden += all.filter { !shown.contains($0) }
                }
                guard let one = hidden.first else {
                    return rail(.ok, "of \(ids.count) commands looked up, none concerns a document that is hidden")
                }
                return rail(
                    .refused,
                    "filter: source says that commands concern only what \(entry.recipe.from ?? "-") shows, and "
                        + "\(hidden.count) of \(ids.count) commands looked up concern documents that it hides, for "
                        + "example id \(one.id) of \(one.index). Use `select` with the same field and value, or "
                        + "`filter: alias`")
            } catch {
                return rail(.warn, "it is not known whether commands concern documents that the filter hides: \(error)")
            }
        }
    }

    /// The filter in words of the new index, where those are others.
    private static func changed(_ filter: JSONValue, _ new: JSONValue?) -> String {
        guard let new, new != filter else { return "" }
        return ". In the new index it is \(short(new))"
    }

    /// Filters of the readers' aliases that `from` does not name: the rollover gives them to the new index.
    static func ofReaders(_ survey: Survey) -> [Rail] {
        let named = survey.entries.flatMap { entry in entry.recipe.aliases.map { (entry, $0) } }
        return named.compactMap { entry, alias -> Rail? in
            let definitions = entry.source.compactMap { $0.aliases[alias]?.object }
            guard let filter = entry.shown(by: alias, definitions) else { return nil }
            let words = "the readers' alias \(alias) has the filter \(short(filter))"
            do throws(FilterRewrite.Refusal) {
                let new = try entry.rewrite.rewritten(filter)
                return rail(
                    .ok,
                    new == filter ? "\(words), and keeps it" : "\(words). On \(entry.index) it will be \(short(new))")
            } catch {
                return rail(
                    .warn,
                    "\(words), which cannot be said of \(entry.index): \(error.words). The rollover will refuse until "
                        + "`cutover.filters` says it")
            }
        }
    }

    private static func short(_ filter: JSONValue) -> String {
        let text = filter.text()
        return text.count > 200 ? text.prefix(200) + "..." : text
    }

    private static func rail(_ verdict: Rail.Verdict, _ detail: String) -> Rail {
        Rail(name: "source_filter", verdict: verdict, detail: detail)
    }
}

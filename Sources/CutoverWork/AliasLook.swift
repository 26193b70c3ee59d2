import Cutover
import Failures
import JSONText
import Planning
import Schema
import SearchCluster
import State

/// The aliases of the recipe: where they stand, and where a rollover puts them.
struct AliasLook: Sendable {
    var moves: [AliasMove] = []
    /// Why they cannot be moved; empty: they can.
    var problems: [Gate] = []
    /// Aliases with a filter, and why one has none that the new index understands.
    var filtered: [FilteredAlias] = []
    var doubts: [Gate] = []
    /// Aliases that stand on the new indices already, although no rollover of ours put them there.
    var there: [String] = []

    /// - Parameter names: these aliases or target indices only; nil: all.
    static func take(_ session: CutoverSession, only names: Set<String>?) throws -> AliasLook {
        var look = AliasLook()
        var places: [(alias: String, entries: [Survey.Entry])] = []
        for entry in session.prepared.survey.entries {
            for alias in try look.aliases(of: entry, session) {
                if let known = places.firstIndex(where: { $0.alias == alias }) {
                    places[known].entries.append(entry)
                } else {
                    places.append((alias, [entry]))
                }
            }
        }
        if let names {
            let known = Set(places.flatMap { [$0.alias] + $0.entries.map(\.index) })
            if let unknown = names.subtracting(known).sorted().first {
                throw WorkError(
                    .recipe,
                    "\(unknown) is neither an alias nor a target index of the recipe; these are: "
                        + known.sorted().joined(separator: ", "))
            }
            places = places.filter { place in
                names.contains(place.alias) || place.entries.contains { names.contains($0.index) }
            }
        }
        for place in places { try look.add(place.alias, place.entries, session) }
        return look
    }

    /// The aliases of an entry: the recipe's, or else the name by which the source is read.
    private mutating func aliases(of entry: Survey.Entry, _ session: CutoverSession) throws -> [String] {
        guard entry.recipe.aliases.isEmpty else { return entry.recipe.aliases }
        let from = entry.recipe.from ?? ""
        let isName = !from.isEmpty && !from.contains("*") && !from.contains(",") && from != entry.index
        if isName {
            if !session.isOneCluster { return [from] }
            if try !session.target.writer.indices(behind: from).isEmpty { return [from] }
        }
        problems.append(
            .failed(
                .aliases,
                "the recipe names no alias for \(entry.index), so nobody knows through which name it is read",
                mend: "set alias: in its entry of indices"))
        return []
    }

    private mutating func add(_ alias: String, _ entries: [Survey.Entry], _ session: CutoverSession) throws {
        let writer = session.target.writer
        let present = try writer.indices(behind: alias)
        if try present.isEmpty && writer.indexExists(alias) { return fail(nameTaken(alias, entries, session)) }
        let targets = Set(entries.map(\.index))
        let strangers = present.map(\.index).filter { !targets.contains($0) && !sources(entries).contains($0) }
        guard strangers.isEmpty else {
            let names = strangers.sorted().joined(separator: ", ")
            return fail(
                "alias \(alias) also stands on \(names), which the recipe does not migrate",
                mend: "take it off there (POST /_aliases, remove), or name another alias (alias:)")
        }
        // Of a data stream no alias can be moved, so the rail `data_stream` asks for one that is made now.
        let old = sources(entries)
        let isOfStream = !old.isEmpty && old.allSatisfy { $0.hasPrefix(".ds-") }
        guard !present.isEmpty || !session.isOneCluster || isOfStream else {
            return fail(try onNothing(alias, entries, session))
        }
        let left = present.filter { !targets.contains($0.index) }
        if left.isEmpty, !present.isEmpty {
            there.append(alias)
            guard Set(present.map(\.index)) != targets else { return }
            return fail(
                "alias \(alias) stands on a part of the new indices already, and no rollover put it there",
                mend: Self.byHand)
        }
        guard present.count == left.count else {
            return fail(
                "alias \(alias) stands on old and new indices: \(present.map(\.index).joined(separator: ", "))",
                mend: Self.byHand)
        }
        var from: [AliasMove.Place] = []
        for (index, definition) in left {
            from.append(.init(index, uuid: try writer.indexUUID(index), definition.object ?? JSONObject()))
        }
        var to: [AliasMove.Place] = []
        var filters = FilteredAlias(alias)
        for entry in entries {
            let made = definition(entry, alias, from, others: entries.filter { $0.index != entry.index }, session)
            to.append(.init(entry.index, uuid: entry.uuid, made))
            filters.new.append((entry.index, made["filter"]))
            for info in session.isOneCluster ? [] : entry.source {
                guard let definition = info.aliases[alias], !filters.old.contains(where: { $0.index == info.name })
                else { continue }
                filters.old.append((info.name, definition["filter"]))
            }
        }
        if session.isOneCluster { filters.old = from.map { ($0.index, $0.definition["filter"]) } }
        if filters.old.contains(where: { $0.filter != nil }) || session.recipe.cutover.filters[alias] != nil {
            filtered.append(filters)
        }
        moves.append(AliasMove(alias, from: from.sorted { $0.index < $1.index }, to: to))
    }

    private mutating func fail(_ why: String, mend: String) { problems.append(.failed(.aliases, why, mend: mend)) }

    private mutating func fail(_ told: (why: String, mend: String)) { fail(told.why, mend: told.mend) }

    private static let byHand = "take it off the new indices by hand (POST /_aliases, remove)"

    private func sources(_ entries: [Survey.Entry]) -> Set<String> { Set(entries.flatMap(\.scope.names)) }

    /// In one cluster, readers read through an alias that is there. This one is mistyped, or nobody uses it.
    private func onNothing(
        _ alias: String, _ entries: [Survey.Entry], _ session: CutoverSession
    ) throws -> (why: String, mend: String) {
        let old = sources(entries).sorted()
        let own = Turn.prefix(session.store.index)
        let names = try old.flatMap { try session.target.writer.aliases(of: $0).keys }.filter { !$0.hasPrefix(own) }
        let there = names.isEmpty ? "no alias" : "alias \(Set(names).sorted().joined(separator: ", "))"
        let olds = old.joined(separator: ", ")
        return (
            "alias \(alias) stands on no index, so nobody reads through it; \(olds) has \(there)",
            "name the alias that readers use (alias:), or make \(alias) on the old index and move the readers to it "
                + "first"
        )
    }

    private func nameTaken(_ alias: String, _ entries: [Survey.Entry], _ session: CutoverSession) -> (
        why: String, mend: String
    ) {
        let isSource = session.isOneCluster && sources(entries).contains(alias)
        let way =
            isSource
            ? "Crossfade never deletes the old index. Let readers use another name: make an alias on it, move the "
                + "readers to that alias, and set alias: to it"
            : "an early writer may have made it: look what is in it, and delete it"
        return ("\(alias) is the name of an index, and an alias cannot have it", way)
    }

    /// What the alias says of a new index: as of the old one, with the filter that the new mapping takes.
    private mutating func definition(
        _ entry: Survey.Entry, _ alias: String, _ from: [AliasMove.Place],
        others: [Survey.Entry], _ session: CutoverSession
    ) -> JSONObject {
        let capabilities = session.target.capabilities
        // Between two clusters the alias of the old one is only read.
        let old =
            session.isOneCluster
            ? from.filter { entry.scope.names.contains($0.index) }.map(\.definition)
            : entry.source.compactMap { $0.aliases[alias]?.object }
        var shown = entry.shown
        if let theirs = filter(of: alias, entry, old, session) {
            shown = shown.map { ["bool": ["must": [$0, theirs]]] } ?? theirs
        }
        var made: JSONObject = ["filter": TargetAliases(index: entry.index, shown: shown).filter(capabilities)]
        for key in ["index_routing", "search_routing", "is_hidden"] {
            if let value = old.lazy.compactMap({ $0[key] }).first { made[key] = value }
            // One alias of one index has one routing: that of another would hide documents, or show more.
            guard key.hasSuffix("routing"), let one = old.first, old.contains(where: { $0[key] != one[key] }) else {
                continue
            }
            let values = old.map { $0[key]?.string ?? "none" }.joined(separator: ", ")
            doubts.append(
                .failed(
                    .filter,
                    "alias \(alias) has several values of \(key) on the indices that become \(entry.index) (\(values)) "
                        + "and can have only one there: it would show other documents",
                    mend: "give the alias one routing on all old indices, or none"))
        }
        // What is written through the alias goes where the documents of its write index went.
        let isShared = others.contains { !Set($0.scope.names).isDisjoint(with: entry.scope.names) }
        if capabilities.writeIndex, !isShared, old.contains(where: { $0["is_write_index"]?.bool == true }) {
            made["is_write_index"] = true
        }
        return made
    }

    /// What the alias is to show of the new index besides hiding tombstones: the filter that it has, in words of the
    /// new index; nil: everything.
    private mutating func filter(
        of alias: String, _ entry: Survey.Entry, _ old: [JSONObject], _ session: CutoverSession
    ) -> JSONValue? {
        if let own = session.recipe.cutover.filters[alias] { return own }
        guard let theirs = entry.shown(by: alias, old) else { return nil }
        do throws(FilterRewrite.Refusal) {
            return try entry.rewrite.rewritten(theirs)
        } catch {
            doubts.append(
                .failed(
                    .filter,
                    "alias \(alias) has a filter that cannot be said of \(entry.index), so that it would show other "
                        + "documents: \(error.words)",
                    mend: "say the filter in words of the new index: cutover.filters: { \(alias): ... }"))
            return theirs
        }
    }
}

import Basics
import Commands
import JSONText
import Recipe

/// Rails about what goes into which target index.
extension Rails {
    /// If commands carry routing, the index must refuse operations without it. Such an operation would go to the wrong
    /// shard and still count as done.
    mutating func judgeRouting(_ entry: Survey.Entry) {
        guard recipe.hasCommands else {
            return add("routing", .ok, "documents keep the routing that they have in the source")
        }
        let isNamed = recipe.commands.format.routing != nil
        let required = entry.mapping["_routing"]?["required"]
        let isRequired = entry.requiresRouting ?? (required?.bool == true || required?.string == "true")
        if recipe.commands.format.missingRoutingIsID { return judgeOptionalRouting(entry, isRequired) }
        switch (isNamed, isRequired) {
        case (true, _) where entry.declaredRouting == false:
            add(
                "routing", .refused,
                "commands carry a routing value, but the mapping given for \(entry.index) says that it is not "
                    + "required: an operation without it would go to the wrong shard. Leave `_routing` out of the "
                    + "mapping, or say required"
            )
        case (true, false):
            add(
                "routing", .refused,
                "commands carry a routing value, but the target index \(entry.index) was made without requiring it, "
                    + "which cannot be changed: delete the index, then init and copy again")
        case (false, true):
            add(
                "routing", .refused,
                "\(entry.index) requires a routing value, and the recipe does not say where commands have it: every "
                    + "one of them would be refused. Name the routing under "
                    + "commands.\(recipe.commands.format.shapeName)")
        default:
            add("routing", .ok, isNamed ? "\(entry.index) requires the routing value" : "no routing is used")
        }
    }

    /// An index that somebody else has made, and that is taken as it is. The rail `adopted` compares the versions.
    mutating func judgeAdoption(_ entry: Survey.Entry) {
        guard recipe.commands.format.copiedVersion != .floor else {
            return add(
                "target_content", .refused,
                "the target index \(entry.index) has \(entry.held) documents, and its versions cannot be compared with "
                    + "those of the copy, which come from no document (copy.version: floor): it could overwrite newer "
                    + "documents. Say copy.version: source, or the field with the version")
        }
        add(
            "target_content", .warn,
            "\(entry.index) is there with \(entry.held) documents and is adopted as it is, with its own mapping and "
                + "settings: whichever write of a document has the greater version stays")
    }

    private mutating func judgeOptionalRouting(_ entry: Survey.Entry, _ isRequired: Bool) {
        guard isRequired else {
            return add("routing", .ok, "\(entry.index) takes documents without a routing value by their ids")
        }
        add(
            "routing", .refused,
            "documents without a routing value go by their ids (missing: id), and \(entry.index) requires one: every "
                + "such document would be refused. "
                + (entry.requiresRouting == true
                    ? "The index exists, and this cannot be changed: delete it, then init and copy again"
                    : "Leave `_routing` out of the mapping"))
    }

    /// The target index holds documents, and no state says who wrote them.
    mutating func judgeStrange(_ entry: Survey.Entry) {
        let aliases = (entry.present?.aliases.map(\.key) ?? []).sorted().joined(separator: ", ")
        // Every migration leaves these fields in the mapping, and `finish` takes the state away.
        let isResult = entry.present?.mapsTombstones == true
        let there =
            "the target index \(entry.index) already has \(entry.held) documents that no migration named "
            + "\(recipe.name) has written"
        let adopt =
            "if the application writes it with the versions that the source has, too, look at "
            + "`crossfade plan \(recipe.typed) --adopt`"
        guard !aliases.isEmpty || isResult else {
            return add(
                "target_content", .refused,
                "\(there): choose another `to`, or delete that index if it is not needed; or, \(adopt)")
        }
        let stands = aliases.isEmpty ? "" : "; the alias \(aliases) stands on it, so somebody may read it"
        let result =
            isResult ? "; it has the fields of a migration, and may be the result of one that is finished" : ""
        add(
            "target_content", .refused,
            "\(there)\(stands)\(result). If that migration is finished, there is nothing left to do: stop what still "
                + "starts Crossfade for it. For another one choose another `to`; or, \(adopt)")
    }

    /// A rollover moves the aliases that the recipe names. Whoever reads through another one stays where they are.
    private mutating func judgeOtherAliases(_ entry: Survey.Entry) {
        let isOneCluster = survey.source?.isSame(as: survey.target) ?? false
        let moved = ReadersRail.aliases(of: entry, isOneCluster: isOneCluster).filter { alias in
            entry.source.contains { $0.aliases[alias] != nil || $0.name == alias }
        }
        guard !moved.isEmpty else { return }
        let named = Set(survey.entries.flatMap { $0.recipe.aliases + [$0.recipe.from].compactMap { $0 } })
        let others = Set(entry.source.flatMap { $0.aliases.map(\.key) }).subtracting(named)
            .filter { !$0.hasPrefix(".crossfade-") && !$0.contains("-crossfade-") }.sorted()
        guard !others.isEmpty else { return }
        add(
            "alias", .warn,
            "the rollover moves \(moved.joined(separator: ", ")), and the old side also has "
                + "\(others.joined(separator: ", ")): readers of \(others.count == 1 ? "that alias" : "these aliases") "
                + "stay on the old side. To move them too, say alias: [\((moved + others).joined(separator: ", "))]")
    }

    /// An alias that the old side does not know is most likely mistyped.
    private mutating func judgeAliases() {
        let moved = Set((survey.state?.cutover.moved ?? []).map(\.alias))
        for entry in survey.entries {
            judgeOtherAliases(entry)
            for alias in entry.recipe.aliases where !moved.contains(alias) { judgeAlias(alias, entry) }
        }
    }

    private mutating func judgeAlias(_ alias: String, _ entry: Survey.Entry) {
        guard !entry.source.isEmpty, entry.source.allSatisfy({ $0.aliases[alias] == nil && $0.name != alias })
        else { return }
        let others = Set(entry.source.flatMap { $0.aliases.map(\.key) }).sorted()
        guard !others.isEmpty else { return }
        let near = NearestWord.to(alias, among: others).map { "; did you mean \"\($0)\"" } ?? ""
        add(
            "alias", .warn,
            "no old index of \(entry.index) has the alias \(alias)\(near). There are "
                + "\(others.joined(separator: ", ")). Readers that use another alias are not moved")
    }

    /// Documents of a data stream cannot be written over, and an alias of one is no alias of an index: nobody can move
    /// it to an index, and back exactly as it was.
    private mutating func judgeDataStreams() {
        let isOneCluster = survey.source?.isSame(as: survey.target) ?? false
        for entry in survey.entries {
            if let stream = survey.dataStreams[entry.index] {
                add(
                    "data_stream", .refused,
                    "to: \(entry.index) stands for the data stream \(stream) of the target, in which documents cannot "
                        + "be written over. Choose a `to` that does not exist")
            }
            let read = isOneCluster ? [entry.recipe.from].compactMap { $0 } : []
            for name in entry.recipe.aliases.isEmpty ? read : entry.recipe.aliases {
                guard let stream = survey.dataStreams[name] else { continue }
                add(
                    "data_stream", .refused,
                    "readers use \(name), which stands for the data stream \(stream) of the target, and cannot be "
                        + "moved to an index, and back as it was. Set `alias` to a name that does not exist: the "
                        + "rollover makes it, and your readers change to it then")
            }
        }
    }

    /// Several indices of one entry: to several targets, and into one.
    mutating func judgeTargets() {
        for (to, entries) in Dictionary(grouping: survey.entries, by: \.recipe.to)
        where entries.count > 1 && (recipe.hasCommands || recipe.commands.format.isSelective) {
            add(
                "targets", .refused,
                "\(to) stands for \(entries.count) target indices (\(entries.map(\.index).joined(separator: ", "))), "
                    + "and nothing says which of them a command of the topic belongs to: give each source index an "
                    + "entry with `select`"
            )
        }
        for entry in survey.entries where entry.scope.names.count > 1 {
            add(
                "ids", .warn,
                "\(entry.scope.names.count) source indices go into \(entry.index): a document whose id is in two of "
                    + "them is copied once only and counted as stale the second time")
        }
        for (key, words) in recipe.cutover.programs {
            guard let problem = UserProgram.problem(words) else { continue }
            add(
                "programs", .warn,
                "\(key): \(problem.text)\(problem.mend.map { " (\($0))" } ?? ""). The rollover starts it, on the "
                    + "machine from which it is called")
        }
        judgeAliases()
        judgeDataStreams()
        for entry in survey.entries {
            for alias in entry.recipe.aliases where survey.targetNames.contains(alias) {
                add(
                    "alias", .refused,
                    "the alias \(alias) of \(entry.index) is the name of an index on the target: no alias can have "
                        + "it. Make an alias on the old index first, move the readers to it, and name that")
            }
        }
    }
}

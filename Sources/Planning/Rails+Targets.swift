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
        for entry in survey.entries {
            guard let alias = entry.recipe.alias, survey.targetNames.contains(alias) else { continue }
            add(
                "alias", .refused,
                "the alias \(alias) of \(entry.index) is the name of an index on the target: no alias can have it")
        }
    }
}

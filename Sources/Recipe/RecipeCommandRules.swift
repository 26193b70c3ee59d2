import Commands

/// What the recipe says about commands that do not say everything: how it is read, and what contradicts itself.
package struct RecipeCommandRules {
    package let problems: RecipeProblems

    /// `part`: the section of the format; nil: there is none.
    static func rules(_ part: RecipeValue?, _ entries: [RecipeValue]) -> CommandRules {
        var rules = CommandRules()
        let selects = entries.compactMap { $0["select"] }
        if let word = selects.lazy.compactMap({ $0["missing"]?.text }).first {
            rules.unattributed = CommandRules.Unattributed(rawValue: word) ?? .reject
        }
        rules.moves = selects.lazy.compactMap { $0["moves"]?.text }.first.flatMap(CommandRules.Moves.init)
        rules.nullValue = (part?["tombstone"]?.text).flatMap(CommandRules.NullValue.init)
        if let word = part?["unavailable"]?.text {
            rules.unavailable = CommandRules.Unavailable(rawValue: word) ?? .reject
        }
        if let word = part?["truncate"]?.text { rules.truncate = CommandRules.Truncate(rawValue: word) ?? .stop }
        if let text = part?["unavailable_placeholder"]?.text { rules.placeholder = text }
        return rules
    }

    package func check(_ commands: RecipeValue?, _ entries: [RecipeValue]) {
        checkTombstone(commands?["envelope"])
        checkPaths(commands, entries)
        for key in ["missing", "moves"] { checkAgreement(key, entries) }
        checkEvery(commands, entries)
    }

    /// A path that cannot lead anywhere: in a change event, `select` counts from its root, and all else from the row.
    private func checkPaths(_ commands: RecipeValue?, _ entries: [RecipeValue]) {
        guard let format = commands?["format"]?.text else { return }
        let section = commands?[format]?["routing"]
        let routing = section?["path"]
        // Written as a mapping it means what it says.
        if let section, let routing, routing.text == "key", section.mark == routing.mark {
            problems.add(
                routing.mark,
                "routing: key would look for a field named key, not at the record's key, which cannot be the routing. "
                    + "If there is such a field, say { path: key }")
        }
        if let routing, let path = routing.text, path.hasPrefix("header:") {
            problems.add(
                routing.mark,
                "routing is \(routing.quoted), and a routing can only be a field: headers are not looked at")
        }
        guard format == "debezium" else { return }
        let field = commands?["version"]?["field"]
        for (name, value) in [("routing", routing), ("version.field", field)] {
            guard let value, let path = value.text, let part = Self.eventParts.first(where: { path.hasPrefix($0) })
            else {
                continue
            }
            problems.add(
                value.mark,
                "\(name) counts from the row, and \(value.quoted) would be looked for inside it: say "
                    + "\"\(path.dropFirst(part.count))\"")
        }
        for entry in entries {
            guard let field = entry["select"]?["field"], let path = field.text,
                !(Self.eventParts + ["source."]).contains(where: { path.hasPrefix($0) })
            else { continue }
            problems.add(
                field.mark,
                "select.field counts from the root of the change event, which has no \(field.quoted): say "
                    + "\"after.\(path)\", or \"source.table\" for the table")
        }
    }

    private static let eventParts = ["after.", "before."]

    private func checkTombstone(_ envelope: RecipeValue?) {
        guard let tombstone = envelope?["tombstone"], tombstone.text == "delete", let id = envelope?["id"]?.text,
            id != "key", !id.hasPrefix("header:")
        else { return }
        problems.add(
            tombstone.mark,
            "a record without a value cannot be a delete: envelope.id is in the value. Take the id from key or "
                + "header:NAME")
    }

    private func checkAgreement(_ key: String, _ entries: [RecipeValue]) {
        let said = entries.compactMap { $0["select"]?.member(key) }.filter { $0.value.text != nil }
        guard let first = said.first, let other = said.first(where: { $0.value.text != first.value.text }) else {
            return
        }
        problems.add(
            other.mark, "select.\(key) holds for all entries, and line \(first.mark.line) says \(first.value.quoted)")
    }

    /// A delete that lacks the selecting field lacks the routing, too, where both are in a row.
    private func checkEvery(_ commands: RecipeValue?, _ entries: [RecipeValue]) {
        guard let format = commands?["format"]?.text, format != "envelope", commands?[format]?["routing"] != nil,
            let every = entries.lazy.compactMap({ $0["select"]?["missing"] }).first(where: { $0.text == "every" })
        else { return }
        problems.add(
            every.mark,
            "select.missing: every needs deletes that carry a routing, because commands.\(format).routing asks for "
                + "one; one that lacks the selecting field lacks that, too")
    }
}

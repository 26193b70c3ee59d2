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
        if let word = part?["tombstone"]?.text { rules.nullValue = CommandRules.NullValue(rawValue: word) ?? .reject }
        if let word = part?["unavailable"]?.text {
            rules.unavailable = CommandRules.Unavailable(rawValue: word) ?? .reject
        }
        if let word = part?["truncate"]?.text { rules.truncate = CommandRules.Truncate(rawValue: word) ?? .stop }
        if let text = part?["unavailable_placeholder"]?.text { rules.placeholder = text }
        return rules
    }

    package func check(_ commands: RecipeValue?, _ entries: [RecipeValue]) {
        checkTombstone(commands?["envelope"])
        for key in ["missing", "moves"] { checkAgreement(key, entries) }
        checkEvery(commands, entries)
    }

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

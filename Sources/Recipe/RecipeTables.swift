import Failures

/// The table of keys as Markdown, for `docs/recipe.md`; a test holds the page to it.
extension RecipeText {
    /// One table a section, by the section's title, in the order of the recipe.
    package static let markdownTables: [(title: String, table: String)] = {
        var seen: Set<String> = []
        // `source` and `target` have the same keys, and so have some steps: one table each is enough.
        let sections: [(title: String, table: String)] = RecipeSchema.sections.compactMap { section in
            guard !section.title.hasPrefix("target"), seen.insert(section.title).inserted else { return nil }
            return (section.title, table(section))
        }
        let rails = RailCatalogue.acceptable.map { "| `\($0.rail)` | \($0.meaning) |" }
        let lines = ["| rail | what is taken for granted when it is accepted |", "|---|---|"] + rails
        return sections + [("rails that can be accepted", lines.joined(separator: "\n"))]
    }()

    private static func table(_ section: RecipeSection) -> String {
        let rows = section.keys.map { key in
            let standard: String
            if key.required {
                standard = "required"
            } else if let text = key.standard {
                standard = "`\(text)`"
            } else {
                standard = key.standardInWords ?? ""
            }
            return "| `\(key.name)` | \(name(key.type)) | \(standard) | \(key.doc) |"
        }
        return (["| key | value | default | what it says |", "|---|---|---|---|"] + rows).joined(separator: "\n")
    }

    private static func name(_ type: RecipeType) -> String {
        switch type {
        case .scalar(let scalar): scalar.name
        case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .integer(let range):
            range.upperBound == .max ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
        case .flag: "`true`, `false`"
        case .list(let item, let orOne, _): orOne ? "\(name(item)), or a list" : "list of \(name(item))"
        case .section(let section):
            section.shorthand == nil ? "mapping" : "mapping, or its `\(section.shorthand ?? "")`"
        case .words(let words, let other): words.map { "`\($0)`" }.joined(separator: ", ") + ", " + name(other)
        case .properties: "mapping"
        case .offsets: "mapping of partition to offset"
        case .jsonObject: "file, or mapping"
        case .json: "any"
        }
    }
}

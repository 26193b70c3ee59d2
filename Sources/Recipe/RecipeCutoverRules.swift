import Basics

/// What the cutover says of an alias or an index that no entry has would be said of nothing.
package struct RecipeCutoverRules {
    package let root: RecipeValue
    package let problems: RecipeProblems

    package func check(_ entries: [RecipeValue]) {
        let read = entries.flatMap { entry in (entry["alias"]?.items ?? [entry["from"]].compactMap { $0 }).map(\.text) }
        let aliases = Set(read.compactMap { $0 })
        if let told = root["cutover"]?["filters"], case .json(let filters, _) = told.content {
            for name in filters.object?.keys ?? [] where !aliases.contains(name) {
                problems.add(told.mark, "no entry has the alias \"\(name)\"\(Self.near(name, aliases))")
            }
        }
        let targets = entries.compactMap { $0["to"]?.text }
        for query in root["cutover"]?["warm"]?["queries"]?.items ?? [] {
            guard let index = query["index"], let text = index.text,
                !targets.contains(where: { RecipeRules.matches(text, pattern: $0.replacing("{index}", with: "*")) })
            else { continue }
            problems.add(index.mark, "no entry has `to` \(index.quoted)\(Self.near(text, Set(targets)))")
        }
    }

    private static func near(_ name: String, _ names: Set<String>) -> String {
        NearestWord.to(name, among: names.sorted()).map { "; did you mean \"\($0)\"?" } ?? ""
    }
}

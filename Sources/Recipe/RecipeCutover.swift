import JSONText

extension Recipe {
    /// `cutover`. No part of the work: it changes nothing that is written.
    package struct Cutover: Sendable, Equatable {
        /// Where the application's own writers write once the readers are moved.
        package enum Writers: String, Sendable, CaseIterable {
            /// To the old index, by its name. It stays up to date.
            case index
            /// Through the alias that is moved, so to the new index.
            case alias
        }

        /// How old the newest receipt may be, in milliseconds.
        package var parityAge: Int64 = 900_000
        /// nil: the recipe does not say.
        package var writers: Writers?
        /// Filters of aliases in words of the new indices, by the alias.
        package var filters: JSONObject = [:]
        package var warm = Warm()
        /// Program and arguments that move the readers between two clusters; nil: there is none.
        package var command: [String]?
        /// Program and arguments that must end with 0 before an alias is moved; nil: there is none.
        package var before: [String]?
        /// How long each of them may take, in milliseconds.
        package var timeout: Int64 = 60_000
        /// A file that holds the rollover back while it exists; nil: there is none.
        package var hold: String?
        /// The consumer group of the application's new indexer, which gets our offsets at the end; nil: there is none.
        package var handover: String?
        /// How long nobody may use an old index before it is deleted, in milliseconds.
        package var quietFor: Int64 = 300_000

        package init() {}

        /// `warm`: searches of the new indices before readers come.
        package struct Warm: Sendable, Equatable {
            package struct Search: Sendable, Equatable {
                /// nil: every target index.
                package var index: String?
                package var body: JSONValue
            }

            /// Empty: Crossfade's own.
            package var searches: [Search] = []
            /// How long their times may take to settle, in milliseconds.
            package var within: Int64 = 30_000

            package init() {}
        }

        /// The programs that a rollover starts, with their keys.
        package var programs: [(key: String, words: [String])] {
            [("cutover.before", before), ("cutover.command", command)].compactMap { key, words in
                words.map { (key, $0) }
            }
        }
    }
}

extension RecipeSchema {
    package static let cutover = RecipeSection(
        title: "cutover",
        keys: [
            RecipeKey(
                "parity_age", .scalar(.duration), standard: "15m",
                "How old the newest receipt of `crossfade verify` may be when readers are moved. Its age counts from "
                    + "the oldest part that this verification has read. One with `--since` counts by itself."),
            RecipeKey(
                "writers", .choice(Recipe.Cutover.Writers.allCases.map(\.rawValue)), standardInWords: "none",
                "Where the application's own indexer writes: to the old `index` by its name, or through the `alias` "
                    + "that is moved. Must be said when both sides are one cluster."),
            RecipeKey(
                "filters", .jsonObject, standardInWords: "none",
                "By the name of a readers' alias: its filter in words of the new index, where Crossfade cannot say the "
                    + "old one so."),
            RecipeKey("warm", .section(warm), "Searches of the new indices before readers come."),
            RecipeKey(
                "command", .list(.scalar(.nonEmpty)), standardInWords: "none",
                "Program and arguments that move the readers from one cluster to the other. It is told what to do by "
                    + "`CROSSFADE_DIRECTION` (`rollover` or `rollback`). A path is relative to the recipe; a name "
                    + "without a slash is looked for in `PATH`."),
            RecipeKey(
                "before", .list(.scalar(.nonEmpty)), standardInWords: "none",
                "Program and arguments that must end with 0 before an alias is moved."),
            RecipeKey(
                "timeout", .scalar(.duration), standard: "60s", "How long `command` and `before` may take."),
            RecipeKey(
                "hold", .scalar(.nonEmpty), standardInWords: "none",
                "While a file of this name exists, readers are not moved to the new side; relative to the recipe."),
            RecipeKey(
                "handover", .scalar(.nonEmpty), standardInWords: "none",
                "The consumer group of your own new indexer. `crossfade finish` gives it the offsets up to which "
                    + "Crossfade has written; it must have no members then."),
            RecipeKey(
                "quiet_for", .scalar(.duration), standard: "5m",
                "How long nobody may search an old index, or write to it, before `crossfade finish --delete-old` "
                    + "deletes it."),
        ])
}

extension RecipeSchema {
    package static let warm = RecipeSection(
        title: "cutover.warm",
        keys: [
            RecipeKey(
                "queries", .list(.section(warmQuery), orOne: false, allowsEmpty: true), standard: "[]",
                "Searches as your readers make them. Without any, Crossfade counts all documents and sorts by a date "
                    + "field."),
            RecipeKey(
                "within", .scalar(.duration), standard: "30s",
                "How long their times may take to settle. Then the gate `warm` fails."),
        ])

    package static let warmQuery = RecipeSection(
        title: "a query of cutover.warm",
        keys: [
            RecipeKey("index", .scalar(.nonEmpty), standardInWords: "every one", "The target index that it searches."),
            RecipeKey(
                "body", .jsonObject, required: true,
                "The body of the search: a JSON file relative to the recipe, or inline."),
        ])
}

extension RecipeBuilder {
    func cutover(_ value: RecipeValue) throws(Gap) -> Recipe.Cutover {
        var options = Recipe.Cutover()
        options.parityAge = Int64(try integer(value, "parity_age"))
        options.writers = value["writers"]?.text.flatMap(Recipe.Cutover.Writers.init)
        if case .json(let filters, _)? = value["filters"]?.content { options.filters = filters.object ?? [:] }
        let warm = try need(value, "warm")
        options.warm.within = Int64(try integer(warm, "within"))
        options.warm.searches = (warm["queries"]?.items ?? []).compactMap { query in
            guard case .json(let body, _)? = query["body"]?.content else { return nil }
            return Recipe.Cutover.Warm.Search(index: query["index"]?.text, body: body)
        }
        options.command = program(value["command"])
        options.before = program(value["before"])
        options.timeout = Int64(try integer(value, "timeout"))
        options.hold = value["hold"]?.text.map { files.resolve($0) }
        options.handover = value["handover"]?.text
        options.quietFor = Int64(try integer(value, "quiet_for"))
        return options
    }

    /// A program that is named by a path is a file like every other; one without a slash is looked for in PATH.
    private func program(_ value: RecipeValue?) -> [String]? {
        guard var words = value?.items.compactMap(\.text) else { return nil }
        if let first = words.first, first.contains("/") { words[0] = files.resolve(first) }
        return words
    }
}

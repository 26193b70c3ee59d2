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

extension RecipeBuilder {
    func cutover(_ value: RecipeValue) throws(Gap) -> Recipe.Cutover {
        var options = Recipe.Cutover()
        options.parityAge = Int64(try integer(value, "parity_age"))
        options.writers = value["writers"]?.text.flatMap(Recipe.Cutover.Writers.init)
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

/// The table of the keys of `tests`.
package enum RecipeTestSchema {
    package static let test = RecipeSection(
        title: "a test",
        keys: [
            RecipeKey("name", .scalar(.nonEmpty), required: true, "What is tested, in words."),
            RecipeKey("record", .section(record), "A record of the topic."),
            RecipeKey("document", .section(document), "A document of the source, as the copy reads it."),
            RecipeKey("base", .json, "The document that a merge finds in the target; without it there is none."),
            RecipeKey(
                "expect", .section(expect), required: true,
                "What must become of it; only what is named is compared."),
        ])

    package static let record = RecipeSection(
        title: "record",
        keys: [
            RecipeKey("key", .scalar(.text), standardInWords: "none", "The record's key."),
            RecipeKey(
                "key_base64", .scalar(.base64), standardInWords: "none",
                "The same, for a key of bytes that are no text."),
            RecipeKey(
                "value", .json, standardInWords: "none",
                "The record's value: a text stands for its bytes, anything else for its JSON."),
            RecipeKey("headers", .properties, standardInWords: "none", "Names and values of headers."),
            RecipeKey("partition", .integer(0...Int64(Int32.max)), standardInWords: "`0`", "The partition."),
            RecipeKey("offset", .integer(0...(1 << 44) - 3), standardInWords: "`0`", "The offset."),
            RecipeKey(
                "timestamp", .integer(0...(1 << 43) - 1), standardInWords: "unknown", "Milliseconds since 1970."),
        ])

    package static let document = RecipeSection(
        title: "document",
        keys: [
            RecipeKey("id", .scalar(.nonEmpty), required: true, "Its id on the source."),
            RecipeKey("type", .scalar(.nonEmpty), standardInWords: "none", "Its type, where the source has types."),
            RecipeKey("routing", .scalar(.nonEmpty), standardInWords: "none", "Its routing value."),
            RecipeKey(
                "version", .integer(0...Int64.max), standardInWords: "none",
                "Its `_version` on the source, for `copy.version: source`."),
            RecipeKey("source", .json, required: true, "The document itself."),
            RecipeKey(
                "index", .scalar(.nonEmpty), standardInWords: "the only entry's",
                "The `to` of the entry of `indices` that it is copied to."),
        ])

    package static let expect = RecipeSection(
        title: "expect",
        keys: [
            RecipeKey(
                "operation", .choice(["index", "merge", "delete", "skip", "reject"]),
                "`skip`: nothing is done. `reject`: it becomes a dead letter."),
            RecipeKey("index", .scalar(.nonEmpty), "The `to` of the entry of `indices` that takes it."),
            RecipeKey("id", .scalar(.nonEmpty), "The id in the target."),
            RecipeKey("routing", .scalar(.text), "The routing value; an empty text: there is none."),
            RecipeKey("version", .integer(0...Int64.max), "The version of the write."),
            RecipeKey("document", .json, "The whole document in its new form; numbers are compared by value."),
            RecipeKey("reject", .scalar(.nonEmpty), "The reason's code, as `crossfade dead-letters list` shows it."),
        ])
}

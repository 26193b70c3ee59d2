import Transform

/// The keys of transform steps.
extension RecipeSchema {
    package static let step = RecipeSection(
        title: "a transform step",
        keys: [
            RecipeKey("keyToValue", .section(keyToValue), "A map of unbounded keys becomes pairs of two fields."),
            RecipeKey("rename", .section(fromTo("rename")), "Moves a field."),
            RecipeKey("remove", .section(fieldList("remove")), "Removes fields."),
            RecipeKey("keep", .section(fieldList("keep")), "Only these fields stay."),
            RecipeKey("set", .section(set), "Sets a constant."),
            RecipeKey("copy", .section(fromTo("a copy step")), "Copies a field."),
            RecipeKey("cast", .section(cast), "Changes the type of a field's values."),
            RecipeKey("lowercase", .section(lowercase), "Strings, and strings in arrays, in lower case."),
            RecipeKey("split", .section(separated("split")), "A string becomes an array of strings."),
            RecipeKey("join", .section(separated("join")), "An array of scalars becomes a string."),
        ], exactlyOne: true)

    package static let keyToValue = RecipeSection(
        title: "keyToValue",
        keys: [
            RecipeKey("field", path, required: true, "The field with the map."),
            RecipeKey("null", empties, standard: "drop", "Pairs whose value is null."),
            RecipeKey("empty", empties, standard: "keep", "Pairs whose value is an empty string."),
            RecipeKey("nested", .flag, standard: "false", "Maps the pairs as `nested`."),
            RecipeKey(
                "ignore_above", .integer(1...Int64(Int32.max)), standardInWords: "none",
                "Longer values are stored, but not indexed."),
            RecipeKey("lowercase", .flag, standard: "false", "Values, not keys, in lower case."),
        ], shorthand: "field")

    package static let set = RecipeSection(
        title: "set",
        keys: [
            RecipeKey("field", path, required: true, "The field."),
            RecipeKey("value", .json, required: true, "What it is set to."),
            RecipeKey("if_missing", .flag, standard: "false", "Only where the field is absent or null."),
        ])

    package static let cast = RecipeSection(
        title: "cast",
        keys: [
            RecipeKey("field", path, required: true, "The field."),
            RecipeKey(
                "to", .choice(CastTarget.allCases.map(\.rawValue)), required: true,
                "The type. Dates become ISO 8601 in UTC or epoch milliseconds."),
        ])

    package static let lowercase = RecipeSection(
        title: "lowercase", keys: [RecipeKey("field", path, required: true, "The field.")], shorthand: "field")

    private static func fieldList(_ title: String) -> RecipeSection {
        RecipeSection(
            title: title,
            keys: [RecipeKey("field", .list(path), required: true, "A field, or several.")], shorthand: "field")
    }

    private static func fromTo(_ title: String) -> RecipeSection {
        RecipeSection(
            title: title,
            keys: [
                RecipeKey("from", path, required: true, "The field as it is."),
                RecipeKey("to", path, required: true, "The field as it is to be."),
            ])
    }

    private static func separated(_ title: String) -> RecipeSection {
        RecipeSection(
            title: title,
            keys: [
                RecipeKey("field", path, required: true, "The field."),
                RecipeKey("separator", .scalar(.nonEmpty), required: true, "What is between the parts."),
            ])
    }

    private static let path = RecipeType.scalar(.fieldPath)
    private static let empties = RecipeType.choice(KeyToValue.Empty.allCases.map(\.rawValue))
}

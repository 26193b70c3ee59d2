import JSONText
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

/// Makes transform steps of values that the check has passed.
package enum RecipeSteps {
    /// The step; nil when the value is not a whole one.
    package static func step(_ value: RecipeValue) -> TransformStep? {
        guard let member = value.members.first else { return nil }
        let options = member.value
        switch member.key {
        case "keyToValue": return keyToValue(options)
        case "rename": return pair(options) { .rename(from: $0, to: $1) }
        case "copy": return pair(options) { .copy(from: $0, to: $1) }
        case "remove": return paths(options["field"]).map { .remove($0) }
        case "keep": return paths(options["field"]).map { .keep($0) }
        case "set":
            guard let field = path(options["field"]), case .json(let json, _)? = options["value"]?.content else {
                return nil
            }
            return .set(field: field, json: json.text(), ifMissing: options["if_missing"]?.flag ?? false)
        case "cast":
            guard let field = path(options["field"]), let to = options["to"]?.text.flatMap(CastTarget.init) else {
                return nil
            }
            return .change(field, .cast(to: to))
        case "lowercase": return path(options["field"]).map { .change($0, .lowercase) }
        case "split": return separated(options) { .change($0, .split(separator: $1)) }
        case "join": return separated(options) { .change($0, .join(separator: $1)) }
        default: return nil
        }
    }

    package static func path(_ value: RecipeValue?) -> JSONPath? {
        value?.text.flatMap { try? JSONPath(parsing: $0) }
    }

    private static func paths(_ value: RecipeValue?) -> [JSONPath]? {
        let items = value?.items ?? []
        let paths = items.compactMap { path($0) }
        return paths.isEmpty || paths.count != items.count ? nil : paths
    }

    private static func pair(_ options: RecipeValue, _ make: (JSONPath, JSONPath) -> TransformStep) -> TransformStep? {
        guard let from = path(options["from"]), let to = path(options["to"]) else { return nil }
        return make(from, to)
    }

    private static func separated(
        _ options: RecipeValue, _ make: (JSONPath, String) -> TransformStep
    ) -> TransformStep? {
        guard let field = path(options["field"]), let separator = options["separator"]?.text else { return nil }
        return make(field, separator)
    }

    private static func keyToValue(_ options: RecipeValue) -> TransformStep? {
        guard let field = path(options["field"]), let null = options["null"]?.text.flatMap(KeyToValue.Empty.init),
            let empty = options["empty"]?.text.flatMap(KeyToValue.Empty.init), let nested = options["nested"]?.flag,
            let lowercase = options["lowercase"]?.flag
        else { return nil }
        let limit = options["ignore_above"]
        guard limit == nil || limit?.integer != nil else { return nil }
        return .keyToValue(
            KeyToValue(
                field: field, null: null, empty: empty, nested: nested,
                ignoreAbove: limit?.integer.map { Int($0) }, lowercase: lowercase))
    }
}

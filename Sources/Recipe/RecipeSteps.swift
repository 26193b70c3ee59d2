import JSONText
import Transform

/// Makes transform steps of checked values.
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
            return .cast(field: field, to: to)
        case "lowercase": return path(options["field"]).map { .lowercase($0) }
        case "split": return separated(options) { .split(field: $0, separator: $1) }
        case "join": return separated(options) { .join(field: $0, separator: $1) }
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

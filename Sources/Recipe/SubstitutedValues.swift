import JSONText

/// Values that `${NAME}` brought into a recipe. They are shown as they were written, also where the recipe's JSON has
/// become a part of something else: of a complete mapping, or of the work that was confirmed.
package struct SubstitutedValues {
    private struct Leaf: Hashable {
        var key: String
        var text: String
    }

    private var written: [Leaf: String] = [:]

    package init(_ recipe: Recipe) { find(recipe.meaning, recipe.shown, key: "") }

    private mutating func find(_ meant: JSONValue, _ shown: JSONValue, key: String) {
        if let meant = meant.object, let shown = shown.object {
            for (key, value) in meant { find(value, shown[key] ?? .null, key: key) }
        } else if let meant = meant.array, let shown = shown.array {
            for (one, other) in zip(meant, shown) { find(one, other, key: key) }
        } else if meant != shown, let text = shown.string {
            written[Leaf(key: key, text: meant.text())] = text
        }
    }

    /// The same with what was written in place of each such value under the same key.
    package func masked(_ value: JSONValue) -> JSONValue { written.isEmpty ? value : masked(value, key: "") }

    private func masked(_ value: JSONValue, key: String) -> JSONValue {
        switch value {
        case .object(let object): .object(JSONObject(object.map { ($0.key, masked($0.value, key: $0.key)) }))
        case .array(let items): .array(items.map { masked($0, key: key) })
        default: written[Leaf(key: key, text: value.text())].map { .string($0) } ?? value
        }
    }
}

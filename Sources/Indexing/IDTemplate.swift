/// The template from which a copied document gets its id: `{type}` and `{id}` with text around them.
package struct IDTemplate: Sendable, Equatable {
    /// Nil: the id alone.
    package let text: String?

    package init(_ text: String?) { self.text = text == "{id}" ? nil : text }

    package var namesType: Bool { text?.contains("{type}") == true }

    package func id(_ id: String, type: String?) -> String {
        guard let text else { return id }
        let (before, after) = around(text, type: type ?? "")
        return before + id + after
    }

    /// The source's ids of which one of `types` would make `id`.
    package func sourceIDs(of id: String, types: [String]) -> [String] {
        guard let text else { return [id] }
        return (namesType ? types : [""]).compactMap { type in
            let (before, after) = around(text, type: type)
            guard id.hasPrefix(before), id.dropFirst(before.count).hasSuffix(after) else { return nil }
            let middle = String(id.dropFirst(before.count).dropLast(after.count))
            return middle.isEmpty ? nil : middle
        }
    }

    private func around(_ text: String, type: String) -> (before: String, after: String) {
        guard let place = text.firstRange(of: "{id}") else { return (text, "") }
        func fill(_ part: Substring) -> String {
            part.split(separator: "{type}", omittingEmptySubsequences: false)
                .joined(separator: type)
        }
        return (fill(text[..<place.lowerBound]), fill(text[place.upperBound...]))
    }
}

import JSONText

/// What of the work decides under which ids, with which versions and in which form documents of an index are written.
/// An index that was written in one form cannot be written in another: what is read again has the versions that are
/// there already, and is refused as stale.
package enum WrittenForm {
    /// The target indices of a work.
    package static func indices(of work: JSONValue) -> [String] {
        (work["indices"]?.array ?? []).compactMap { $0["index"]?.string }
    }

    /// The form of an index under a work; nil: it is none of its indices.
    package static func of(_ index: String, in work: JSONValue) -> JSONValue? {
        guard indices(of: work).contains(index), let recipe = work["recipe"] else { return nil }
        var form = JSONObject()
        let commands = recipe["commands"]
        for part in ["version"] { form["commands.\(part)"] = commands?[part] }
        for shape in ["envelope", "document", "debezium"] {
            for part in ["id", "routing"] { form["commands.\(shape).\(part)"] = commands?[shape]?[part] }
        }
        form["copy.version"] = recipe["copy"]?["version"]
        let entry = (recipe["indices"]?.array ?? []).first { makes(index, $0["to"]?.string ?? "", work) }
        for part in ["transform", "id"] { form[part] = entry?[part] }
        // Its other keys say what else deletes do.
        for part in ["field", "equals"] { form["select.\(part)"] = entry?["select"]?[part] }
        return .object(form)
    }

    /// Whether `to` names the index: by its own name, or by that of a source index.
    private static func makes(_ index: String, _ to: String, _ work: JSONValue) -> Bool {
        guard to.contains("{index}") else { return to == index }
        let sources = (work["indices"]?.array ?? []).first { $0["index"]?.string == index }?["from"]?.array ?? []
        return sources.compactMap(\.string).contains { Self.filled(to, $0) == index }
    }

    private static func filled(_ to: String, _ source: String) -> String {
        to.split(separator: "{index}", omittingEmptySubsequences: false).joined(separator: source)
    }
}

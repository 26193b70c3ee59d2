import JSONText

extension IndexInfo {
    /// Whether an index that a server describes is one that was asked for: by its own name, by an alias of it, or as a
    /// backing index of a data stream. Nothing else is read, whatever a server answers.
    ///
    /// - Parameter asked: names, aliases and patterns between commas. What a server works out (`<logs-{now/d}>`)
    ///   is believed.
    static func isNamed(_ index: String, _ description: JSONValue, by asked: String) -> Bool {
        let aliases = description["aliases"]?.object?.keys ?? []
        let names = [index, description["data_stream"]?.string].compactMap { $0 } + aliases
        return asked.split(separator: ",").map(String.init).contains { part in
            if part == "_all" || part.hasPrefix("<") { return true }
            // Only some versions name the stream of a backing index.
            if index.contains(".ds-") { return true }
            return names.contains { IndexAdditions.matches($0, part) }
        }
    }
}

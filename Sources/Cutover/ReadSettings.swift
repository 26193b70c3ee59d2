import JSONText

/// Settings of an index that searches rely on: those of the new index, beside those that the old one was given.
///
/// What the old index was not given is not looked at, although servers' defaults differ between versions: nobody can
/// tell whether a search needs more than the default.
package enum ReadSettings {
    package struct Finding: Sendable, Equatable {
        package var name: String
        /// As a setting's value is written in JSON.
        package var old: String
        /// Nil: it is not set.
        package var now: String?
        package var why: String
        /// Whether an index that is there can be given the value.
        package var canBeSet = true
    }

    /// A search that asks for more is refused, or an old text is not highlighted to its end. With the servers' default,
    /// of Elasticsearch 7 and later and of OpenSearch.
    private static let limits: [(name: String, standard: Int64)] = [
        ("max_result_window", 10_000), ("max_inner_result_window", 100), ("max_rescore_window", 10_000),
        ("max_docvalue_fields_search", 100), ("max_script_fields", 32), ("max_terms_count", 65_536),
        ("max_regex_length", 1000), ("highlight.max_analyzed_offset", 1_000_000), ("analyze.max_token_count", 10_000),
    ]

    /// With another value the same search finds something else. With the values that say no more than the default.
    private static let meanings: [(name: String, standard: Set<String>, why: String, canBeSet: Bool)] = [
        (
            "query.default_field", ["*", "_all", #"["*"]"#], "a query that names no field looks into others", true
        ),
        ("hidden", ["false"], "a search of a pattern does not find it, or finds it now", true),
        ("search.default_pipeline", ["_none"], "searches and their answers went through it", true),
        ("similarity.default.type", ["BM25"], "the order of hits is another", false),
    ]

    /// - Parameters:
    ///   - old: the settings of the old indices, as servers give them: `{"index": {…}}`, nested or with dots.
    ///   - now: those of the new index.
    ///   - wanted: those that the recipe asks for; who names one has decided.
    package static func findings(old: [JSONValue], now: JSONValue, wanted: JSONValue?) -> [Finding] {
        var found: [Finding] = []
        for (name, standard) in limits where wanted.flatMap({ value($0, name) }) == nil {
            let theirs = old.compactMap { value($0, name) }.compactMap { OutsideNumber.count(text: $0) }.max()
            let present = value(now, name)
            guard let theirs, theirs > present.flatMap({ OutsideNumber.count(text: $0) }) ?? standard else { continue }
            found.append(Finding(name: name, old: "\(theirs)", now: present, why: "searches may rely on it"))
        }
        for (name, standard, why, canBeSet) in meanings where wanted.flatMap({ value($0, name) }) == nil {
            let present = value(now, name)
            // The indices behind a data stream are hidden, and the stream is not.
            let given = name == "hidden" ? old.filter { value($0, "provided_name")?.hasPrefix(".ds-") != true } : old
            let theirs = given.compactMap { value($0, name) }.first { !standard.contains($0) && $0 != present }
            guard let theirs else { continue }
            found.append(Finding(name: name, old: theirs, now: present, why: why, canBeSet: canBeSet))
        }
        return found
    }

    /// The value of a setting as text, wherever its name's dots are; nil: it is not set.
    package static func value(_ settings: JSONValue, _ name: String) -> String? {
        for base in [settings["index"], settings] {
            guard let base else { continue }
            if let found = inside(base, name) ?? inside(base, "index." + name) { return found }
        }
        return nil
    }

    private static func inside(_ settings: JSONValue, _ name: String) -> String? {
        if let found = settings[name] { return text(found) }
        var rest = Substring(name)
        var first = ""
        while let dot = rest.firstIndex(of: ".") {
            first += (first.isEmpty ? "" : ".") + rest[..<dot]
            rest = rest[rest.index(after: dot)...]
            if let deeper = settings[first], let found = inside(deeper, String(rest)) { return found }
        }
        return nil
    }

    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .null, .object: nil
        default: value.string ?? value.text()
        }
    }
}

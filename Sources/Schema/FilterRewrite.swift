import JSONText
import Transform

/// Says a filter that speaks of the old documents in words of the new ones: it finds a transformed document if and only
/// if the old filter finds the document that it was made of. What cannot be said exactly is refused, never guessed.
///
/// Fields that documents have in the same form keep their name, renamed ones get the new name, and what is asked of a
/// flattened field is asked of its pairs. The forms of 1.x and 2.x (`and`, `or`, `not`, `missing`, `filtered`) become
/// those that every version knows.
package struct FilterRewrite: Sendable {
    /// Why there is no such filter.
    package struct Refusal: Error, Sendable, Equatable {
        /// The field in question; nil: the whole clause is.
        package var field: String?
        package var reason: String
        /// Where in the filter, as `bool.must[0].term`.
        package var place: String

        /// One clause of a sentence.
        package var words: String {
            (field.map { "the field \($0): " } ?? "") + reason + (place.isEmpty ? "" : " (\(place))")
        }
    }

    /// What differs between the two servers.
    package struct Servers: Sendable {
        /// The old one asks for a `should` in every `bool` of a filter (before 7.0), and the new one only where there
        /// is no `must`.
        package var needsShould = false
        /// Booleans of the old documents may be `on`, `off`, `0` and so on.
        package var lenientBooleans = false

        package init(needsShould: Bool = false, lenientBooleans: Bool = false) {
            (self.needsShould, self.lenientBooleans) = (needsShould, lenientBooleans)
        }
    }

    let steps: [TransformStep]
    /// nil: the source was not looked at.
    let old: FieldTable?
    let new: FieldTable
    let servers: Servers
    /// Whether the new documents may have other ids.
    let changesIDs: Bool

    /// - Parameters:
    ///   - source: the mappings of the old documents, one for each index and type; nil: they are not known.
    ///   - target: the new index's mapping.
    package init(
        _ steps: [TransformStep], source: [JSONObject]?, target: JSONObject, servers: Servers = Servers(),
        changesIDs: Bool = false
    ) {
        (self.steps, self.servers, self.changesIDs) = (steps, servers, changesIDs)
        old = source.map { FieldTable($0) }
        new = FieldTable([target])
    }

    package func rewritten(_ filter: JSONValue) throws(Refusal) -> JSONValue { try clause(filter, "", depth: 0) }

    /// Members that decide nothing about what is found, and that only old versions know.
    static let oldMembers: Set<String> = ["_cache", "_cache_key", "execution", "_name", "disable_coord"]

    private func clause(_ query: JSONValue, _ place: String, depth: Int) throws(Refusal) -> JSONValue {
        guard depth < 64 else {
            throw Refusal(reason: "it is nested more than 64 levels deep (fixed limit filter_depth)", place: place)
        }
        guard let object = query.object, object.count < 2 else {
            throw Refusal(reason: "it is no single clause: \(query.text().prefix(100))", place: place)
        }
        guard let (name, body) = object.first else { return query }
        let here = place.isEmpty ? name : "\(place).\(name)"
        switch name {
        case "match_all", "match_none": return query
        case "ids":
            guard !changesIDs, body["type"] == nil, body["types"] == nil else {
                throw Refusal(reason: "ids are written otherwise in the new index", place: here)
            }
            return query
        case "bool": return try bool(body, here, depth)
        case "dis_max": return try wrapped(name, body, lists: ["queries"], [], here, depth)
        case "boosting": return try wrapped(name, body, lists: [], ["positive", "negative"], here, depth)
        case "constant_score": return try wrapped(name, body, lists: [], ["filter", "query"], here, depth)
        case "nested": return try nested(body, here, depth)
        case "and", "or":
            let parts = try list(body["filters"] ?? body, here, depth)
            if parts.isEmpty { throw Refusal(reason: "it has no clauses", place: here) }
            return ["bool": .object(JSONObject([(name == "and" ? "must" : "should", .array(parts))]))]
        case "not":
            return ["bool": ["must_not": [try clause(body["filter"] ?? body["query"] ?? body, here, depth: depth + 1)]]]
        case "query": return try clause(body, here, depth: depth + 1)
        case "filtered":
            var parts: [JSONValue] = []
            for part in [body["query"], body["filter"]].compactMap({ $0 }) where !part.isNull {
                parts.append(try clause(part, here, depth: depth + 1))
            }
            return ["bool": ["must": .array(parts)]]
        default: return try leaf(name, body, query, here)
        }
    }

    private func list(_ value: JSONValue, _ place: String, _ depth: Int) throws(Refusal) -> [JSONValue] {
        guard let elements = value.array else { return [try clause(value, place, depth: depth + 1)] }
        var found: [JSONValue] = []
        for (number, element) in elements.enumerated() {
            found.append(try clause(element, "\(place)[\(number)]", depth: depth + 1))
        }
        return found
    }

    private func bool(_ body: JSONValue, _ place: String, _ depth: Int) throws(Refusal) -> JSONValue {
        guard let object = body.object else { throw Refusal(reason: "it is no object", place: place) }
        var made = JSONObject()
        for (key, value) in object where !Self.oldMembers.contains(key) {
            switch key {
            case "must", "filter", "should", "must_not", "mustNot":
                let parts = try list(value, "\(place).\(key)", depth)
                made[key == "mustNot" ? "must_not" : key] =
                    value.array == nil && parts.count == 1 ? parts[0] : .array(parts)
            case "minimum_number_should_match": made["minimum_should_match"] = value
            case "minimum_should_match", "boost", "adjust_pure_negative": made[key] = value
            default: throw Refusal(reason: "what \(key) means there is not known", place: place)
            }
        }
        func isEmpty(_ key: String) -> Bool { made[key] == nil || made[key] == .array([]) }
        let asks = !isEmpty("should") && !(isEmpty("must") && isEmpty("filter"))
        if servers.needsShould, asks, made["minimum_should_match"] == nil { made["minimum_should_match"] = 1 }
        return ["bool": .object(made)]
    }

    /// A clause around other clauses.
    private func wrapped(
        _ name: String, _ body: JSONValue, lists: [String], _ singles: [String], _ place: String, _ depth: Int
    ) throws(Refusal) -> JSONValue {
        guard let object = body.object else { throw Refusal(reason: "it is no object", place: place) }
        var made = JSONObject()
        for (key, value) in object where !Self.oldMembers.contains(key) {
            if lists.contains(key) {
                made[key] = .array(try list(value, "\(place).\(key)", depth))
            } else if singles.contains(key) {
                // A query and a filter were two members once.
                let name = name == "constant_score" ? "filter" : key
                made[name] = try clause(value, "\(place).\(key)", depth: depth + 1)
            } else if ["boost", "negative_boost", "tie_breaker"].contains(key) {
                made[key] = value
            } else {
                throw Refusal(reason: "what \(key) means there is not known", place: place)
            }
        }
        return .object(JSONObject([(name, .object(made))]))
    }

    private func nested(_ body: JSONValue, _ place: String, _ depth: Int) throws(Refusal) -> JSONValue {
        guard let path = body["path"]?.string, let query = body["query"] ?? body["filter"] else {
            throw Refusal(reason: "it has no path or no query", place: place)
        }
        guard FieldRoute.isUntouched(path, steps) else {
            throw Refusal(field: path, reason: "the nested objects are others in the new index", place: place)
        }
        if let old, old[path]?.kind != new[path]?.kind {
            throw Refusal(field: path, reason: "it is nested in only one of both indices", place: place)
        }
        let kept: Set<String> = ["path", "query", "filter", "score_mode", "ignore_unmapped", "boost"]
        guard let object = body.object,
            object.allSatisfy({ kept.contains($0.key) || Self.oldMembers.contains($0.key) })
        else { throw Refusal(reason: "it has members whose meaning is not known", place: place) }
        var made = object
        for key in Self.oldMembers.union(["filter"]) { made.removeValue(forKey: key) }
        made["query"] = try clause(query, "\(place).query", depth: depth + 1)
        return ["nested": .object(made)]
    }

    // MARK: Queries that name fields

    private static let ofOneField: Set<String> = [
        "term", "terms", "in", "match", "match_phrase", "match_phrase_prefix", "match_bool_prefix", "prefix",
        "wildcard", "regexp", "fuzzy", "range",
    ]
    /// Their members say which fields they ask for, and how.
    private static let ofNamedFields: Set<String> = [
        "geo_bounding_box", "geo_distance", "geo_polygon", "geo_shape", "shape", "terms_set", "common", "intervals",
        "span_term", "span_near", "span_or", "span_not", "span_first",
    ]

    private func leaf(
        _ name: String, _ body: JSONValue, _ query: JSONValue, _ place: String
    ) throws(Refusal) -> JSONValue {
        if name == "exists" || name == "missing" {
            guard let field = body["field"]?.string else { throw Refusal(reason: "it names no field", place: place) }
            if name == "missing", body["existence"] ?? body["null_value"] ?? .bool(false) != .bool(false) {
                throw Refusal(reason: "existence and null_value cannot be said otherwise", place: place)
            }
            let found = try refusing(field, place) { gap throws(FieldRoute.Gap) in try exists(gap) }
            return name == "missing" ? ["bool": ["must_not": [found]]] : found
        }
        guard Self.ofOneField.contains(name) else { return try opaque(name, body, query, place) }
        let options: Set<String> = Self.oldMembers.union(["boost", "minimum_should_match", "minimum_match"])
        let fields = (body.object ?? JSONObject()).filter { !options.contains($0.key) }
        guard fields.count == 1, let (field, value) = fields.first else {
            throw Refusal(reason: "it does not name just one field", place: place)
        }
        if body["minimum_should_match"] != nil || body["minimum_match"] != nil {
            throw Refusal(reason: "minimum_should_match is not known there", place: place)
        }
        return try refusing(field, place) { field throws(FieldRoute.Gap) in try ofField(name, field, value) }
    }

    private func refusing(
        _ field: String, _ place: String, _ body: (String) throws(FieldRoute.Gap) -> JSONValue
    ) throws(Refusal) -> JSONValue {
        do {
            return try body(field)
        } catch {
            throw Refusal(field: field, reason: error.reason, place: place)
        }
    }

    /// A query whose fields are not taken apart: it may stay if no field of it can be another one.
    private func opaque(
        _ name: String, _ body: JSONValue, _ query: JSONValue, _ place: String
    ) throws(Refusal) -> JSONValue {
        guard steps.isEmpty || Self.ofNamedFields.contains(name) else {
            throw Refusal(
                reason: "a \(name) query may ask for fields that the transform changes, and is not taken apart",
                place: place)
        }
        var words: Set<String> = []
        Self.collect(body, &words)
        for word in words.sorted() {
            guard FieldRoute.isUntouched(word, steps) || old?[word] == nil else {
                throw Refusal(
                    field: word, reason: "a \(name) query of a changed field is not taken apart", place: place)
            }
            if old?[word] == nil, !FieldRoute.isUntouched(word, steps), body[word] != nil {
                throw Refusal(field: word, reason: "the transform changes it", place: place)
            }
            guard let old, old[word] != nil else { continue }
            _ = try refusing(word, place) { word throws(FieldRoute.Gap) in
                try compare(word, with: word, values: nil)
                return .null
            }
        }
        return query
    }

    private static func collect(_ value: JSONValue, _ words: inout Set<String>) {
        if let text = value.string { words.insert(text) }
        for element in value.array ?? [] { collect(element, &words) }
        for (key, inner) in value.object ?? JSONObject() {
            words.insert(key)
            collect(inner, &words)
        }
    }
}

import JSONText
import Transform

/// The pairs of one key of a flattened field, `host:db-1`, as queries ask for them.
struct Pairs {
    typealias Gap = FieldRoute.Gap

    /// The new field with the pairs.
    let name: String
    /// The key with what ends it, `host:`; of the whole flattened field nil.
    let start: String?
    /// The same for everything that lies in an object of this key: `disk.`.
    let inside: String?
    let origin: FieldTable.Field
    let options: KeyToValue
    private let limit: Int64?
    private let nestedPath: String?

    init(
        _ field: String, _ flattened: String, key: String?, _ options: KeyToValue, old: FieldTable,
        origin: FieldTable.Field, new: FieldTable
    ) throws(Gap) {
        guard !old.isContradictory(field) else { throw Gap("the source's indices or types have it in several forms") }
        guard old.nested(around: field).isEmpty, origin.kind != .nested else {
            throw Gap("it lies in nested objects, which are no more")
        }
        guard old.feeders[field] == nil else { throw Gap("other fields are copied into it (copy_to)") }
        name = flattened + ".keyToValue"
        guard let pairs = new[name], pairs.kind == .exact, !pairs.has("normalizer"), !pairs.has("null_value") else {
            throw Gap("the new index does not map \(name) as a keyword")
        }
        let nested = new.nested(around: name)
        guard nested.isEmpty || nested == [flattened] else { throw Gap("\(flattened) lies in nested objects") }
        nestedPath = nested.first
        (self.origin, self.options, limit) = (origin, options, pairs.ignoreAbove)
        start = key.map { Self.escaped($0) + ":" }
        inside = key.map { Self.escaped($0) + "." }
    }

    /// As the transform writes keys.
    private static func escaped(_ key: String) -> String {
        key.replacing("\\", with: "\\\\").replacing(":", with: "\\:")
    }

    func around(_ query: JSONValue) -> JSONValue {
        guard let nestedPath else { return query }
        return ["nested": ["path": .string(nestedPath), "query": query]]
    }

    // MARK: One value

    /// The pairs that stand for a value that is asked for.
    func pairs(of value: JSONValue, lenientBooleans: Bool) throws(Gap) -> [String] {
        guard let start else { throw Gap("it is made into pairs") }
        guard !options.lowercase else { throw Gap("keyToValue makes its values lower case") }
        switch origin.kind {
        case .exact:
            guard let text = FilterRewrite.text(value) else {
                throw Gap("\(value.text()) can be written in several ways")
            }
            return [try pair(start, text)]
        case .boolean:
            guard !lenientBooleans else { throw Gap("old servers take many words for a boolean") }
            guard let text = FilterRewrite.text(value), text == "true" || text == "false" else {
                throw Gap("\(value.text()) is no boolean")
            }
            // An empty text is false, too.
            return text == "true" ? [try pair(start, text)] : [try pair(start, text), try pair(start, "")]
        case .text:
            throw Gap("words of it are indexed in the source, and pairs hold whole values only")
        case .whole:
            throw Gap(
                "it is a number, which documents may write in several ways (1, 1.0, \"1\"): those are several pairs")
        default: throw Gap("it is \(origin.kind.words) in the source, and pairs are exact texts")
        }
    }

    private func pair(_ start: String, _ text: String) throws(Gap) -> String {
        guard !origin.has("normalizer"), !origin.has("null_value") else {
            throw Gap("the source indexes other values than documents have (normalizer, null_value)")
        }
        if text.isEmpty {
            guard options.empty == .keep else { throw Gap("keyToValue drops empty texts") }
            guard options.null == .drop else { throw Gap("keyToValue writes the same pair for null and an empty text") }
        }
        let pair = start + text
        guard Int64(text.utf16.count) <= origin.ignoreAbove ?? .max, Int64(pair.utf16.count) <= limit ?? .max else {
            throw Gap("a value so long is not indexed (ignore_above)")
        }
        return pair
    }

    // MARK: Many values

    /// Throws if not every value is indexed as it is, on both sides.
    private func checkOpen() throws(Gap) {
        guard origin.kind == .exact else {
            throw Gap("it is \(origin.kind.words) in the source, and pairs are exact texts")
        }
        guard !options.lowercase else { throw Gap("keyToValue makes its values lower case") }
        guard !origin.has("normalizer"), !origin.has("null_value") else {
            throw Gap("the source indexes other values than documents have (normalizer, null_value)")
        }
        try checkWhole()
        guard options.empty == .keep, options.null == .drop else {
            throw Gap("keyToValue drops empty texts, or keeps null")
        }
    }

    private func checkWhole() throws(Gap) {
        guard origin.ignoreAbove == nil, limit == nil else {
            throw Gap("long values are not indexed in one of both indices (ignore_above)")
        }
    }

    func prefix(_ text: String) throws(Gap) -> JSONValue {
        try checkOpen()
        return ["prefix": of((start ?? "") + text)]
    }

    func wildcard(_ pattern: String) throws(Gap) -> JSONValue {
        try checkOpen()
        let literal = (start ?? "").replacing("\\", with: "\\\\").replacing("*", with: "\\*").replacing(
            "?", with: "\\?")
        return ["wildcard": of(literal + pattern)]
    }

    /// Pairs of a key lie next to each other in the order of their values.
    func range(_ bounds: JSONValue) throws(Gap) -> JSONValue {
        try checkOpen()
        guard let start, let given = bounds.object else { throw Gap("it is made into pairs") }
        var made = JSONObject()
        for (key, value) in given where key != "boost" {
            guard ["gte", "gt", "lte", "lt"].contains(key) else { throw Gap("the member \(key) of its range") }
            if value.isNull { continue }
            guard let text = value.string else { throw Gap("\(value.text()) can be written in several ways") }
            made[key] = .string(start + text)
        }
        if made["gte"] == nil, made["gt"] == nil { made["gte"] = .string(start) }
        // `;` is the sign behind `:`.
        if made["lte"] == nil, made["lt"] == nil { made["lt"] = .string(start.dropLast() + ";") }
        return ["range": .object(JSONObject([(name, .object(made))]))]
    }

    // MARK: exists

    /// Throws if there may be a pair without a value that the source indexes, or the other way round.
    static func checkExists(_ field: String, _ origin: FieldTable.Field, _ options: KeyToValue) throws(Gap) {
        guard options.null == .drop else { throw Gap("keyToValue keeps null, which is no value to a search") }
        guard !origin.has("null_value"), !origin.has("ignore_malformed") else {
            throw Gap("\(field) has null_value or ignore_malformed in the source")
        }
        switch origin.kind {
        case .exact, .map:
            guard origin.ignoreAbove == nil else {
                throw Gap("long values are not indexed in the source (ignore_above)")
            }
            guard options.empty == .keep else { throw Gap("keyToValue drops empty texts") }
        case .text, .boolean:
            guard options.empty == .keep else { throw Gap("keyToValue drops empty texts") }
        case .whole:
            guard options.empty == .drop else {
                throw Gap("\(field) is a number, and an empty text is none to a search, but makes a pair")
            }
        case .object, .nested, .notIndexed, .other:
            throw Gap("\(field) is \(origin.kind.words) in the source")
        }
    }

    func exists(isObject: Bool) throws(Gap) -> JSONValue {
        guard limit == nil else { throw Gap("long pairs are not indexed in the new index (ignore_above)") }
        guard let start, let inside else { return ["exists": ["field": .string(name)]] }
        return ["prefix": of(isObject ? inside : start)]
    }

    func of(_ value: String) -> JSONValue { .object(JSONObject([(name, .string(value))])) }
}

extension FilterRewrite {
    /// What is asked of a field, asked of its pairs.
    func asked(_ name: String, _ value: JSONValue, of pairs: Pairs) throws(Gap) -> JSONValue {
        /// The value that the members beside `names` do not change.
        func plain(_ names: [String], _ others: Set<String> = []) throws(Gap) -> JSONValue {
            guard let object = value.object else { return value }
            let known = others.union(names).union(Self.oldMembers).union(["boost"])
            guard object.allSatisfy({ known.contains($0.key) || $0 == ("case_insensitive", false) }) else {
                throw Gap("members of its \(name) query that pairs cannot have")
            }
            return names.lazy.compactMap { object[$0] }.first ?? .null
        }
        func text(_ names: [String]) throws(Gap) -> String {
            guard let text = try plain(names).string else { throw Gap("its \(name) query has no text") }
            return text
        }
        func any(_ values: [JSONValue]) throws(Gap) -> JSONValue {
            var found: [String] = []
            for value in values { found += try pairs.pairs(of: value, lenientBooleans: servers.lenientBooleans) }
            if found.count == 1, name != "terms" { return ["term": pairs.of(found[0])] }
            return ["terms": .object(JSONObject([(pairs.name, .array(found.map { .string($0) }))]))]
        }
        switch name {
        case "term": return try any([try plain(["value", "term"])])
        case "terms":
            guard let values = value.array else { throw Gap("its terms lie in another index") }
            return try any(values)
        case "match", "match_phrase":
            guard !pairs.origin.has("split_queries_on_whitespace"), pairs.origin.map == nil else {
                throw Gap("a match query of it is split at blanks")
            }
            let asked = try plain(["query"], ["operator"])
            guard asked != "" else { throw Gap("a match query of an empty text") }
            return try any([asked])
        case "prefix": return try pairs.prefix(try text(["value", "prefix"]))
        case "wildcard": return try pairs.wildcard(try text(["value", "wildcard"]))
        case "range": return try pairs.range(value)
        default: throw Gap("a \(name) query cannot be asked of pairs")
        }
    }
}

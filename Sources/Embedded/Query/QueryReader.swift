import JSONText

/// Parses queries of the query DSL.
struct QueryReader {
    let fields: any FieldTypes
    /// The major version of Elasticsearch whose rules apply. OpenSearch follows 7.
    let major: Int
    /// OpenSearch and Elasticsearch 8 and later have no types.
    let knowsTypes: Bool
    let saysUnknown: Bool
    let isOpenSearch: Bool
    /// Whether `wildcard` on a text field is lower-cased, like its words.
    let lowersWildcards: Bool
    /// Whether documents have sequence numbers that a range finds: from 6.0.
    let knowsSequences: Bool
    let now: Int64
    /// Whether this is inside a filter. 1.x has separate filters. Up to 6 at least one `should` of a filter must
    /// match.
    var isFilter = false
    /// Whether every field is read as text, for `_all`.
    var readsAll = false
    /// The path of the surrounding nested query.
    var nested: String?
    var depth = 0

    init(fields: any FieldTypes, persona: ServerPersona, now: Int64) {
        self.fields = fields
        isOpenSearch = persona.product == .opensearch
        major = isOpenSearch ? 7 : persona.version.major
        knowsTypes = isOpenSearch ? persona.version.major < 2 : major < 8
        // 7.7 and later versions, including OpenSearch.
        saysUnknown = isOpenSearch || persona.version.major > 7 || major == 7 && persona.version.minor >= 7
        lowersWildcards =
            isOpenSearch && persona.version.major < 3 || !isOpenSearch && major == 7 && persona.version.minor <= 10
        knowsSequences = persona.since(6)
        self.now = now
    }

    var inFilter: QueryReader {
        var reader = self
        reader.isFilter = true
        return reader
    }

    var asQuery: QueryReader {
        var reader = self
        reader.isFilter = false
        return reader
    }

    func query(_ json: JSONValue) throws(QueryError) -> Predicate {
        guard depth < 64 else { throw .unsupported("queries that are nested deeper than 64") }
        guard let object = json.object else {
            throw .parsing(
                major < 5
                    ? "[_na] query malformed, must start with start_object"
                    : "Unknown key for a \(QueryWords.token(json)) in [query].")
        }
        guard let (name, body) = object.first else {
            // 1.x ignores an empty filter.
            if major < 5, isFilter { return .all }
            if major >= 2, major < 6 { return major < 5 ? .none : .all }
            throw major < 5
                ? .parsing("[_na] query malformed, no field after start_object")
                : .argument("query malformed, empty clause found at [1:1]")
        }
        var inner = self
        inner.depth += 1
        let predicate = try inner.named(name, body)
        guard object.count == 1 || major < 5 && isFilter else {
            throw .parsing("[\(name)] malformed query, expected [END_OBJECT] but found [FIELD_NAME]")
        }
        return predicate
    }

    private func named(_ name: String, _ body: JSONValue) throws(QueryError) -> Predicate {
        guard isKnown(name) else { throw unknown(name, body) }
        if major < 5, name == "and" || name == "or" || name == "not" { return try connective(name, body) }
        guard let body = body.object else {
            throw .parsing(
                major < 5
                    ? "[_na] query malformed, no field after start_object"
                    : "[\(name)] query malformed, no start_object after query name")
        }
        switch name {
        case "match_all":
            try allow(name, body, ["boost", "_name"])
            return .all
        case "match_none": return .none
        case "bool": return try bool(body)
        case "filtered": return try filtered(body)
        case "constant_score": return try constantScore(body)
        case "nested": return try nestedQuery(body)
        case "ids": return try ids(body)
        case "type": return try type(body)
        case "exists", "missing":
            guard let field = body["field"]?.string else {
                let asked = (2...4).contains(major) ? name : "[\(name)]"
                throw .parsing("\(asked) must be provided with a [field]")
            }
            return name == "exists" ? exists(field) : .not(exists(field))
        case "term": return try term(body)
        case "terms", "in": return try terms(body)
        case "range": return try range(body)
        case "prefix", "wildcard": return try pattern(name, body)
        case "match": return try match(name, body)
        case "match_phrase", "match_phrase_prefix", "text": return try match(name, body)
        case "multi_match": return try multiMatch(body)
        case "query_string": return try queryString(body)
        case "simple_query_string": return try simpleQueryString(body)
        case "query": return try asQuery.query(.object(body))
        default: throw unknown(name, .object(body))
        }
    }

    private static let onlyFilters: Set<String> = ["exists", "missing", "type", "and", "or", "not", "query", "in"]
    private static let onlyQueries: Set<String> = [
        "match", "match_phrase", "match_phrase_prefix", "multi_match", "wildcard", "query_string",
        "simple_query_string", "filtered", "constant_score",
    ]
    private static let both: Set<String> = ["match_all", "bool", "nested", "ids", "term", "terms", "range", "prefix"]
    private static let untilFive: Set<String> = ["missing", "filtered", "and", "or", "not", "query", "in"]

    private func isKnown(_ name: String) -> Bool {
        if Self.both.contains(name) { return true }
        // In 1.x queries and filters are two languages.
        if major < 2 { return (isFilter ? Self.onlyFilters : Self.onlyQueries).contains(name) }
        if name == "match_none" { return major >= 5 }
        if name == "type" { return knowsTypes }
        if name == "query" { return major < 5 && isFilter }
        if Self.untilFive.contains(name) { return major < 5 }
        return Self.onlyFilters.contains(name) || Self.onlyQueries.contains(name)
    }

    private func unknown(_ name: String, _ body: JSONValue) -> QueryError {
        if major < 5 { return .parsing("No \(isFilter && major < 2 ? "filter" : "query") registered for [\(name)]") }
        guard body.object != nil else {
            return .parsing("[\(name)] query malformed, no start_object after query name")
        }
        guard saysUnknown else { return .parsing("no [query] registered for [\(name)]") }
        return .parsing(
            "unknown query [\(name)]",
            cause: .init(type: "named_object_not_found_exception", reason: "unknown field [\(name)]"))
    }

    /// Refuses a parameter that the query does not have.
    func allow(_ name: String, _ body: JSONObject, _ known: Set<String>) throws(QueryError) {
        guard let other = body.keys.first(where: { !known.contains($0) }) else { return }
        throw major >= 5 && name == "match_all" || major >= 5 && name == "ids"
            ? .parsing("[\(name)] unknown field [\(other)]") : .parsing("[\(name)] query does not support [\(other)]")
    }
}

/// Words of error messages.
enum QueryWords {
    /// The name of a value's first token in Elasticsearch's parser.
    static func token(_ value: JSONValue) -> String {
        switch value {
        case .null: "VALUE_NULL"
        case .bool: "VALUE_BOOLEAN"
        case .number: "VALUE_NUMBER"
        case .string: "VALUE_STRING"
        case .array: "START_ARRAY"
        case .object: "START_OBJECT"
        }
    }
}

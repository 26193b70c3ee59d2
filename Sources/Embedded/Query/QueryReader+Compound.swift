import JSONText

/// Queries that contain other queries, and queries about metadata.
extension QueryReader {
    func bool(_ body: JSONObject) throws(QueryError) -> Predicate {
        var must: [Predicate] = []
        var should: [Predicate] = []
        var mustNot: [Predicate] = []
        var minimum: JSONValue?
        for (key, value) in body {
            switch key {
            case "must": must += try clauses(value, in: self, of: key)
            case "filter" where major >= 2: must += try clauses(value, in: inFilter, of: key)
            case "should": should += try clauses(value, in: self, of: key)
            case "must_not", "mustNot": mustNot += try clauses(value, in: inFilter(when: major >= 2), of: key)
            case "minimum_should_match", "minimum_number_should_match": minimum = value
            case "boost", "_name", "adjust_pure_negative", "disable_coord", "_cache", "_cache_key": break
            default:
                // 6.x skips a list that it does not know.
                if (2...6).contains(major), value.array?.isEmpty == true { break }
                throw major >= 7
                    ? QueryError(
                        stage: .parsing, type: "x_content_parse_exception", reason: "[bool] unknown field [\(key)]")
                    : .parsing(
                        major < 2 && value.array != nil
                            ? "bool query does not support [\(key)]" : "[bool] query does not support [\(key)]")
            }
        }
        if must.isEmpty, should.isEmpty, mustNot.isEmpty { return .all }
        let standard = should.isEmpty ? 0 : must.isEmpty || isFilter && major < 7 ? 1 : 0
        let count =
            try minimum.map { value throws(QueryError) in
                try MinimumShouldMatch(value).count(of: should.count)
            } ?? standard
        if count > should.count { return .none }
        return .bool(must: must, should: should, mustNot: mustNot, minimum: count)
    }

    private func inFilter(when isFilter: Bool) -> QueryReader { isFilter ? inFilter : self }

    private func clauses(_ value: JSONValue, in reader: QueryReader, of key: String) throws(QueryError) -> [Predicate] {
        switch value {
        case .object(let object):
            if object.isEmpty, major < 5 { return [] }
            return [try reader.query(value)]
        case .array(let elements):
            var predicates: [Predicate] = []
            for element in elements { predicates.append(try reader.query(element)) }
            return predicates
        default:
            throw major >= 7
                ? QueryError(
                    stage: .parsing, type: "x_content_parse_exception",
                    reason: "[bool] \(key) doesn't support values of type: \(QueryWords.token(value))")
                : .parsing("[bool] query does not support [\(key)]")
        }
    }

    /// `and`, `or`, `not` of 1.x and 2.x: a list, or an object with `filters` (`filter`, `query`).
    func connective(_ name: String, _ body: JSONValue) throws(QueryError) -> Predicate {
        if name == "not" {
            return .not(try inFilter.query(body["filter"] ?? body["query"] ?? body))
        }
        guard let elements = (body["filters"] ?? body).array else {
            throw .parsing("[\(name)] filter requires 'filters' to be set on it'")
        }
        var predicates: [Predicate] = []
        for element in elements { predicates.append(try inFilter.query(element)) }
        return name == "and" ? .every(predicates) : .any(predicates)
    }

    func filtered(_ body: JSONObject) throws(QueryError) -> Predicate {
        try allow("filtered", body, ["query", "filter", "boost", "_name", "strategy", "_cache"])
        var both: [Predicate] = []
        if let query = body["query"] { both.append(try asQuery.query(query)) }
        if let filter = body["filter"], !filter.isNull { both.append(try inFilter.query(filter)) }
        return both.isEmpty ? .all : .every(both)
    }

    func constantScore(_ body: JSONObject) throws(QueryError) -> Predicate {
        try allow(
            "constant_score", body, major < 5 ? ["filter", "query", "boost", "_cache"] : ["filter", "boost", "_name"])
        if let filter = body["filter"] { return try inFilter.query(filter) }
        if let query = body["query"] { return try asQuery.query(query) }
        throw .parsing(
            major < 2
                ? "[constant_score] requires either 'filter' or 'query' element"
                : "[constant_score] requires a 'filter' element")
    }

    func nestedQuery(_ body: JSONObject) throws(QueryError) -> Predicate {
        let known: Set<String> = [
            "path", "query", "filter", "score_mode", "ignore_unmapped", "inner_hits", "boost", "_name", "join",
            "_cache",
        ]
        try allow("nested", body, known)
        guard let path = body["path"]?.string else {
            throw .parsing(major < 5 ? "[nested] requires 'path' field" : "[nested] requires 'path' field")
        }
        guard fields.type(of: path) == .nested else {
            if body["ignore_unmapped"] == .bool(true) { return .none }
            let reason = "[nested] failed to find nested object under path [\(path)]"
            throw major < 5 ? .parsing(reason) : .value("illegal_state_exception", reason)
        }
        var inner = self
        inner.nested = path
        if let query = body["query"] { return .nested(path: path, try inner.query(query)) }
        guard let filter = body["filter"], major < 5 else { throw .parsing("[nested] requires 'query' field") }
        return .nested(path: path, try inner.inFilter.query(filter))
    }

    func ids(_ body: JSONObject) throws(QueryError) -> Predicate {
        try allow(
            "ids", body,
            knowsTypes ? ["values", "type", "types", "_type", "boost", "_name"] : ["values", "boost", "_name"])
        let values = body["values"]
        if major < 5 {
            guard let values else { throw .parsing("[ids] query, no ids values provided") }
            guard values.array != nil else { throw .parsing("[ids] query does not support [values]") }
        }
        let ids = Set((values?.array ?? values.map { [$0] } ?? []).map { FieldValues.text(of: $0) })
        let isID = Predicate.meta(.id, .oneOf(ids))
        guard let types = body["type"] ?? body["types"] ?? body["_type"] else { return isID }
        let names = Set((types.array ?? [types]).compactMap(\.string))
        return names.isEmpty ? isID : .every([isID, .meta(.type, .oneOf(names))])
    }

    func type(_ body: JSONObject) throws(QueryError) -> Predicate {
        guard let name = body["value"]?.string else {
            throw .parsing("[type] \(major < 2 ? "filter" : "query") needs to be provided with a value for the type")
        }
        return .meta(.type, .oneOf([name]))
    }
}

/// `minimum_should_match`: `2`, `-1`, `75%`, `-25%`, `2<75% 9<-3`.
struct MinimumShouldMatch {
    private let text: String

    init(_ value: JSONValue) throws(QueryError) {
        text = FieldValues.text(of: value)
        _ = try count(of: 1)
    }

    /// The number of clauses of `total` that must match.
    func count(of total: Int) throws(QueryError) -> Int {
        guard text.contains("<") else { return max(0, try Self.simple(text, of: total)) }
        var result = total
        for condition in text.split(separator: " ") {
            let parts = condition.split(separator: "<")
            guard parts.count == 2, let limit = Int(parts[0]) else { throw .number(text) }
            if total <= limit { return result }
            result = try Self.simple(String(parts[1]), of: total)
        }
        return max(0, result)
    }

    private static func simple(_ text: String, of total: Int) throws(QueryError) -> Int {
        let plain = text.trimmed
        guard plain.hasSuffix("%") else {
            guard let number = Int(plain), number.magnitude < 1_000_000 else { throw .number(plain) }
            return number < 0 ? total + number : number
        }
        guard let percent = Int(plain.dropLast()), percent.magnitude <= 10_000 else { throw .number(plain) }
        let share = total * percent / 100
        return share < 0 || percent < 0 ? total + share : share
    }
}

extension String {
    var trimmed: String {
        let start = drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }
}

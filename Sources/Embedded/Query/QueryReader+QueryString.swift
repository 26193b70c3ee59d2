import JSONText

/// The parameters of `query_string` and `simple_query_string`.
struct QueryStringOptions {
    var fields: [String] = []
    var match = MatchOptions()
    var isAndDefault = false
}

extension QueryReader {
    private static let parameters: Set<String> = [
        "query", "default_field", "fields", "default_operator", "analyze_wildcard", "allow_leading_wildcard", "lenient",
        "boost", "_name", "minimum_should_match", "analyzer", "quote_analyzer", "phrase_slop", "type", "tie_breaker",
        "use_dis_max", "auto_generate_phrase_queries", "lowercase_expanded_terms", "enable_position_increments",
        "locale", "time_zone", "quote_field_suffix", "fuzzy_max_expansions", "fuzzy_prefix_length", "escape",
        "max_determinized_states", "auto_generate_synonyms_phrase_query", "all_fields", "split_on_whitespace",
        "rewrite", "fuzziness", "fuzzy_transpositions", "flags",
    ]

    private func options(_ name: String, _ body: JSONObject) throws(QueryError) -> QueryStringOptions {
        try allow(name, body, Self.parameters)
        var options = QueryStringOptions()
        options.fields = (body["fields"]?.array ?? body["fields"].map { [$0] } ?? []).compactMap(\.string)
        if options.fields.isEmpty, let field = body["default_field"]?.string { options.fields = [field] }
        // Without fields the query searches all of them (before 6: `_all`). A value that fits only some fields is
        // then no error.
        if options.fields.isEmpty || options.fields == ["*"] || options.fields == ["_all"] {
            options.fields = []
            options.match.isLenient = major >= 6
        }
        if let lenient = body["lenient"] { options.match.isLenient = FieldValues.text(of: lenient) == "true" }
        options.isAndDefault = body["default_operator"]?.string?.lowercased() == "and"
        options.match.needsAll = options.isAndDefault
        if let minimum = body["minimum_should_match"] { options.match.minimum = try MinimumShouldMatch(minimum) }
        return options
    }

    func queryString(_ body: JSONObject) throws(QueryError) -> Predicate {
        let options = try options("query_string", body)
        guard let text = body["query"]?.string else {
            throw .parsing(
                major < 5
                    ? "query_string must be provided with a [query]" : "[query_string] must be provided with a [query]")
        }
        if text.trimmed.isEmpty { return .none }
        var reader = LuceneReader(text, isAndDefault: options.isAndDefault)
        let clause: LuceneClause
        do throws(LuceneError) { clause = try reader.read() } catch {
            if error.isUnsupported { throw .unsupported("\(error.reason) in query_string") }
            let cause = QueryError.Cause(type: major < 2 ? "parse_exception" : "parse_exception", reason: error.reason)
            throw .shard("Failed to parse query [\(text)]", cause: cause)
        }
        return try predicate(clause, options)
    }

    func predicate(_ clause: LuceneClause, _ options: QueryStringOptions) throws(QueryError) -> Predicate {
        switch clause {
        case .everything: return .all
        case .parts(let parts):
            var must: [Predicate] = []
            var should: [Predicate] = []
            var mustNot: [Predicate] = []
            for part in parts {
                let predicate = try predicate(part.clause, options)
                switch part.occur {
                case .must: must.append(predicate)
                case .should: should.append(predicate)
                case .mustNot: mustNot.append(predicate)
                }
            }
            let standard = should.isEmpty ? 0 : must.isEmpty ? 1 : 0
            let minimum = try options.match.minimum?.count(of: should.count) ?? standard
            return .bool(must: must, should: should, mustNot: mustNot, minimum: min(minimum, should.count))
        case .inField(let field, let inner):
            var options = options
            options.fields = [field]
            return try predicate(inner, options)
        case .term(let field, let text):
            if field == "_exists_" { return exists(text) }
            if field == "_missing_", major < 5 { return .not(exists(text)) }
            return try inFields(field, options) { reader, name throws(QueryError) in
                try reader.text(name, .string(text), options.match)
            }
        case .phrase(let field, let text, let slop):
            if field == "_exists_" { return exists(text) }
            var match = options.match
            match.kind = .phrase
            match.slop = slop
            return try inFields(field, options) { reader, name throws(QueryError) in
                try reader.text(name, .string(text), match)
            }
        case .wildcard(let field, let text):
            if field == "_exists_" { return exists(text) }
            if text == "*", let field { return exists(field) }
            return try inFields(field, options) { reader, name throws(QueryError) in
                try reader.wildcard(name, text, isLenient: options.match.isLenient)
            }
        case .range(let field, let lower, let upper, let includesLower, let includesUpper):
            return try inFields(field, options) { reader, name throws(QueryError) in
                guard case .mapped(let path, let type) = reader.resolve(name) else { return .none }
                var parts = RangeParts(includesLower: includesLower, includesUpper: includesUpper)
                parts.lower = lower.map { .string(type == .text ? $0.lowercased() : $0) } ?? .null
                parts.upper = upper.map { .string(type == .text ? $0.lowercased() : $0) } ?? .null
                return try self.leniently(options.match.isLenient) { () throws(QueryError) in
                    try self.range(path, type, parts)
                }
            }
        }
    }

    private func wildcard(_ field: String, _ text: String, isLenient: Bool) throws(QueryError) -> Predicate {
        guard case .mapped(let path, let type) = resolve(field), isString(type) else {
            if case .meta = resolve(field) { return try pattern("wildcard", field, text, ignoresCase: false) }
            return try leniently(isLenient) { () throws(QueryError) in
                try self.pattern("wildcard", field, text, ignoresCase: false)
            }
        }
        // Terms with wildcards are lower-cased: always before 5.1, and by the field's analyzer later.
        var isLower = major < 5 || type == .text
        if case .keyword(_, true) = type { isLower = true }
        return .field(
            path: path, type: type,
            test: .term(.wildcard(WildcardPattern(isLower ? text.lowercased() : text), ignoresCase: false)))
    }

    private func leniently(
        _ isLenient: Bool, _ body: () throws(QueryError) -> Predicate
    ) throws(QueryError) -> Predicate {
        do throws(QueryError) { return try body() } catch {
            if isLenient { return .none }
            throw error
        }
    }

    /// The predicate for the named field, or for any of the default fields.
    func inFields(
        _ field: String?, _ options: QueryStringOptions,
        _ body: (QueryReader, String) throws(QueryError) -> Predicate
    ) throws(QueryError) -> Predicate {
        let names = field.map { [$0] } ?? options.fields
        let isAll = major < 6 && (names.isEmpty || names.contains("_all"))
        let reader = isAll ? inAll : self
        var any: [Predicate] = []
        for name in isAll ? fields.paths : expand(names.isEmpty ? ["*"] : names) { any.append(try body(reader, name)) }
        return .any(any)
    }
}

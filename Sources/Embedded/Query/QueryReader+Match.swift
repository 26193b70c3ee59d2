import JSONText

/// How a query finds the words of a text in a field.
struct MatchOptions {
    enum Kind { case words, phrase, phrasePrefix, wordsPrefix }

    var kind = Kind.words
    var needsAll = false
    var minimum: MinimumShouldMatch?
    var slop = 0
    /// A value that does not fit the field finds nothing, instead of causing an error.
    var isLenient = false
    /// The result of a text without words.
    var emptyFindsAll = false
}

/// Full-text queries.
extension QueryReader {
    func match(_ name: String, _ body: JSONObject) throws(QueryError) -> Predicate {
        let (field, given) = try onlyField(name == "match" ? "match" : name, body)
        var options = MatchOptions()
        if name == "match_phrase" { options.kind = .phrase }
        if name == "match_phrase_prefix" { options.kind = .phrasePrefix }
        var value = given
        if let object = given.object {
            guard let query = object["query"] else { throw .parsing("No text specified for text query") }
            value = query
            try self.options(name, object, besides: [], into: &options)
        }
        if value.isNull { throw .parsing("No text specified for text query") }
        guard value.array == nil else {
            throw .parsing(
                major < 5
                    ? "[\(name)] unknown token [START_ARRAY] after [query]"
                    : "[\(name)] unknown token [START_ARRAY] after [\(field)]")
        }
        return try text(field, value, options)
    }

    private func options(
        _ name: String, _ body: JSONObject, besides known: Set<String>, into options: inout MatchOptions
    ) throws(QueryError) {
        for (key, value) in body where !known.contains(key) {
            switch key {
            case "query", "boost", "analyzer", "_name", "cutoff_frequency", "prefix_length", "max_expansions",
                "fuzzy_rewrite", "rewrite", "fuzzy_transpositions", "auto_generate_synonyms_phrase_query",
                "tie_breaker":
                break
            case "operator": options.needsAll = value.string?.lowercased() == "and"
            case "minimum_should_match": options.minimum = try MinimumShouldMatch(value)
            case "slop", "phrase_slop": options.slop = value.int.flatMap { Int(exactly: $0) } ?? 0
            case "lenient": options.isLenient = FieldValues.text(of: value) == "true"
            case "zero_terms_query": options.emptyFindsAll = value.string?.lowercased() == "all"
            case "type" where major < 6 || name == "multi_match":
                if value.string == "phrase" { options.kind = .phrase }
                if value.string == "phrase_prefix" { options.kind = .phrasePrefix }
                if value.string == "bool_prefix" { options.kind = .wordsPrefix }
            case "fuzziness": throw .unsupported("fuzzy search")
            default: throw .parsing("[\(name)] query does not support [\(key)]")
            }
        }
    }

    /// The predicate of `match` for this value in this field.
    func text(_ field: String, _ value: JSONValue, _ options: MatchOptions) throws(QueryError) -> Predicate {
        if isAll(field) {
            var any: [Predicate] = []
            for path in fields.paths { any.append(try inAll.text(path, value, options)) }
            return .any(any)
        }
        guard case .mapped(let path, let type) = resolve(field), type == .text else {
            do throws(QueryError) { return try term(field, value) } catch {
                if options.isLenient { return .none }
                throw error
            }
        }
        let words = Analysis.words(FieldValues.text(of: value))
        if words.isEmpty { return options.emptyFindsAll ? .all : .none }
        switch options.kind {
        case .phrase, .phrasePrefix:
            let phrase = FieldTest.phrase(words, slop: options.slop, lastIsPrefix: options.kind == .phrasePrefix)
            return .field(path: path, type: type, test: phrase)
        case .words, .wordsPrefix:
            var tests = words.map { StringTest.oneOf([$0]) }
            if options.kind == .wordsPrefix, let last = words.last {
                tests[tests.count - 1] = .prefix(last, ignoresCase: false)
            }
            let each = tests.map { Predicate.field(path: path, type: type, test: .term($0)) }
            if options.needsAll { return .every(each) }
            // A repeated word counts as two clauses.
            let minimum = try options.minimum?.count(of: each.count) ?? 1
            return .bool(must: [], should: each, mustNot: [], minimum: min(max(minimum, 1), each.count))
        }
    }

    func multiMatch(_ body: JSONObject) throws(QueryError) -> Predicate {
        guard let value = body["query"], !value.isNull else {
            throw .parsing("No text specified for multi_match query")
        }
        var options = MatchOptions()
        try self.options("multi_match", body, besides: ["fields", "use_dis_max"], into: &options)
        var names = (body["fields"]?.array ?? body["fields"].map { [$0] } ?? []).compactMap(\.string)
        if names.isEmpty {
            guard major >= 6 else { throw .parsing("No fields specified for multi_match query") }
            names = ["*"]
            options.isLenient = true
        }
        let fields = expand(names)
        if body["type"]?.string == "cross_fields", options.needsAll {
            let words = Analysis.words(FieldValues.text(of: value))
            var each: [Predicate] = []
            for word in words {
                each.append(.any(try fields.map { f throws(QueryError) in try text(f, .string(word), options) }))
            }
            return each.isEmpty ? .none : .every(each)
        }
        var any: [Predicate] = []
        for field in fields { any.append(try text(field, value, options)) }
        return .any(any)
    }

    /// Field names without boosts (`title^2`). Patterns are replaced by the fields that they match.
    func expand(_ names: [String]) -> [String] {
        names.flatMap { name -> [String] in
            let plain = String(name.prefix { $0 != "^" })
            guard WildcardPattern.isPattern(plain) else { return [plain] }
            // If a pattern matches fields of several kinds, only those that support full-text search are used.
            return self.names(plain).filter { path in
                guard let type = fields.type(of: path) else { return false }
                return type != .notIndexed
            }
        }
    }
}

import JSONText

/// What the field name of a query refers to.
enum QueryField {
    case meta(MetaField)
    case mapped(path: String, type: FieldType)
    /// A mapped field that the query cannot see: it is inside a nested object, or outside the current one.
    case hidden
    case unmapped
}

extension QueryReader {
    func resolve(_ name: String) -> QueryField {
        switch name {
        case "_id": return .meta(.id)
        case "_type": return knowsTypes ? .meta(.type) : .unmapped
        case "_uid": return major < 7 ? .meta(.uid) : .unmapped
        // 1.x has this metadata only when the mapping enables it.
        case "_index": return major < 2 ? .unmapped : .meta(.index)
        case "_routing": return .meta(.routing)
        default: break
        }
        guard let type = fields.type(of: name) else { return .unmapped }
        if readsAll { return .mapped(path: fields.sourcePath(of: name), type: .text) }
        guard nestedPath(of: name) == nested else { return .hidden }
        return .mapped(path: fields.sourcePath(of: name), type: type)
    }

    /// `_all`, up to 5: the text of all fields.
    func isAll(_ field: String) -> Bool { field == "_all" && major < 6 }

    /// Every field, read as text.
    var inAll: QueryReader {
        var reader = self
        reader.readsAll = true
        return reader
    }

    /// The nearest nested field around a path.
    func nestedPath(of name: String) -> String? {
        var path = name[...]
        while let dot = path.lastIndex(of: ".") {
            path = path[..<dot]
            if fields.type(of: String(path)) == .nested { return String(path) }
        }
        return nil
    }

    func exists(_ name: String) -> Predicate {
        if case .meta(let field) = resolve(name) {
            if case .id = field, major < 6 { return .none }
            return .meta(field, .any)
        }
        return .any(
            names(name, withInner: true).compactMap { path in
                guard case .mapped(let source, let type) = resolve(path) else { return nil }
                return .field(path: source, type: type, test: .exists)
            })
    }

    /// The mapped paths that a name or pattern matches. `withInner`: also the paths below an object.
    func names(_ name: String, withInner: Bool = false) -> [String] {
        if WildcardPattern.isPattern(name) {
            let pattern = WildcardPattern(name)
            return fields.paths.filter { path in
                pattern.matches(path) || withInner && Self.parents(of: path).contains { pattern.matches($0) }
            }
        }
        guard let type = fields.type(of: name) else { return [] }
        if type.holdsValues { return [name] }
        return withInner ? fields.paths.filter { $0.hasPrefix(name + ".") } : []
    }

    static func parents(of path: String) -> [String] {
        path.indices.filter { path[$0] == "." }.map { String(path[..<$0]) }
    }

    /// The only field of a query. In 1.x other parameters may stand beside it.
    func onlyField(_ name: String, _ body: JSONObject) throws(QueryError) -> (field: String, value: JSONValue) {
        let beside: Set<String> = ["_name", "_cache", "_cache_key", "boost", "execution"]
        let entries = body.filter { !beside.contains($0.key) }
        guard let first = entries.first else {
            switch name {
            case "term" where major >= 2 && major < 5: throw .parsing("No value specified for term query")
            case "match" where major >= 5: throw .parsing("No text specified for text query")
            case "term", "prefix", "wildcard", "range":
                throw major < 5
                    ? .parsing("[\(name)] query malformed, no field") : .argument("field name is null or empty")
            default: throw .parsing("[\(name)] query malformed, no field")
            }
        }
        guard entries.count == 1 else {
            throw .parsing(
                "[\(name)] query doesn't support multiple fields, found [\(first.key)] and [\(entries[1].key)]")
        }
        return (first.key, first.value)
    }

    func term(_ body: JSONObject) throws(QueryError) -> Predicate {
        let (field, given) = try onlyField("term", body)
        if given.array != nil {
            guard major < 2 else { throw .parsing("[term] query does not support array of values") }
            let reason = "Expected field name but got END_ARRAY \"\(field)\""
            throw QueryError(stage: .shard, type: "parse_exception", reason: reason)
        }
        var value = given
        var ignoresCase = false
        if let object = given.object {
            try allow("term", object, ["value", "term", "boost", "_name", "case_insensitive"])
            value = object["value"] ?? object["term"] ?? .null
            ignoresCase = object["case_insensitive"] == .bool(true)
        }
        if value.isNull {
            if major < 5 { return .none }
            throw .argument(given.object == nil ? "field name is null or empty" : "value cannot be null")
        }
        if ignoresCase, case .mapped(let path, let type) = resolve(field), isString(type) {
            let text = FieldValues.text(of: value).lowercased()
            return .field(
                path: path, type: type,
                test: .term(.wildcard(WildcardPattern(literal: text), ignoresCase: true)))
        }
        return try term(field, value)
    }

    func isString(_ type: FieldType) -> Bool {
        switch type {
        case .keyword, .text: true
        default: false
        }
    }

    func terms(_ body: JSONObject) throws(QueryError) -> Predicate {
        let beside: Set<String> = ["_name", "_cache", "_cache_key", "boost", "execution", "minimum_should_match"]
        let entries = body.filter { !beside.contains($0.key) }
        guard let (field, value) = entries.first else {
            let needs = "query requires a field name, followed by array of terms"
            throw .parsing(
                major < 2
                    ? "No field specified for terms query"
                    : major < 5 ? "terms \(needs)" : "[terms] \(needs) or a document lookup specification")
        }
        guard entries.count == 1 else { throw .parsing("[terms] query does not support multiple fields") }
        guard let values = value.array else {
            if value.object != nil { throw .unsupported("terms that are looked up in another document") }
            throw .parsing("[terms] query does not support [\(field)]")
        }
        if values.contains(where: \.isNull) { throw .parsing("No value specified for terms query") }
        let isExact = isExact(field)
        if let isExact { return isExact(Set(values.map { FieldValues.text(of: $0) })) }
        var predicates: [Predicate] = []
        for value in values { predicates.append(try term(field, value)) }
        return .any(predicates)
    }
}

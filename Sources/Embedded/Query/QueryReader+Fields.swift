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
        case "_uid": return era < 7 ? .meta(.uid) : .unmapped
        // 1.x has this metadata only when the mapping enables it.
        case "_index": return era < 2 ? .unmapped : .meta(.index)
        case "_routing": return .meta(.routing)
        default: break
        }
        guard let type = fields.type(of: name) else { return .unmapped }
        if readsAll { return .mapped(path: fields.sourcePath(of: name), type: .text) }
        guard nestedPath(of: name) == nested else { return .hidden }
        return .mapped(path: fields.sourcePath(of: name), type: type)
    }

    /// `_all`, up to 5: the text of all fields.
    func isAll(_ field: String) -> Bool { field == "_all" && era < 6 }

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
            if case .id = field, era < 6 { return .none }
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

    private static func parents(of path: String) -> [String] {
        path.indices.filter { path[$0] == "." }.map { String(path[..<$0]) }
    }

    /// The only field of a query. In 1.x other parameters may stand beside it.
    func onlyField(_ name: String, _ body: JSONObject) throws(QueryError) -> (field: String, value: JSONValue) {
        let beside: Set<String> = ["_name", "_cache", "_cache_key", "boost", "execution"]
        let entries = body.filter { !beside.contains($0.key) }
        guard let first = entries.first else {
            switch name {
            case "term" where era >= 2 && era < 5: throw .parsing("No value specified for term query")
            case "match" where era >= 5: throw .parsing("No text specified for text query")
            case "term", "prefix", "wildcard", "range":
                throw era < 5
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
            guard era < 2 else { throw .parsing("[term] query does not support array of values") }
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
            if era < 5 { return .none }
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
                era < 2
                    ? "No field specified for terms query"
                    : era < 5 ? "terms \(needs)" : "[terms] \(needs) or a document lookup specification")
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

    /// A predicate for a set of terms of a text field. A query with a thousand terms then needs one look-up per
    /// value.
    private func isExact(_ field: String) -> ((Set<String>) -> Predicate)? {
        switch resolve(field) {
        case .meta(let meta): return { .meta(meta, .oneOf($0)) }
        case .mapped(let path, let type):
            guard isString(type) else { return nil }
            return { terms in
                var terms = terms
                if case .keyword(_, true) = type { terms = Set(terms.map { $0.lowercased() }) }
                return .field(path: path, type: type, test: .term(.oneOf(terms)))
            }
        case .hidden, .unmapped: return nil
        }
    }

    /// An exact value of a field.
    func term(_ field: String, _ value: JSONValue) throws(QueryError) -> Predicate {
        if isAll(field) {
            let words: FieldTest = .term(.oneOf([FieldValues.text(of: value)]))
            return .any(fields.paths.map { .field(path: fields.sourcePath(of: $0), type: .text, test: words) })
        }
        let text = FieldValues.text(of: value)
        if let isExact = isExact(field) { return isExact([text]) }
        guard case .mapped(let path, let type) = resolve(field) else {
            // This error appears for hidden fields too. No client relies on that.
            return .none
        }
        switch type {
        case .integer, .double, .float:
            guard let number = Double(text), number.isFinite else { throw .number(text) }
            var value = value
            if case .integer = type, era < 5, Int64(text) == nil {
                guard era >= 2, let whole = Int64(exactly: number.rounded(.towardZero)) else { throw .number(text) }
                value = .number(whole)
            }
            return try range(
                path, type, RangeParts(lower: value, upper: value, includesLower: true, includesUpper: true))
        case .date:
            if era < 5 { return try exactDate(path, type, value) }
            return try range(
                path, type, RangeParts(lower: value, upper: value, includesLower: true, includesUpper: true))
        case .boolean:
            return .field(path: path, type: type, test: .boolean([try boolean(value)]))
        case .ip:
            guard let block = InternetAddress.block(text), era >= 5 || !text.contains("/") else { throw address(text) }
            return .field(
                path: path, type: type, test: .addresses([Bounds(lower: block.lowerBound, upper: block.upperBound)]))
        case .keyword, .text, .object, .nested: return .none
        case .notIndexed: throw notIndexed(field)
        }
    }

    func notIndexed(_ field: String) -> QueryError {
        let reason = "Cannot search on field [\(field)] since it is not indexed."
        return .value("illegal_argument_exception", reason)
    }

    func address(_ text: String) -> QueryError {
        .value(
            "illegal_argument_exception",
            era < 5 ? "failed to parse ip [\(text)], not a valid ip address" : "'\(text)' is not an IP string literal.")
    }

    /// Before 5 a date means exactly its millisecond, and 1.x accepts no number for it.
    private func exactDate(_ path: String, _ type: FieldType, _ value: JSONValue) throws(QueryError) -> Predicate {
        let text = FieldValues.text(of: value)
        if era < 2, text.count > 9, text.allSatisfy({ $0.isASCII && $0.isNumber }) {
            let reason = "Invalid format: \"\(text)\" is malformed at \"\(text.dropFirst(9))\""
            throw .value("java_illegal_argument", reason)
        }
        let time = try date(value, type, format: nil, zone: 0, roundsUp: false)
        return .field(path: path, type: type, test: .integers([time...time]))
    }

    func boolean(_ value: JSONValue) throws(QueryError) -> Bool {
        let text = FieldValues.text(of: value)
        if era < 6 { return FieldValues.boolean(value) ?? false }
        guard ["true", "false", ""].contains(text) else {
            throw .value(
                "illegal_argument_exception", "Can't parse boolean value [\(text)], expected [true] or [false]")
        }
        return text == "true"
    }

    func pattern(_ name: String, _ body: JSONObject) throws(QueryError) -> Predicate {
        let (field, given) = try onlyField(name, body)
        var value = given
        var ignoresCase = false
        if let object = given.object {
            try allow(name, object, ["value", name, "boost", "rewrite", "_name", "case_insensitive"])
            value = object["value"] ?? object[name] ?? .null
            ignoresCase = object["case_insensitive"] == .bool(true)
        }
        if value.isNull {
            if era < 5 { return .none }
            throw .argument("value cannot be null")
        }
        let text = FieldValues.text(of: value)
        return try pattern(name, field, text, ignoresCase: ignoresCase)
    }

    func pattern(_ name: String, _ field: String, _ text: String, ignoresCase: Bool) throws(QueryError) -> Predicate {
        func test(_ type: FieldType?) -> StringTest {
            var isLower = ignoresCase
            if case .keyword(_, true) = type { isLower = true }
            if case .text = type, lowersWildcards, name == "wildcard" { isLower = true }
            let text = isLower ? text.lowercased() : text
            return name == "prefix"
                ? .prefix(text, ignoresCase: ignoresCase) : .wildcard(WildcardPattern(text), ignoresCase: ignoresCase)
        }
        switch resolve(field) {
        case .meta(let meta): return .meta(meta, test(nil))
        case .hidden, .unmapped: return .none
        case .mapped(let path, let type):
            guard !isString(type) else { return .field(path: path, type: type, test: .term(test(type))) }
            if era < 5 {
                guard name == "prefix" else { throw .number(text) }
                // A fuzzy or prefix query on the terms of a number makes no sense. The node finds the number itself.
                return try term(field, .string(text))
            }
            let kinds = saysUnknown && !isOpenSearch ? "keyword, text and wildcard" : "keyword and text"
            throw .shard(
                "Can only use \(name) queries on \(kinds) fields - not on [\(field)] which is of type [\(type.name)]")
        }
    }
}

extension FieldType {
    /// The type name of a mapping. Numbers are named by their range.
    var name: String {
        switch self {
        case .keyword: "keyword"
        case .text: "text"
        case .integer(let range):
            range.upperBound == Int64(Int32.max)
                ? "integer" : range.upperBound == Int64(Int16.max) ? "short" : range.upperBound == 127 ? "byte" : "long"
        case .double: "double"
        case .float: "float"
        case .date: "date"
        case .boolean: "boolean"
        case .ip: "ip"
        case .object: "object"
        case .nested: "nested"
        case .notIndexed: "binary"
        }
    }
}

extension WildcardPattern {
    init(literal text: String) { pieces = text.map { .character($0) } }
}

import JSONText

/// Queries for exact terms.
extension QueryReader {
    /// A predicate for a set of terms of a text field. A query with a thousand terms then needs one look-up per
    /// value.
    func isExact(_ field: String) -> ((Set<String>) -> Predicate)? {
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
            if case .integer = type, major < 5, Int64(text) == nil {
                guard major >= 2, let whole = Int64(exactly: number.rounded(.towardZero)) else { throw .number(text) }
                value = .number(whole)
            }
            return try range(
                path, type, RangeParts(lower: value, upper: value, includesLower: true, includesUpper: true))
        case .date:
            if major < 5 { return try exactDate(path, type, value) }
            return try range(
                path, type, RangeParts(lower: value, upper: value, includesLower: true, includesUpper: true))
        case .boolean:
            return .field(path: path, type: type, test: .boolean([try boolean(value)]))
        case .ip:
            guard let block = InternetAddress.block(text), major >= 5 || !text.contains("/") else {
                throw address(text)
            }
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
            major < 5
                ? "failed to parse ip [\(text)], not a valid ip address" : "'\(text)' is not an IP string literal.")
    }

    /// Before 5 a date means exactly its millisecond, and 1.x accepts no number for it.
    func exactDate(_ path: String, _ type: FieldType, _ value: JSONValue) throws(QueryError) -> Predicate {
        let text = FieldValues.text(of: value)
        if major < 2, text.count > 9, text.allSatisfy({ $0.isASCII && $0.isNumber }) {
            let reason = "Invalid format: \"\(text)\" is malformed at \"\(text.dropFirst(9))\""
            throw .value("java_illegal_argument", reason)
        }
        let time = try date(value, type, format: nil, zone: 0, roundsUp: false)
        return .field(path: path, type: type, test: .integers([time...time]))
    }

    func boolean(_ value: JSONValue) throws(QueryError) -> Bool {
        let text = FieldValues.text(of: value)
        if major < 6 { return FieldValues.boolean(value) ?? false }
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
            if major < 5 { return .none }
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
            if major < 5 {
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

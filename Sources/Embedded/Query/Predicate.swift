import JSONText

/// A query that is ready to match: every field is resolved and every value is parsed.
indirect enum Predicate: Sendable {
    case all
    case none
    /// All of `must`, none of `mustNot`, and at least `minimum` of `should`.
    case bool(must: [Predicate], should: [Predicate], mustNot: [Predicate], minimum: Int)
    case meta(MetaField, StringTest)
    case field(path: String, type: FieldType, test: FieldTest)
    /// The query holds for at least one object at this path.
    case nested(path: String, Predicate)

    static func any(_ predicates: [Predicate]) -> Predicate {
        if predicates.count == 1 { return predicates[0] }
        return predicates.isEmpty ? .none : .bool(must: [], should: predicates, mustNot: [], minimum: 1)
    }

    static func every(_ predicates: [Predicate]) -> Predicate {
        predicates.count == 1 ? predicates[0] : .bool(must: predicates, should: [], mustNot: [], minimum: 0)
    }

    static func not(_ predicate: Predicate) -> Predicate {
        .bool(must: [], should: [], mustNot: [predicate], minimum: 0)
    }

    func matches(_ document: some SearchableDocument) -> Bool {
        switch self {
        case .all: return true
        case .none: return false
        case .bool(let must, let should, let mustNot, let minimum):
            guard must.allSatisfy({ $0.matches(document) }) else { return false }
            guard !mustNot.contains(where: { $0.matches(document) }) else { return false }
            if minimum <= 0 { return true }
            if minimum == 1 { return should.contains { $0.matches(document) } }
            return should.lazy.filter { $0.matches(document) }.prefix(minimum).count == minimum
        case .meta(let field, let test):
            return field.value(of: document).map { test.matches($0) } ?? false
        case .field(let path, let type, let test):
            return test.matches(document.values(path), type)
        case .nested(let path, let query):
            return document.objects(path).contains { object in
                query.matches(NestedObject(path: path, source: .object(object)))
            }
        }
    }
}

/// Metadata that every document has beside its source.
enum MetaField: Sendable {
    case id
    case type
    /// `type#id`, before 7.
    case uid
    case index
    case routing

    func value(of document: some SearchableDocument) -> String? {
        switch self {
        case .id: document.id
        case .type: document.type
        case .uid: document.type.map { "\($0)#\(document.id)" }
        case .index: document.index
        case .routing: document.routing
        }
    }
}

/// An object of a nested field, seen as its own document. Its paths still begin at the root of the whole document.
private struct NestedObject: SearchableDocument {
    var path: String
    var source: JSONValue
    var id: String { "" }
    var type: String? { nil }
    var routing: String? { nil }
    var index: String { "" }

    func values(_ path: String) -> [JSONValue] {
        inner(path).map { SourcePaths.values(in: source, at: $0) } ?? []
    }

    func objects(_ path: String) -> [JSONObject] {
        inner(path).map { SourcePaths.objects(in: source, at: $0) } ?? []
    }

    private func inner(_ whole: String) -> String? {
        whole.hasPrefix(path + ".") ? String(whole.dropFirst(path.count + 1)) : nil
    }
}

/// A condition for one term.
enum StringTest: Sendable {
    case any
    case oneOf(Set<String>)
    case prefix(String, ignoresCase: Bool)
    case wildcard(WildcardPattern, ignoresCase: Bool)
    case range(Bounds<String>)

    func matches(_ term: String) -> Bool {
        switch self {
        case .any: true
        case .oneOf(let terms): terms.contains(term)
        case .prefix(let prefix, false): term.utf8.starts(with: prefix.utf8)
        case .prefix(let prefix, true): term.lowercased().utf8.starts(with: prefix.utf8)
        case .wildcard(let pattern, let ignoresCase): pattern.matches(ignoresCase ? term.lowercased() : term)
        // Terms are ordered by their UTF-8 bytes. Unicode scalars have the same order.
        case .range(let bounds):
            bounds.contains(term) { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
        }
    }
}

/// Lower and upper bound. Each may be missing, inclusive or exclusive.
struct Bounds<Value: Sendable>: Sendable {
    var lower: Value?
    var upper: Value?
    var includesLower = true
    var includesUpper = true

    func contains(_ value: Value, _ precedes: (Value, Value) -> Bool) -> Bool {
        if let lower, precedes(value, lower) || !includesLower && !precedes(lower, value) { return false }
        if let upper, precedes(upper, value) || !includesUpper && !precedes(value, upper) { return false }
        return true
    }
}

/// A condition for the values of a field.
enum FieldTest: Sendable {
    /// The field has an indexed value.
    case exists
    /// A term of a keyword or text field.
    case term(StringTest)
    /// Consecutive words of one text. The last one may be a prefix.
    case phrase([String], slop: Int, lastIsPrefix: Bool)
    /// Whole numbers, and dates in milliseconds.
    case integers([ClosedRange<Int64>])
    case numbers([Bounds<Double>])
    case boolean(Set<Bool>)
    case addresses([Bounds<InternetAddress>])

    func matches(_ values: [JSONValue], _ type: FieldType) -> Bool {
        if case .phrase(let words, let slop, let lastIsPrefix) = self {
            let phrase = Phrase(words: words, slop: slop, lastIsPrefix: lastIsPrefix)
            return values.contains { phrase.occurs(in: Analysis.words(FieldValues.text(of: $0))) }
        }
        return values.contains { matches($0, type) }
    }

    private func matches(_ value: JSONValue, _ type: FieldType) -> Bool {
        switch self {
        case .exists: return FieldValues.isIndexed(value, type)
        case .term(let test):
            if case .text = type { return Analysis.words(FieldValues.text(of: value)).contains { test.matches($0) } }
            return FieldValues.keyword(value, type).map { test.matches($0) } ?? false
        case .integers(let ranges):
            guard let number = FieldValues.integer(value, type) else { return false }
            return ranges.contains { $0.contains(number) }
        case .numbers(let ranges):
            guard let number = FieldValues.double(value, type) else { return false }
            return ranges.contains { $0.contains(number, <) }
        case .boolean(let wanted): return FieldValues.boolean(value).map { wanted.contains($0) } ?? false
        case .addresses(let ranges):
            guard let address = value.string.flatMap({ InternetAddress($0) }) else { return false }
            return ranges.contains { $0.contains(address, <) }
        case .phrase: return false
        }
    }
}

/// A phrase: consecutive words.
struct Phrase {
    var words: [String]
    var slop: Int
    var lastIsPrefix: Bool

    func occurs(in text: [String]) -> Bool {
        guard !words.isEmpty, text.count >= words.count else { return false }
        return text.indices.contains { start in
            guard isWord(0, text[start]) else { return false }
            var moved = 0
            var at = start
            for index in words.indices.dropFirst() {
                guard let next = text[(at + 1)...].firstIndex(where: { isWord(index, $0) }) else { return false }
                moved += next - at - 1
                at = next
            }
            return moved <= slop
        }
    }

    private func isWord(_ index: Int, _ term: String) -> Bool {
        lastIsPrefix && index == words.count - 1 ? term.hasPrefix(words[index]) : term == words[index]
    }
}

/// The indexed form of a document's value.
enum FieldValues {
    static func text(of value: JSONValue) -> String {
        switch value {
        case .string(let text), .number(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .object: ""
        }
    }

    static func keyword(_ value: JSONValue, _ type: FieldType) -> String? {
        let text = text(of: value)
        guard case .keyword(let ignoreAbove, let lowercase) = type else { return text }
        if let ignoreAbove, text.utf16.count > ignoreAbove { return nil }
        return lowercase ? text.lowercased() : text
    }

    static func integer(_ value: JSONValue, _ type: FieldType) -> Int64? {
        if case .date(let formats) = type { return formats.milliseconds(value) }
        let text = text(of: value)
        if let whole = Int64(text) { return whole }
        return Double(text).flatMap { Int64(exactly: $0.rounded(.towardZero)) }
    }

    static func double(_ value: JSONValue, _ type: FieldType) -> Double? {
        guard let number = Double(text(of: value)) else { return nil }
        return type == .float ? Double(Float(number)) : number
    }

    /// Versions before 6 accept more words than `true` and `false`. Every word except those for no means yes.
    static func boolean(_ value: JSONValue) -> Bool? {
        let text = text(of: value)
        return !["false", "", "0", "0.0", "off", "no", "F"].contains(text)
    }

    static func isIndexed(_ value: JSONValue, _ type: FieldType) -> Bool {
        switch type {
        case .keyword: keyword(value, type) != nil
        case .integer, .date: integer(value, type) != nil
        case .double, .float: double(value, type) != nil
        case .notIndexed, .object, .nested: false
        case .text, .boolean, .ip: true
        }
    }
}

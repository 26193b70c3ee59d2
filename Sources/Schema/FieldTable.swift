import JSONText

/// The fields of a mapping as queries name them: by dotted paths, with second forms such as `host.keyword`.
struct FieldTable: Sendable {
    /// How a field's values are found. Names differ between versions; what is found does not.
    enum Kind: Sendable, Equatable {
        /// Words of a text.
        case text
        /// The whole text: `keyword`, or a `string` that is not analysed.
        case exact
        case whole, boolean, object, nested
        /// A map whose keys are not mapped one by one (`flattened`, `flat_object`).
        case map
        case notIndexed
        case other(String)

        var words: String {
            switch self {
            case .text: "a text of which words are indexed"
            case .exact: "an exact text"
            case .whole: "a whole number"
            case .boolean: "a boolean"
            case .object: "an object"
            case .nested: "nested"
            case .map: "a flattened map"
            case .notIndexed: "not indexed"
            case .other(let type): "of type \(type)"
            }
        }
    }

    struct Field: Sendable, Equatable {
        var kind: Kind
        var definition: JSONObject
        /// The field whose values this one indexes, where it is a second form of it; else its own path.
        var base: String
        /// Below a flattened map: the path of the map.
        var map: String?

        /// Longer values are not indexed, in UTF-16 units.
        var ignoreAbove: Int64? {
            definition["ignore_above"].flatMap { $0.int ?? $0.string.flatMap { Int64($0) } }
        }

        /// Whether a member of the definition is there and is more than its default.
        func has(_ name: String) -> Bool {
            guard let value = definition[name], !value.isNull else { return false }
            return value != .bool(false) && value != .string("false")
        }
    }

    private(set) var fields: [String: Field] = [:]
    /// Fields that two mappings have in different forms.
    private(set) var contradictory: Set<String> = []
    /// For each field that others are copied into: these.
    private(set) var feeders: [String: Set<String>] = [:]

    init(_ mappings: [JSONObject]) {
        for mapping in mappings {
            add(mapping, "")
            for (name, field) in mapping["runtime"]?.object ?? JSONObject() {
                put(name, Field(kind: .other("runtime"), definition: field.object ?? JSONObject(), base: name))
            }
        }
    }

    /// The field of this path. An alias field stands for the field that it names.
    subscript(path: String) -> Field? {
        if let found = fields[path] {
            guard case .other("alias") = found.kind, let target = found.definition["path"]?.string else { return found }
            return fields[target]
        }
        guard let map = Self.ancestors(path).first(where: { fields[$0]?.kind == .map }), let field = fields[map] else {
            return nil
        }
        return Field(kind: .exact, definition: field.definition, base: path, map: map)
    }

    func isContradictory(_ path: String) -> Bool { contradictory.contains(path) }

    /// The fields with values below an object, without their second forms.
    func leaves(of path: String) -> [String] {
        fields.filter { name, field in
            name.hasPrefix(path + ".") && field.base == name && field.kind != .object && field.kind != .nested
        }.map(\.key).sorted()
    }

    /// The nested objects around a field, outermost first.
    func nested(around path: String) -> [String] {
        Self.ancestors(path).filter { fields[$0]?.kind == .nested }
    }

    /// Whether the mapping has something at the path, around it or in it, that holds values.
    func holds(_ path: String) -> Bool {
        fields.contains { name, field in
            guard FieldName.touch(name, path) else { return false }
            // An object around the path says nothing of what is at the path.
            return !(path.hasPrefix(name + ".") && (field.kind == .object || field.kind == .nested))
        }
    }

    /// The paths of the objects around a path, outermost first.
    private static func ancestors(_ path: String) -> [String] {
        path.indices.filter { path[$0] == "." }.map { String(path[..<$0]) }
    }

    private mutating func add(_ mapping: JSONObject, _ prefix: String) {
        for (name, value) in mapping["properties"]?.object ?? JSONObject() {
            guard let definition = value.object else { continue }
            let path = prefix + name
            put(path, Field(kind: Self.kind(definition), definition: definition, base: path))
            for (form, second) in definition["fields"]?.object ?? JSONObject() {
                guard let definition = second.object else { continue }
                put("\(path).\(form)", Field(kind: Self.kind(definition), definition: definition, base: path))
            }
            let copied = definition["copy_to"]
            for other in copied?.array?.compactMap(\.string) ?? copied?.string.map({ [$0] }) ?? [] {
                feeders[other, default: []].insert(path)
            }
            add(definition, path + ".")
        }
    }

    private mutating func put(_ path: String, _ field: Field) {
        if let known = fields[path], known.difference(from: field) != nil { contradictory.insert(path) }
        fields[path] = field
    }

    private static func kind(_ definition: JSONObject) -> Kind {
        let index = definition["index"]
        if definition["enabled"] == .bool(false) || index == .bool(false) || index?.string == "no"
            || index?.string == "false"
        {
            return .notIndexed
        }
        switch definition["type"]?.string {
        case nil, "object": return .object
        case "nested": return .nested
        case "text": return .text
        case "string": return index?.string == "not_analyzed" ? .exact : .text
        case "keyword": return .exact
        case "byte", "short", "integer", "long": return .whole
        case "boolean": return .boolean
        case "flattened", "flat_object": return .map
        case .some(let type): return .other(type)
        }
    }
}

extension FieldTable.Field {
    /// What decides which values a query finds, beside the kind and the length.
    private static let deciding = [
        "analyzer", "search_analyzer", "index_analyzer", "normalizer", "null_value", "format", "scaling_factor",
        "ignore_malformed", "value", "path", "script", "split_queries_on_whitespace",
    ]

    /// Why the same query finds other values in the other field; nil: it finds the same.
    func difference(from other: Self) -> String? {
        guard kind == other.kind else { return "\(kind.words) there and \(other.kind.words) here" }
        if case .object = kind { return nil }
        let name = Self.deciding.first { name in
            has(name) != other.has(name) || (has(name) && definition[name] != other.definition[name])
        }
        return name.map { "with another \($0) there" }
    }
}

/// Dotted paths of fields.
enum FieldName {
    static func of(_ path: JSONPath) -> String { path.names.joined(separator: ".") }

    /// Whether `inner` is `outer` or lies in it.
    static func lies(_ inner: String, in outer: String) -> Bool { inner == outer || inner.hasPrefix(outer + ".") }

    static func touch(_ one: String, _ other: String) -> Bool { lies(one, in: other) || lies(other, in: one) }
}

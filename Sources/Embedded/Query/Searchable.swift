import JSONText

/// What a query looks at in a document.
package protocol SearchableDocument {
    var id: String { get }
    /// Nil where the version has no types.
    var type: String? { get }
    var routing: String? { get }
    /// The index's own name, not an alias.
    var index: String { get }

    /// The leaf values at a dotted path of the source, arrays flattened; empty when it is absent or null.
    /// ``SourcePaths`` does it for a tree.
    func values(_ path: String) -> [JSONValue]

    /// The objects at a dotted path of the source, arrays flattened: what `nested` looks at one by one.
    func objects(_ path: String) -> [JSONObject]
}

/// How the fields of an index are indexed.
package protocol FieldTypes {
    /// Nil for a path that is not mapped.
    func type(of path: String) -> FieldType?

    /// The path in the source whose values a field indexes: another one for a multi-field.
    func sourcePath(of path: String) -> String

    /// Every mapped path that holds values, multi-fields too.
    var paths: [String] { get }
}

extension FieldTypes {
    package func sourcePath(of path: String) -> String { path }
}

/// How a field is indexed.
package enum FieldType: Sendable, Equatable {
    /// One exact term a value. Values longer than `ignoreAbove` characters are not indexed.
    case keyword(ignoreAbove: Int?, lowercase: Bool)
    /// Words in lower case.
    case text
    /// Whole numbers of that range.
    case integer(ClosedRange<Int64>)
    case double
    case float
    case date(DateFormats)
    case boolean
    case ip
    /// A field with fields of its own.
    case object
    /// The same, each object a document of its own.
    case nested
    /// In the source alone: `index: false`, `enabled: false`.
    case notIndexed

    package static let keyword = FieldType.keyword(ignoreAbove: nil, lowercase: false)
    package static let long = FieldType.integer(Int64.min...Int64.max)

    var holdsValues: Bool { self != .object && self != .nested }
}

/// Values and objects at a dotted path of a tree. A name with dots of its own is found, too: `{"a.b": 1}` has a value
/// at `a.b`, as a server that indexes it sees it.
package enum SourcePaths {
    package static func values(in source: JSONValue, at path: String) -> [JSONValue] {
        var found: [JSONValue] = []
        walk(source, path[...]) { value in
            switch value {
            case .null, .object: break
            case .array, .bool, .number, .string: found.append(value)
            }
        }
        return found
    }

    package static func objects(in source: JSONValue, at path: String) -> [JSONObject] {
        var found: [JSONObject] = []
        walk(source, path[...]) { if case .object(let object) = $0 { found.append(object) } }
        return found
    }

    private static func walk(_ value: JSONValue, _ path: Substring, _ visit: (JSONValue) -> Void) {
        if case .array(let elements) = value {
            for element in elements { walk(element, path, visit) }
            return
        }
        guard !path.isEmpty else { return visit(value) }
        guard case .object(let object) = value else { return }
        if let member = object[String(path)] { walk(member, "", visit) }
        var end = path.startIndex
        while let dot = path[end...].firstIndex(of: ".") {
            if let member = object[String(path[..<dot])] { walk(member, path[path.index(after: dot)...], visit) }
            end = path.index(after: dot)
        }
    }
}

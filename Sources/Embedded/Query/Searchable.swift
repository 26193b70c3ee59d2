import JSONText

/// The parts of a document that a query looks at.
package protocol SearchableDocument {
    var id: String { get }
    /// Nil in versions without types.
    var type: String? { get }
    var routing: String? { get }
    /// The name of the index itself, not of an alias.
    var index: String { get }

    /// The leaf values at a dotted path of the source. Arrays are flattened. Empty when the path is missing or null.
    /// ``SourcePaths`` does this for a tree.
    func values(_ path: String) -> [JSONValue]

    /// The objects at a dotted path of the source. Arrays are flattened. `nested` matches each of them separately.
    func objects(_ path: String) -> [JSONObject]
}

/// How the fields of an index are indexed.
package protocol FieldTypes {
    /// Nil for an unmapped path.
    func type(of path: String) -> FieldType?

    /// The source path whose values a field indexes. It differs from the field's path for a multi-field.
    func sourcePath(of path: String) -> String

    /// Every mapped path that has values, including multi-fields.
    var paths: [String] { get }
}

extension FieldTypes {
    package func sourcePath(of path: String) -> String { path }
}

/// How a field is indexed.
package enum FieldType: Sendable, Equatable {
    /// One exact term per value. Values with more than `ignoreAbove` characters are not indexed.
    case keyword(ignoreAbove: Int?, lowercase: Bool)
    /// Lower-case words.
    case text
    /// Whole numbers in this range.
    case integer(ClosedRange<Int64>)
    case double
    case float
    case date(DateFormats)
    case boolean
    case ip
    /// A field that contains fields.
    case object
    /// An object field whose objects are separate documents.
    case nested
    /// Only in the source: `index: false`, `enabled: false`.
    case notIndexed

    package static let keyword = FieldType.keyword(ignoreAbove: nil, lowercase: false)
    package static let long = FieldType.integer(Int64.min...Int64.max)

    var holdsValues: Bool { self != .object && self != .nested }
}

/// Values and objects at a dotted path of a tree. It also finds names that contain dots, as a server does: `{"a.b":
/// 1}` has a value at `a.b`.
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

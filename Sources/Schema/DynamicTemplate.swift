import JSONText

/// What a cluster makes of a new field without being told (`dynamic`).
enum DynamicMode: Sendable, Equatable {
    case make, ignore, refuse, runtime
    /// Only what a dynamic template matches is made; the rest is ignored, or refused.
    case templatesOrIgnore, templatesOrRefuse

    /// nil: the mapping does not say, and what stands above it counts.
    init?(_ value: JSONValue?) {
        switch value {
        case .bool(let isOn): self = isOn ? .make : .ignore
        case .string("true"): self = .make
        case .string("false"): self = .ignore
        case .string("strict"): self = .refuse
        case .string("runtime"): self = .runtime
        case .string("strict_allow_templates"): self = .templatesOrRefuse
        case .string("false_allow_templates"): self = .templatesOrIgnore
        default: return nil
        }
    }
}

/// A dynamic template of a mapping, as far as the number of fields depends on it.
struct DynamicTemplate: Sendable {
    private let types: [String]
    private let notTypes: [String]
    private let names: [String]
    private let notNames: [String]
    private let paths: [String]
    private let notPaths: [String]
    /// Regular expressions are taken to match: the template's field then counts, which is seldom more than without it.
    private let isRegex: Bool
    let mapping: JSONValue
    let isRuntime: Bool

    /// `{"<name>": {"match_mapping_type": ..., "mapping": ...}}`.
    init?(_ value: JSONValue) {
        guard let body = value.object?.first?.value, body.object != nil else { return nil }
        func words(_ key: String) -> [String] {
            body[key]?.string.map { [$0] } ?? body[key]?.array?.compactMap(\.string) ?? []
        }
        (types, notTypes) = (words("match_mapping_type"), words("unmatch_mapping_type"))
        (names, notNames) = (words("match"), words("unmatch"))
        (paths, notPaths) = (words("path_match"), words("path_unmatch"))
        isRegex = body["match_pattern"]?.string == "regex"
        isRuntime = body["runtime"] != nil
        mapping = body["mapping"] ?? body["runtime"] ?? [:]
    }

    func matches(name: String, path: String, type: String) -> Bool {
        guard types.isEmpty || types.contains("*") || types.contains(type), !notTypes.contains(type) else {
            return false
        }
        guard paths.isEmpty || paths.contains(where: { Self.matches(path, $0) }),
            !notPaths.contains(where: { Self.matches(path, $0) })
        else { return false }
        guard !isRegex else { return true }
        return (names.isEmpty || names.contains { Self.matches(name, $0) })
            && !notNames.contains { Self.matches(name, $0) }
    }

    /// Whether a pattern of `*` matches.
    static func matches(_ name: String, _ pattern: String) -> Bool {
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard parts.count > 1 else { return name == pattern }
        var rest = Substring(name)
        guard rest.hasPrefix(parts[0]) else { return false }
        rest = rest.dropFirst(parts[0].count)
        for part in parts.dropFirst().dropLast() {
            guard let end = Self.end(of: part, in: rest) else { return false }
            rest = rest[end...]
        }
        return rest.hasSuffix(parts[parts.count - 1])
    }

    private static func end(of part: Substring, in text: Substring) -> String.Index? {
        guard !part.isEmpty else { return text.startIndex }
        var at = text.startIndex
        while at < text.endIndex {
            if text[at...].hasPrefix(part) { return text.index(at, offsetBy: part.count) }
            at = text.index(after: at)
        }
        return nil
    }
}

/// The type that a cluster guesses for a value.
enum GuessedType {
    /// As `match_mapping_type` calls it; nil: nothing is made of the value.
    static func of(_ value: JSONValue, detectsDates: Bool, detectsNumbers: Bool) -> String? {
        switch value {
        case .null: return nil
        case .bool: return "boolean"
        case .number(let text): return Int64(text) != nil ? "long" : "double"
        case .string(let text):
            let isNumber = Double(text) != nil
            if detectsDates, !isNumber, isDate(text) { return "date" }
            if detectsNumbers, isNumber { return Int64(text) != nil ? "long" : "double" }
            return "string"
        case .array(let elements):
            for element in elements {
                if let type = of(element, detectsDates: detectsDates, detectsNumbers: detectsNumbers) { return type }
            }
            return nil
        case .object: return "object"
        }
    }

    /// `2026-11-29`, `2026-11-29T10:00:00Z`, `2026/11/29`, and their like.
    static func isDate(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        func digits(_ range: Range<Int>) -> Bool {
            range.upperBound <= bytes.count && bytes[range].allSatisfy { (48...57).contains($0) }
        }
        guard digits(0..<4), bytes.count >= 7, digits(5..<7) else { return false }
        guard bytes[4] == UInt8(ascii: "-") || bytes[4] == UInt8(ascii: "/") else { return false }
        let isSlash = bytes[4] == UInt8(ascii: "/")
        if bytes.count == 7 { return !isSlash }
        guard bytes[7] == bytes[4], digits(8..<10) else { return false }
        if bytes.count == 10 { return true }
        return isSlash ? bytes[10] == UInt8(ascii: " ") : bytes[10] == UInt8(ascii: "T")
    }
}

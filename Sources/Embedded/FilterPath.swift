import JSONText

/// `filter_path`: selects parts of an answer.
struct FilterPath {
    private var wanted: [[String]] = []
    private var unwanted: [[String]] = []

    /// Nil when there is no filter.
    init?(_ text: String?) {
        guard let text, !text.isEmpty else { return nil }
        for path in text.split(separator: ",") {
            if path.hasPrefix("-") {
                unwanted.append(path.dropFirst().split(separator: ".").map(String.init))
            } else {
                wanted.append(path.split(separator: ".").map(String.init))
            }
        }
    }

    /// Whether the filter keeps the leaf value at this path.
    func gives(_ path: [String]) -> Bool {
        if unwanted.contains(where: { Self.reaches($0[...], path[...]) }) { return false }
        return wanted.isEmpty || wanted.contains { Self.reaches($0[...], path[...]) }
    }

    /// Whether the filter keeps some values below this path and drops others. Then the value must be filtered itself.
    func divides(_ path: [String]) -> Bool {
        (wanted + unwanted).contains { $0.contains("**") || $0.count > path.count }
    }

    func apply(to value: JSONValue) -> JSONValue {
        var value = value
        if !wanted.isEmpty { value = Self.keep(value, wanted.map { $0[...] }) ?? .object(JSONObject()) }
        if !unwanted.isEmpty { value = Self.drop(value, unwanted.map { $0[...] }) ?? .object(JSONObject()) }
        return value
    }

    private static func reaches(_ pattern: ArraySlice<String>, _ path: ArraySlice<String>) -> Bool {
        guard let first = pattern.first else { return true }
        guard let name = path.first else { return false }
        if first == "**" {
            return reaches(pattern.dropFirst(), path) || reaches(pattern, path.dropFirst())
        }
        return Wildcard.matches(first, name) && reaches(pattern.dropFirst(), path.dropFirst())
    }

    /// The remaining patterns below a member of this name; nil: a pattern ends here.
    private static func below(_ patterns: [ArraySlice<String>], _ name: String) -> [ArraySlice<String>]? {
        var next: [ArraySlice<String>] = []
        for pattern in patterns {
            guard let first = pattern.first else { continue }
            if first == "**" {
                let rest = pattern.dropFirst()
                if rest.isEmpty { return nil }
                next.append(pattern)
                if let inner = rest.first, Wildcard.matches(inner, name) {
                    if rest.count == 1 { return nil }
                    next.append(rest.dropFirst())
                }
            } else if Wildcard.matches(first, name) {
                if pattern.count == 1 { return nil }
                next.append(pattern.dropFirst())
            }
        }
        return next
    }

    private static func keep(_ value: JSONValue, _ patterns: [ArraySlice<String>]) -> JSONValue? {
        switch value {
        case .object(let object):
            var kept = JSONObject()
            for (name, member) in object {
                guard let next = below(patterns, name) else {
                    kept[name] = member
                    continue
                }
                if next.isEmpty { continue }
                if let part = keep(member, next) { kept[name] = part }
            }
            return kept.isEmpty ? Optional.none : .object(kept)
        case .array(let elements):
            let kept = elements.compactMap { keep($0, patterns) }
            return kept.isEmpty ? Optional.none : .array(kept)
        default: return nil
        }
    }

    private static func drop(_ value: JSONValue, _ patterns: [ArraySlice<String>]) -> JSONValue? {
        switch value {
        case .object(let object):
            var kept = JSONObject()
            for (name, member) in object {
                guard let next = below(patterns, name) else { continue }
                kept[name] = next.isEmpty ? member : drop(member, next)
            }
            return .object(kept)
        case .array(let elements): return .array(elements.compactMap { drop($0, patterns) })
        default: return value
        }
    }
}

/// Matches names with `*`.
enum Wildcard {
    static func matches(_ pattern: String, _ text: String) -> Bool {
        guard pattern.utf8.contains(UInt8(ascii: "*")) else { return pattern == text }
        return matches(Array(pattern.utf8)[...], Array(text.utf8)[...])
    }

    private static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        var pattern = pattern
        var text = text
        // The position after the last star, and the first byte that the star does not cover so far.
        var star: (pattern: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
        while let byte = text.first {
            if pattern.first == UInt8(ascii: "*") {
                pattern = pattern.dropFirst()
                star = (pattern, text)
            } else if pattern.first == byte {
                pattern = pattern.dropFirst()
                text = text.dropFirst()
            } else if let last = star {
                text = last.text.dropFirst()
                pattern = last.pattern
                star = (pattern, text)
            } else {
                return false
            }
        }
        return pattern.allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

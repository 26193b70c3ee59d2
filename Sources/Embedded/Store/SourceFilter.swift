import JSONText

/// `_source` of a request: whether to return the source, and which parts.
struct SourceFilter {
    var isGiven = true
    private var includes: [String] = []
    private var excludes: [String] = []

    static let whole = SourceFilter()
    static let none: SourceFilter = {
        var filter = SourceFilter()
        filter.isGiven = false
        return filter
    }()

    init() {}

    init(includes: [String], excludes: [String]) {
        self.includes = includes
        self.excludes = excludes
    }

    /// `_source` in a body: a boolean, a pattern, a list, or an object with `includes` and `excludes`.
    init(_ value: JSONValue?) {
        switch value {
        case .bool(let flag): isGiven = flag
        case .string, .array: includes = TypeMapping.texts(value)
        case .object(let object):
            includes = TypeMapping.texts(object["includes"] ?? object["include"])
            excludes = TypeMapping.texts(object["excludes"] ?? object["exclude"])
        default: break
        }
    }

    /// `_source`, `_source_includes` and `_source_excludes` in a URL; nil when it has none of them.
    init?(_ call: NodeCall) {
        let source = call.parameter("_source")
        let includes = call.parameter("_source_includes") ?? call.parameter("_source_include")
        let excludes = call.parameter("_source_excludes") ?? call.parameter("_source_exclude")
        guard source != nil || includes != nil || excludes != nil else { return nil }
        if source == "false" { isGiven = false }
        if let source, source != "true", source != "false" { self.includes = SourceFilter.list(source) }
        if let includes { self.includes = SourceFilter.list(includes) }
        if let excludes { self.excludes = SourceFilter.list(excludes) }
    }

    private static func list(_ text: String) -> [String] { text.split(separator: ",").map(String.init) }

    var isWhole: Bool { includes.isEmpty && excludes.isEmpty }

    func apply(_ tree: JSONValue) -> JSONValue {
        isWhole ? tree : filtered(tree, path: "", isIncluded: includes.isEmpty) ?? .object(JSONObject())
    }

    func apply(_ source: [UInt8]) -> [UInt8] {
        guard !isWhole else { return source }
        let tree = source.withUnsafeBufferPointer { try? JSONValue(parsing: $0) }
        return Array(apply(tree ?? .object(JSONObject())).text().utf8)
    }

    private func filtered(_ value: JSONValue, path: String, isIncluded: Bool) -> JSONValue? {
        switch value {
        case .object(let object):
            var kept = JSONObject()
            for (name, member) in object {
                let here = path.isEmpty ? name : path + "." + name
                if excludes.contains(where: { Wildcard.matches($0, here) }) { continue }
                let named = isIncluded || includes.contains { Wildcard.matches($0, here) }
                if let part = filtered(member, path: here, isIncluded: named) { kept[name] = part }
            }
            return kept.isEmpty && !isIncluded ? Optional.none : .object(kept)
        case .array(let elements):
            let kept = elements.compactMap { filtered($0, path: path, isIncluded: isIncluded) }
            return kept.isEmpty && !isIncluded ? Optional.none : .array(kept)
        default: return isIncluded ? value : Optional.none
        }
    }
}

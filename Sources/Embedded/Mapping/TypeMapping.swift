import JSONText

/// The mapping of one type of an index. A version without types has only one.
final class TypeMapping {
    let name: String
    let root: FieldNode
    /// Everything except `dynamic` and `properties`: `_routing`, `_source`, `dynamic_templates` and so on.
    let extra: JSONObject
    let routingRequired: Bool
    let parentType: String?
    /// False: sources are not stored.
    let keepsSource: Bool
    let sourceIncludes: [String]
    let sourceExcludes: [String]
    let detectsDates: Bool
    let detectsNumbers: Bool
    let dateFormats: [String]
    let templates: [DynamicTemplate]

    init(name: String, definition: JSONObject, persona: ServerPersona) throws(NodeError) {
        self.name = name
        root = try MappingReader(persona: persona, typeName: name).tree(definition)
        var extra = definition
        extra.removeValue(forKey: "dynamic")
        extra.removeValue(forKey: "properties")
        self.extra = extra
        let parent = extra["_parent"]?["type"]?.string
        parentType = parent
        routingRequired = TypeMapping.isYes(extra["_routing"]?["required"]) || parent != nil
        let source = extra["_source"]
        keepsSource = !TypeMapping.isNo(source?["enabled"])
        sourceIncludes = TypeMapping.texts(source?["includes"])
        sourceExcludes = TypeMapping.texts(source?["excludes"])
        detectsDates = !TypeMapping.isNo(extra["date_detection"])
        detectsNumbers = TypeMapping.isYes(extra["numeric_detection"])
        let formats = TypeMapping.texts(extra["dynamic_date_formats"])
        dateFormats = formats.isEmpty ? TypeMapping.standardDates : formats
        templates = (extra["dynamic_templates"]?.array ?? []).compactMap { DynamicTemplate($0) }
    }

    private static let standardDates = ["strict_date_optional_time", "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd"]

    static func isYes(_ value: JSONValue?) -> Bool { value == .bool(true) || value?.string == "true" }
    static func isNo(_ value: JSONValue?) -> Bool {
        value == .bool(false) || value?.string == "false" || value?.string == "no"
    }

    static func texts(_ value: JSONValue?) -> [String] {
        if let one = value?.string { return [one] }
        return (value?.array ?? []).compactMap(\.string)
    }

    /// The mapping in the server's form.
    var definition: JSONObject {
        let own = root.json(isRoot: true)
        var object = JSONObject()
        object["dynamic"] = own["dynamic"]
        for (key, value) in extra { object[key] = value }
        object["properties"] = own["properties"]
        return object
    }
}

/// Finds the mapping of a new field.
struct DynamicTemplate {
    private let match: String?
    private let unmatch: String?
    private let pathMatch: String?
    private let pathUnmatch: String?
    private let matchType: String?
    private let mapping: JSONObject

    init?(_ value: JSONValue) {
        guard let rule = value.object?.first?.value, let mapping = rule["mapping"]?.object else { return nil }
        self.mapping = mapping
        match = rule["match"]?.string
        unmatch = rule["unmatch"]?.string
        pathMatch = rule["path_match"]?.string
        pathUnmatch = rule["path_unmatch"]?.string
        matchType = rule["match_mapping_type"]?.string
    }

    /// The definition for a new field of this kind (`string`, `long` ...) and its type; nil: no template matches.
    func definition(name: String, path: String, kind: String, type: String) -> JSONObject? {
        if let match, !Wildcard.matches(match, name) { return nil }
        if let unmatch, Wildcard.matches(unmatch, name) { return nil }
        if let pathMatch, !Wildcard.matches(pathMatch, path) { return nil }
        if let pathUnmatch, Wildcard.matches(pathUnmatch, path) { return nil }
        if let matchType, matchType != "*", matchType != kind { return nil }
        var definition = JSONObject()
        for (key, value) in mapping { definition[key] = filled(value, name, type) }
        if definition["type"] == nil { definition["type"] = .string(type) }
        return definition
    }

    private func filled(_ value: JSONValue, _ name: String, _ type: String) -> JSONValue {
        guard let text = value.string else { return value }
        if text == "{dynamic_type}" { return .string(type) }
        return text == "{name}" ? .string(name) : value
    }
}

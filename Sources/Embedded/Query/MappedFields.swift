import JSONText

/// The fields of a mapping's `properties`.
package struct MappedFields: FieldTypes, Sendable {
    private var types: [String: FieldType] = [:]
    private var sources: [String: String] = [:]
    package private(set) var paths: [String] = []

    /// `properties` of a mapping. Entries that are not fields are skipped.
    package init(properties: JSONValue, persona: ServerPersona) {
        add(properties, under: "", persona: persona)
    }

    package func type(of path: String) -> FieldType? { types[path] }
    package func sourcePath(of path: String) -> String { sources[path] ?? path }

    private mutating func add(_ properties: JSONValue, under prefix: String, persona: ServerPersona) {
        for (name, field) in properties.object ?? JSONObject() {
            let path = prefix + name
            guard let object = field.object else { continue }
            if let target = field["path"]?.string, field["type"]?.string == "alias" {
                types[path] = types[target] ?? .keyword
                sources[path] = target
                paths.append(path)
                continue
            }
            let type = FieldType(mapping: object, persona: persona)
            types[path] = type
            if type.holdsValues { paths.append(path) }
            if let inner = field["properties"] { add(inner, under: path + ".", persona: persona) }
            for (name, multi) in field["fields"]?.object ?? JSONObject() {
                guard let object = multi.object else { continue }
                types[path + "." + name] = FieldType(mapping: object, persona: persona)
                sources[path + "." + name] = path
                paths.append(path + "." + name)
            }
        }
    }
}

extension FieldType {
    /// How a field is indexed, by its mapping and the version.
    package init(mapping: JSONObject, persona: ServerPersona) {
        let isOff = mapping["index"] == .bool(false) || mapping["index"]?.string == "no"
        if isOff || mapping["enabled"] == .bool(false) {
            self = .notIndexed
            return
        }
        let ignoreAbove = mapping["ignore_above"]?.int.flatMap { Int(exactly: $0) }
        switch mapping["type"]?.string {
        case nil, "object": self = .object
        case "nested": self = .nested
        case "string":
            let isExact = mapping["index"]?.string == "not_analyzed" || mapping["analyzer"]?.string == "keyword"
            self = isExact ? .keyword(ignoreAbove: ignoreAbove, lowercase: false) : .text
        case "text", "match_only_text", "search_as_you_type", "completion": self = .text
        case "long": self = .integer(Int64.min...Int64.max)
        case "integer": self = .integer(Int64(Int32.min)...Int64(Int32.max))
        case "short": self = .integer(Int64(Int16.min)...Int64(Int16.max))
        case "byte": self = .integer(Int64(Int8.min)...Int64(Int8.max))
        case "unsigned_long": self = .integer(0...Int64.max)
        case "double", "scaled_float": self = .double
        case "float", "half_float": self = .float
        case "date", "date_nanos": self = .date(Self.dates(mapping["format"]?.string, persona))
        case "boolean": self = .boolean
        case "ip": self = .ip
        case "binary": self = .notIndexed
        default:
            let normalizer = mapping["normalizer"]?.string
            self = .keyword(ignoreAbove: ignoreAbove, lowercase: normalizer?.contains("lower") ?? false)
        }
    }

    private static func dates(_ format: String?, _ persona: ServerPersona) -> DateFormats {
        let standard = DateFormats.standard(of: persona)
        guard let format, let own = DateFormats(format) else { return standard }
        return persona.since(2) ? own : own.withNumbers
    }
}

extension DateFormats {
    /// The formats of a date field whose mapping names none.
    package static func standard(of persona: ServerPersona) -> DateFormats {
        // 1.x accepts numbers beside any format.
        let isFirst = persona.product == .elasticsearch && persona.version.major < 2
        return DateFormats(
            text: isFirst ? "dateOptionalTime" : "strict_date_optional_time||epoch_millis",
            formats: [.optionalTime, .epochMilliseconds])
    }

    /// 1.x accepts numbers beside any format.
    fileprivate var withNumbers: DateFormats {
        DateFormats(text: text, formats: formats.filter { $0 != .epochMilliseconds } + [.epochMilliseconds])
    }

    private init(text: String, formats: [Format]) {
        self.text = text
        self.formats = formats
    }
}

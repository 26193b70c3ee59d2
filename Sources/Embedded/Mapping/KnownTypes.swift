import JSONText
import SearchCluster

/// The field types that each version knows, and the values that they accept.
enum KnownTypes {
    private static let always: Set<String> = [
        "object", "nested", "long", "integer", "short", "byte", "double", "float", "boolean", "date", "ip", "binary",
        "geo_point", "geo_shape", "completion", "token_count",
    ]

    /// The first Elasticsearch version of each type.
    private static let since: [String: (Int, Int)] = [
        "text": (5, 0), "keyword": (5, 0), "half_float": (5, 0), "scaled_float": (5, 0), "percolator": (5, 0),
        "integer_range": (5, 2), "long_range": (5, 2), "float_range": (5, 2), "double_range": (5, 2),
        "date_range": (5, 2), "ip_range": (5, 5), "join": (5, 6), "alias": (6, 4), "date_nanos": (7, 0),
        "rank_feature": (7, 0), "rank_features": (7, 0), "search_as_you_type": (7, 2), "flattened": (7, 3),
        "histogram": (7, 6), "constant_keyword": (7, 7), "wildcard": (7, 9), "version": (7, 10),
        "unsigned_long": (7, 10), "point": (7, 8), "shape": (7, 4), "dense_vector": (7, 3),
        "match_only_text": (7, 14), "aggregate_metric_double": (7, 11),
    ]
    /// OpenSearch does not have these types of Elasticsearch.
    private static let notInOpenSearch: Set<String> = [
        "flattened", "histogram", "constant_keyword", "wildcard", "version", "unsigned_long", "point", "shape",
        "dense_vector", "match_only_text",
    ]

    static func has(_ type: String, _ persona: ServerPersona) -> Bool {
        if always.contains(type) { return true }
        // 5.x still accepts it instead of text or keyword.
        if type == "string" { return !persona.since(6) }
        if persona.isOpenSearch {
            if type == "knn_vector" { return true }
            if type == "flat_object" { return persona.version >= ServerVersion(2, 7) }
            if notInOpenSearch.contains(type) { return type == "unsigned_long" && persona.version.major >= 2 }
        }
        guard let (major, minor) = since[type] else { return false }
        return persona.since(major, minor)
    }

    static func check(_ type: String, _ parameters: JSONObject, _ persona: ServerPersona) -> LeafCheck {
        let isOff = parameters["index"] == .bool(false) || ["no", "false"].contains(parameters["index"]?.string ?? "")
        switch type {
        case "string":
            let isExact = parameters["index"]?.string == "not_analyzed" || parameters["analyzer"]?.string == "keyword"
            if isOff { return .unindexed }
            return isExact ? .keyword(ignoreAbove: ignoreAbove(parameters)) : .text
        case "text", "match_only_text", "search_as_you_type": return isOff ? .unindexed : .text
        case "keyword", "wildcard", "constant_keyword":
            return isOff ? .unindexed : .keyword(ignoreAbove: ignoreAbove(parameters))
        case "long": return .integer(Int64.min...Int64.max)
        case "integer": return .integer(Int64(Int32.min)...Int64(Int32.max))
        case "short": return .integer(Int64(Int16.min)...Int64(Int16.max))
        case "byte": return .integer(Int64(Int8.min)...Int64(Int8.max))
        case "double", "float", "half_float", "scaled_float", "unsigned_long": return .number
        case "boolean": return .boolean
        case "ip": return .address
        case "date", "date_nanos":
            guard case .date(let formats) = FieldType(mapping: parameters, persona: persona) else { return .unindexed }
            return .date(formats, isStandard: formats.formats.contains(.optionalTime))
        default: return .anything
        }
    }

    private static func ignoreAbove(_ parameters: JSONObject) -> Int? {
        parameters["ignore_above"]?.int.flatMap { Int(exactly: $0) }
    }
}

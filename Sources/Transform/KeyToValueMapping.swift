import JSONText

extension Transformer {
    /// The mapping of a flattened field, for servers that know `keyword` (from Elasticsearch 5 on, and OpenSearch).
    public static func mappingProperties(_ options: KeyToValue) -> JSONValue {
        var keyword: JSONObject = ["type": "keyword"]
        if let limit = options.ignoreAbove { keyword["ignore_above"] = .number(limit) }
        var mapping = JSONObject()
        if options.nested { mapping["type"] = "nested" }
        mapping["properties"] = ["keyToValue": .object(keyword), "value": .object(keyword)]
        return .object(mapping)
    }
}

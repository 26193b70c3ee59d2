import JSONText

/// Finds the fields of a key struct, which is either bare or the payload beside a schema.
struct DebeziumKeys {
    static let payload = 0
    static let schema = 1

    let fields: [String]?
    let extractor: JSONExtractor

    init(_ fields: [String]?) {
        self.fields = fields
        var paths = [JSONPath(names: ["payload"]), JSONPath(names: ["schema"])]
        for field in fields ?? [] {
            paths.append(JSONPath(names: [field]))
            paths.append(JSONPath(names: ["payload", field]))
        }
        extractor = JSONExtractor(paths: paths)
    }

    func slot(_ position: Int, wrapped: Bool) -> Int { 2 + 2 * position + (wrapped ? 1 : 0) }
}

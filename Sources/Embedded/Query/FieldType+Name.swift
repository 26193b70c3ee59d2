import JSONText

extension FieldType {
    /// The type name of a mapping. Numbers are named by their range.
    var name: String {
        switch self {
        case .keyword: "keyword"
        case .text: "text"
        case .integer(let range):
            range.upperBound == Int64(Int32.max)
                ? "integer" : range.upperBound == Int64(Int16.max) ? "short" : range.upperBound == 127 ? "byte" : "long"
        case .double: "double"
        case .float: "float"
        case .date: "date"
        case .boolean: "boolean"
        case .ip: "ip"
        case .object: "object"
        case .nested: "nested"
        case .notIndexed: "binary"
        }
    }
}

extension WildcardPattern {
    init(literal text: String) { pieces = text.map { .character($0) } }
}

import JSONText

extension LeafValue {
    /// Guesses the mapping of a new field from its first value.
    func guess(_ mapping: TypeMapping) -> (kind: String, type: String, definition: JSONObject) {
        if isBoolean { return ("boolean", "boolean", ["type": "boolean"]) }
        if isNumber { return number(String(decoding: Bytes(start: text + start, count: end - start), as: UTF8.self)) }
        let given = value.string ?? ""
        let isNumeric = Double(given) != nil
        if mapping.detectsNumbers, isNumeric { return number(given) }
        if mapping.detectsDates, looksLikeDate(given, isNumeric) {
            for format in mapping.dateFormats where DateFormats(format)?.milliseconds(.string(given)) != nil {
                return ("date", "date", date(format))
            }
        }
        if !persona.since(5) { return ("string", "string", ["type": "string"]) }
        return (
            "string", "text",
            ["type": "text", "fields": ["keyword": ["type": "keyword", "ignore_above": 256]]]
        )
    }

    func number(_ given: String) -> (kind: String, type: String, definition: JSONObject) {
        if Int64(given) != nil { return ("long", "long", ["type": "long"]) }
        let type = persona.since(5) ? "float" : "double"
        return ("double", type, ["type": .string(type)])
    }

    /// Before 5.0 a date must contain two separators. Since 5.0 it must not be a number.
    func looksLikeDate(_ given: String, _ isNumeric: Bool) -> Bool {
        guard !given.isEmpty else { return false }
        if persona.since(5) { return !isNumeric }
        func count(_ byte: UInt8) -> Int { given.utf8.count { $0 == byte } }
        return [UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "/")].contains { count($0) > 1 }
    }

    func date(_ format: String) -> JSONObject {
        var definition: JSONObject = ["type": "date"]
        guard !format.hasPrefix("strict_date_optional_time") else { return definition }
        let withNumbers = persona.since(2) && !format.contains("epoch_millis")
        definition["format"] = .string(withNumbers ? format + "||epoch_millis" : format)
        return definition
    }
}

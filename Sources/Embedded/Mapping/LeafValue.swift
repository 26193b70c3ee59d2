import JSONText

/// A leaf value of a document, as a field reads it.
struct LeafValue {
    let text: UnsafePointer<UInt8>
    let start: Int
    let end: Int
    let persona: ServerPersona

    /// Why a field does not accept a value.
    struct Problem {
        var causes: [NodeError.Cause] = []
        /// The error is about the whole document. The argument is the field's path.
        var whole: ((String) -> String)?

        init(_ type: String, _ reason: String, classicName: String? = nil) {
            causes = [NodeError.Cause(type: type, reason: reason, classicName: classicName)]
        }

        init(whole: @escaping (String) -> String) { self.whole = whole }
    }

    /// Bytes; the longest term that Lucene accepts.
    static let longestTerm = 32_766

    var first: UInt8 { text[start] }
    var isString: Bool { first == UInt8(ascii: "\"") }
    var isNumber: Bool { first == UInt8(ascii: "-") || (first >= 0x30 && first <= 0x39) }
    var isBoolean: Bool { first == UInt8(ascii: "t") || first == UInt8(ascii: "f") }

    var value: JSONValue {
        (try? JSONValue(parsing: Bytes(start: text + start, count: end - start))) ?? .null
    }

    /// The value as the messages of servers show it.
    static func shown(_ value: JSONValue) -> String {
        switch value {
        case .string(let text), .number(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .null: "null"
        case .array(let elements): "[" + elements.map { shown($0) }.joined(separator: ", ") + "]"
        case .object(let object): "{" + object.map { "\($0.key)=\(shown($0.value))" }.joined(separator: ", ") + "}"
        }
    }

    func problem(_ check: LeafCheck) -> Problem? {
        if first == UInt8(ascii: "{") { return objectProblem(check) }
        switch check {
        case .anything, .text, .unindexed: return nil
        case .keyword(let ignoreAbove):
            guard isString, end - start - 2 > LeafValue.longestTerm else { return nil }
            if let ignoreAbove, (value.string ?? "").utf16.count > ignoreAbove { return nil }
            return immense
        case .integer(let range): return integerProblem(range)
        case .number: return numberProblem
        case .boolean: return booleanProblem
        case .date(let formats, let isStandard): return dateProblem(formats, isStandard)
        case .address:
            guard let given = value.string, InternetAddress(given) == nil else { return nil }
            return Problem("illegal_argument_exception", "'\(given)' is not an IP string literal.")
        }
    }

    func objectProblem(_ check: LeafCheck) -> Problem? {
        switch check {
        case .anything: return nil
        case .text, .keyword, .unindexed:
            if persona.since(8) {
                return Problem("illegal_argument_exception", "Expected text at 1:\(start + 1) but found START_OBJECT")
            }
            if persona.since(5) {
                return Problem("illegal_state_exception", "Can't get text on a START_OBJECT at 1:\(start + 1)")
            }
        default:
            if persona.since(8) { return Problem("illegal_argument_exception", "Cannot parse object as number") }
            if persona.since(5) { return notNumeric("START_OBJECT") }
        }
        return Problem("illegal_argument_exception", "unknown property [\(firstName)]")
    }

    var firstName: String { value.object?.first?.key ?? "" }

    func notNumeric(_ token: String) -> Problem {
        Problem("json_parse_exception", "Current token (\(token)) not numeric, can not use numeric value accessors")
    }

    var immense: Problem {
        let length = end - start - 2
        let prefix = (0..<30).map { String(text[start + 1 + $0]) }.joined(separator: ", ")
        return Problem(whole: { path in
            "Document contains at least one immense term in field=\"\(path)\" (whose UTF8 encoding is longer than the "
                + "max length 32766), all of which were skipped.  Please correct the analyzer to not produce such "
                + "terms.  The prefix of the first immense term is: '[\(prefix)]...', original message: bytes can be "
                + "at most 32766 in length; got \(length)"
        })
    }

    func integerProblem(_ range: ClosedRange<Int64>) -> Problem? {
        if isNumber {
            // A number of up to 18 digits always fits into a long.
            if end - start <= 18, range.upperBound == Int64.max, isPlainDigits { return nil }
            return integer(String(decoding: Bytes(start: text + start, count: end - start), as: UTF8.self), range)
        }
        if isBoolean { return notNumeric(first == UInt8(ascii: "t") ? "VALUE_TRUE" : "VALUE_FALSE") }
        guard let given = value.string, !given.isEmpty else { return nil }
        return integer(given, range, quoted: true)
    }

    var isPlainDigits: Bool {
        var at = first == UInt8(ascii: "-") ? start + 1 : start
        while at < end {
            if text[at] &- 0x30 > 9 { return false }
            at += 1
        }
        return true
    }

    func integer(_ given: String, _ range: ClosedRange<Int64>, quoted: Bool = false) -> Problem? {
        let number = Int64(given) ?? Double(given).flatMap { Int64(exactly: $0.rounded(.towardZero)) }
        if let number, range.contains(number) { return nil }
        if number == nil, quoted, Double(given) == nil {
            return Problem(
                persona.since(6) ? "illegal_argument_exception" : "number_format_exception",
                "For input string: \"\(given)\"", classicName: "NumberFormatException")
        }
        let name =
            switch range.upperBound {
            case Int64(Int32.max): "int"
            case Int64(Int16.max): "short"
            case Int64(Int8.max): "byte"
            default: "long"
            }
        let bounds = name == "int" ? "" : " (\(range.lowerBound) - \(range.upperBound))"
        return Problem(
            quoted || name != "long" ? "illegal_argument_exception" : "json_parse_exception",
            name == "long"
                ? "Numeric value (\(given)) out of range of long\(bounds)"
                : "Value [\(given)] is out of range for \(name == "int" ? "an integer" : "a \(name)")",
            classicName: "JsonParseException")
    }

    var numberProblem: Problem? {
        if isNumber { return nil }
        if isBoolean { return notNumeric(first == UInt8(ascii: "t") ? "VALUE_TRUE" : "VALUE_FALSE") }
        guard let given = value.string, !given.isEmpty, Double(given) == nil else { return nil }
        return Problem(
            persona.since(7) ? "illegal_argument_exception" : "number_format_exception",
            "For input string: \"\(given)\"", classicName: "NumberFormatException")
    }

    var booleanProblem: Problem? {
        if isBoolean || persona.capabilities.lenientBooleans { return nil }
        if isNumber {
            let token = isPlainDigits ? "VALUE_NUMBER_INT" : "VALUE_NUMBER_FLOAT"
            return Problem("json_parse_exception", "Current token (\(token)) not of boolean type")
        }
        guard let given = value.string, given != "true", given != "false", !given.isEmpty else { return nil }
        return Problem(
            "illegal_argument_exception", "Failed to parse value [\(given)] as only [true] or [false] are allowed.")
    }

    func dateProblem(_ formats: DateFormats, _ isStandard: Bool) -> Problem? {
        if isStandard, isString, isPlainTime { return nil }
        let value = value
        if formats.milliseconds(value) != nil { return nil }
        let given = LeafValue.shown(value)
        if given.isEmpty, isString, !persona.since(7) { return nil }
        if persona.since(7) {
            var problem = Problem(
                "illegal_argument_exception", "failed to parse date field [\(given)] with format [\(formats.text)]")
            problem.causes.append(
                NodeError.Cause(
                    type: "date_time_parse_exception", reason: "Failed to parse with all enclosed parsers"))
            return problem
        }
        if persona.since(2) { return Problem("illegal_argument_exception", "Invalid format: \"\(given)\"") }
        var problem = Problem(
            "mapper_parsing_exception",
            "failed to parse date field [\(given)], tried both date format [\(formats.text)], and timestamp number "
                + "with "
                + "locale []")
        problem.causes.append(
            NodeError.Cause(
                type: "illegal_argument_exception", reason: "Invalid format: \"\(given)\"",
                classicName: "IllegalArgumentException"))
        return problem
    }

    /// The form of nearly every date: `2026-11-28T20:15:30Z`, with or without milliseconds.
    var isPlainTime: Bool {
        let length = end - start
        guard length == 22 || length == 26 else { return false }
        let shape: StaticString = length == 22 ? "dddd-dd-ddTdd:dd:ddZ" : "dddd-dd-ddTdd:dd:dd.dddZ"
        for place in 0..<length - 2 {
            let wanted = shape.utf8Start[place]
            let byte = text[start + 1 + place]
            if wanted == UInt8(ascii: "d") ? byte &- 0x30 > 9 : byte != wanted { return false }
        }
        func pair(_ place: Int) -> UInt8 {
            (text[start + 1 + place] &- 0x30) &* 10 &+ (text[start + 2 + place] &- 0x30)
        }
        return (1...12).contains(pair(5)) && (1...28).contains(pair(8)) && pair(11) < 24 && pair(14) < 60
            && pair(17) < 60
    }
}

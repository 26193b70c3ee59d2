import JSONText

/// The bounds of a range as the query gives them; null where there is none.
struct RangeParts {
    var lower: JSONValue = .null
    var upper: JSONValue = .null
    var includesLower = true
    var includesUpper = true
    var format: String?
    var zone: Int64 = 0
}

extension QueryReader {
    func range(_ body: JSONObject) throws(QueryError) -> Predicate {
        let (field, value) = try onlyField("range", body)
        guard let given = value.object else {
            throw .parsing(
                major < 2
                    ? "[range] query malformed, after field missing start object"
                    : "[range] query does not support [\(field)]")
        }
        var parts = RangeParts()
        for (key, value) in given {
            // Version 9 accepts only these four names.
            if major >= 9, ["from", "to", "ge", "le", "include_lower", "include_upper"].contains(key) {
                throw .parsing("[range] query does not support [\(key)]")
            }
            switch key {
            case "gt", "gte", "ge", "from":
                parts.lower = value
                if key != "from" { parts.includesLower = key != "gt" }
            case "lt", "lte", "le", "to":
                parts.upper = value
                if key != "to" { parts.includesUpper = key != "lt" }
            case "include_lower": parts.includesLower = value.bool ?? true
            case "include_upper": parts.includesUpper = value.bool ?? true
            case "format": parts.format = value.string
            case "time_zone":
                guard let zone = DateReader.zone(FieldValues.text(of: value)) else {
                    throw .unsupported("time zones other than offsets like [+01:00]")
                }
                parts.zone = zone
            case "boost", "_name", "relation": break
            default: throw .parsing("[range] query does not support [\(key)]")
            }
        }
        if field == SeenDocument.sequenceField, knowsSequences { return try range(field, .long, parts) }
        switch resolve(field) {
        case .meta(let meta): return .meta(meta, .range(strings(parts)))
        case .hidden, .unmapped: return .none
        case .mapped(_, .notIndexed): throw notIndexed(field)
        case .mapped(let path, let type): return try range(path, type, parts)
        }
    }

    private func strings(_ parts: RangeParts) -> Bounds<String> {
        Bounds(
            lower: parts.lower.isNull ? nil : FieldValues.text(of: parts.lower),
            upper: parts.upper.isNull ? nil : FieldValues.text(of: parts.upper),
            includesLower: parts.includesLower, includesUpper: parts.includesUpper)
    }

    func range(_ path: String, _ type: FieldType, _ parts: RangeParts) throws(QueryError) -> Predicate {
        let test: FieldTest
        switch type {
        case .keyword, .text: test = .term(.range(strings(parts)))
        case .integer: test = .integers(try integers(parts))
        case .double, .float: test = .numbers([try numbers(parts, type)])
        case .date: test = .integers(try dates(parts, type))
        case .ip: test = .addresses([try addresses(parts)])
        case .boolean:
            let lower = parts.lower.isNull ? false : try boolean(parts.lower)
            let upper = parts.upper.isNull ? true : try boolean(parts.upper)
            test = .boolean(
                Set(
                    [false, true].filter { flag in
                        let isBelow = !flag && lower || !parts.includesLower && !parts.lower.isNull && flag == lower
                        let isAbove = flag && !upper || !parts.includesUpper && !parts.upper.isNull && flag == upper
                        return !isBelow && !isAbove
                    }))
        case .object, .nested, .notIndexed: return .none
        }
        return .field(path: path, type: type, test: test)
    }

    private func number(_ value: JSONValue) throws(QueryError) -> Double {
        let text = FieldValues.text(of: value)
        guard let number = Double(text), number.isFinite else { throw .number(text) }
        if major < 2, text.contains("."), case .string = value { throw .number(text) }
        return number
    }

    /// The whole numbers between the bounds. A fractional bound moves to the next whole number inside the range.
    private func integers(_ parts: RangeParts) throws(QueryError) -> [ClosedRange<Int64>] {
        var lower = Int64.min
        var upper = Int64.max
        if !parts.lower.isNull {
            guard let bound = try integer(parts.lower, isLower: true, isIncluded: parts.includesLower) else {
                return []
            }
            lower = bound
        }
        if !parts.upper.isNull {
            guard let bound = try integer(parts.upper, isLower: false, isIncluded: parts.includesUpper) else {
                return []
            }
            upper = bound
        }
        return lower <= upper ? [lower...upper] : []
    }

    /// Nil when there is no whole number on that side.
    private func integer(_ value: JSONValue, isLower: Bool, isIncluded: Bool) throws(QueryError) -> Int64? {
        if let whole = Int64(FieldValues.text(of: value)) {
            if isIncluded { return whole }
            let (next, isBeyond) = isLower ? whole.addingReportingOverflow(1) : whole.subtractingReportingOverflow(1)
            return isBeyond ? nil : next
        }
        let number = try number(value)
        if major < 2 { throw .number(FieldValues.text(of: value)) }
        var inside = isLower ? number.rounded(.up) : number.rounded(.down)
        if !isIncluded, inside == number { inside += isLower ? 1 : -1 }
        if let whole = Int64(exactly: inside) { return whole }
        let isOpen = isLower ? inside < 0 : inside > 0
        return isOpen ? (isLower ? Int64.min : Int64.max) : nil
    }

    private func numbers(_ parts: RangeParts, _ type: FieldType) throws(QueryError) -> Bounds<Double> {
        var bounds = Bounds<Double>(includesLower: parts.includesLower, includesUpper: parts.includesUpper)
        func rounded(_ number: Double) -> Double { type == .float ? Double(Float(number)) : number }
        if !parts.lower.isNull { bounds.lower = rounded(try number(parts.lower)) }
        if !parts.upper.isNull { bounds.upper = rounded(try number(parts.upper)) }
        return bounds
    }

    /// `gt` and `lte` of a day mean the day's end.
    private func dates(_ parts: RangeParts, _ type: FieldType) throws(QueryError) -> [ClosedRange<Int64>] {
        var lower = Int64.min
        var upper = Int64.max
        if !parts.lower.isNull {
            let time = try date(
                parts.lower, type, format: parts.format, zone: parts.zone, roundsUp: !parts.includesLower)
            lower = parts.includesLower ? time : time + 1
        }
        if !parts.upper.isNull {
            let time = try date(
                parts.upper, type, format: parts.format, zone: parts.zone, roundsUp: parts.includesUpper)
            upper = parts.includesUpper ? time : time - 1
        }
        return lower <= upper ? [lower...upper] : []
    }

    func date(
        _ value: JSONValue, _ type: FieldType, format: String?, zone: Int64, roundsUp: Bool
    ) throws(QueryError) -> Int64 {
        guard case .date(let own) = type else { throw .number(FieldValues.text(of: value)) }
        let text = FieldValues.text(of: value)
        guard let formats = try format.map(named) ?? own as DateFormats? else { throw .number(text) }
        // 1.x reads any number as milliseconds.
        if major < 2, let number = Int64(text), number.magnitude > 9999, CalendarTime.range.contains(number) {
            return number
        }
        let math = DateMath(formats: formats, now: now, zone: zone)
        if let time = math.milliseconds(text, roundsUp: roundsUp), CalendarTime.range.contains(time) { return time }
        let reason =
            major < 2
            ? "failed to parse date field [\(text)], tried both date format [\(formats.text)], and timestamp number"
            : "failed to parse date field [\(text)] with format [\(formats.text)]"
        throw QueryError(
            stage: .shard, type: "parse_exception", reason: reason,
            cause: .init(type: "illegal_argument_exception", reason: reason))
    }

    private func named(_ format: String) throws(QueryError) -> DateFormats {
        guard let formats = DateFormats(format) else {
            throw .value("illegal_argument_exception", "Invalid format: [\(format)]: Unknown pattern letter")
        }
        return formats
    }

    private func addresses(_ parts: RangeParts) throws(QueryError) -> Bounds<InternetAddress> {
        var bounds = Bounds<InternetAddress>(includesLower: parts.includesLower, includesUpper: parts.includesUpper)
        for (value, isLower) in [(parts.lower, true), (parts.upper, false)] where !value.isNull {
            let text = FieldValues.text(of: value)
            guard let address = InternetAddress(text) else { throw self.address(text) }
            if isLower { bounds.lower = address } else { bounds.upper = address }
        }
        return bounds
    }
}

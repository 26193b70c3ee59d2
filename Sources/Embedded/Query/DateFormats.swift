import JSONText

/// The formats of a date field, tried one after the other: Elasticsearch's names, and patterns of `y M d H m s S`,
/// zones (`Z`, `X`) and quoted text.
package struct DateFormats: Sendable, Equatable {
    enum Format: Sendable, Equatable {
        case epochMilliseconds
        case epochSeconds
        /// ISO 8601; any parts at the end may be missing.
        case optionalTime
        case pattern([Piece])
    }

    enum Piece: Sendable, Equatable {
        case number(Character, digits: Int)
        case zone
        case text(Character)
    }

    /// The formats as the mapping writes them, for error messages.
    package var text: String
    var formats: [Format]

    /// Several formats are separated by `||`. Nil when one of them is unknown.
    package init?(_ text: String) {
        self.text = text
        var formats: [Format] = []
        for name in text.split(separator: "|", omittingEmptySubsequences: true) {
            guard let format = Self.format(String(name)) else { return nil }
            formats.append(format)
        }
        guard !formats.isEmpty else { return nil }
        self.formats = formats
    }

    private static let named: [String: String] = [
        "basic_date": "yyyyMMdd", "basicDate": "yyyyMMdd",
        "basic_date_time": "yyyyMMdd'T'HHmmss.SSSZ", "basic_date_time_no_millis": "yyyyMMdd'T'HHmmssZ",
        "date": "yyyy-MM-dd", "strict_date": "yyyy-MM-dd", "year_month_day": "yyyy-MM-dd",
        "strict_year_month_day": "yyyy-MM-dd", "year_month": "yyyy-MM", "year": "yyyy", "strict_year": "yyyy",
        "date_hour_minute_second": "yyyy-MM-dd'T'HH:mm:ss", "dateHourMinuteSecond": "yyyy-MM-dd'T'HH:mm:ss",
        "date_hour_minute_second_millis": "yyyy-MM-dd'T'HH:mm:ss.SSS",
        "strict_date_hour_minute_second": "yyyy-MM-dd'T'HH:mm:ss",
        "date_time": "yyyy-MM-dd'T'HH:mm:ss.SSSZ", "dateTime": "yyyy-MM-dd'T'HH:mm:ss.SSSZ",
        "strict_date_time": "yyyy-MM-dd'T'HH:mm:ss.SSSZ",
        "date_time_no_millis": "yyyy-MM-dd'T'HH:mm:ssZ", "dateTimeNoMillis": "yyyy-MM-dd'T'HH:mm:ssZ",
        "strict_date_time_no_millis": "yyyy-MM-dd'T'HH:mm:ssZ",
    ]

    private static func format(_ name: String) -> Format? {
        switch name {
        case "epoch_millis": return .epochMilliseconds
        case "epoch_second": return .epochSeconds
        case "strict_date_optional_time", "date_optional_time", "dateOptionalTime", "strict_date_optional_time_nanos",
            "iso8601":
            return .optionalTime
        default:
            if let pattern = named[name] { return format(pattern) }
            return pieces(name).map { .pattern($0) }
        }
    }

    private static func pieces(_ pattern: String) -> [Piece]? {
        var pieces: [Piece] = []
        var rest = Array(pattern)[...]
        if rest.first == "8" { rest.removeFirst() }
        while let letter = rest.first {
            let run = rest.prefix { $0 == letter }
            switch letter {
            case "y", "u", "M", "d", "H", "m", "s", "S":
                pieces.append(.number(letter == "u" ? "y" : letter, digits: run.count))
                rest = rest.dropFirst(run.count)
            case "Z", "X", "x":
                pieces.append(.zone)
                rest = rest.dropFirst(run.count)
            case "'":
                let quoted = rest.dropFirst().prefix { $0 != "'" }
                pieces += quoted.map { .text($0) }
                rest = rest.dropFirst(quoted.count + 2)
            default:
                guard !letter.isLetter else { return nil }
                pieces.append(.text(letter))
                rest.removeFirst()
            }
        }
        return pieces
    }

    /// Milliseconds of a value in a document or a query: a number or a text. `roundsUp`: a missing time means the end
    /// of the day. A missing month or day always means the first.
    package func milliseconds(_ value: JSONValue, roundsUp: Bool = false) -> Int64? {
        switch value {
        case .number(let text), .string(let text): milliseconds(text, roundsUp: roundsUp)
        default: nil
        }
    }

    func milliseconds(_ text: String, roundsUp: Bool) -> Int64? {
        let characters = Array(text)
        for format in formats {
            let found: Int64?
            switch format {
            case .epochMilliseconds: found = Self.epoch(text, scale: 1)
            case .epochSeconds: found = Self.epoch(text, scale: 1000)
            case .optionalTime: found = DateReader(characters).optionalTime(roundsUp: roundsUp)
            case .pattern(let pieces): found = DateReader(characters).read(pieces, roundsUp: roundsUp)
            }
            if let found, CalendarTime.range.contains(found) { return found }
        }
        return nil
    }

    private static func epoch(_ text: String, scale: Int64) -> Int64? {
        if let whole = Int64(text) {
            let (scaled, isTooLarge) = whole.multipliedReportingOverflow(by: scale)
            return isTooLarge ? nil : scaled
        }
        guard text.first.map({ $0.isNumber || $0 == "-" }) == true, let number = Double(text) else { return nil }
        return Int64(exactly: (number * Double(scale)).rounded(.down))
    }
}

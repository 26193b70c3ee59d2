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

/// Reads a date in one format from its characters.
struct DateReader {
    let text: [Character]
    var at = 0

    init(_ text: [Character]) { self.text = text }

    func optionalTime(roundsUp: Bool) -> Int64? {
        var reader = self
        guard let year = reader.digits(4, 0...9999) else { return nil }
        var parts: [Int64] = [year]
        if reader.accept("-") {
            guard let month = reader.digits(2, 1...12) else { return nil }
            parts.append(month)
            if reader.accept("-") {
                guard let day = reader.digits(2, 1...CalendarTime.daysIn(month: month, year: year)) else { return nil }
                parts.append(day)
                if reader.accept("T"), reader.at < text.count {
                    guard let rest = reader.timeOfDay() else { return nil }
                    parts += rest
                    guard let zone = reader.zone(optional: true), reader.at == text.count else { return nil }
                    return Self.time(parts, roundsUp: roundsUp).map { $0 - zone }
                }
            }
        }
        return reader.at == text.count ? Self.time(parts, roundsUp: roundsUp) : nil
    }

    func read(_ pieces: [DateFormats.Piece], roundsUp: Bool) -> Int64? {
        var reader = self
        var found: [Character: Int64] = [:]
        var zone: Int64 = 0
        for (index, piece) in pieces.enumerated() {
            switch piece {
            case .text(let character): guard reader.accept(character) else { return nil }
            case .zone:
                guard let given = reader.zone(optional: false) else { return nil }
                zone = given
            case .number("S", _):
                guard let given = reader.fraction() else { return nil }
                found["S"] = given
            case .number(let letter, let digits):
                var isFollowedByNumber = false
                if index + 1 < pieces.count, case .number = pieces[index + 1] { isFollowedByNumber = true }
                let longest = isFollowedByNumber || digits > 1 ? max(digits, letter == "y" ? 4 : 2) : 9
                guard let given = reader.number(atLeast: isFollowedByNumber ? digits : 1, atMost: longest) else {
                    return nil
                }
                found[letter] = given
            }
        }
        guard reader.at == text.count else { return nil }
        var parts: [Int64] = []
        for letter in ["y", "M", "d", "H", "m", "s", "S"] as [Character] {
            guard let part = found[letter] else { break }
            parts.append(part)
        }
        if parts.isEmpty { parts = [1970] }
        return Self.time(parts, roundsUp: roundsUp).map { $0 - zone }
    }

    /// Year, month, day, hour, minute, second, milliseconds, as far as they are present.
    private static func time(_ parts: [Int64], roundsUp: Bool) -> Int64? {
        func part(_ index: Int, _ first: Int64, _ last: Int64) -> Int64 {
            index < parts.count ? parts[index] : roundsUp ? last : first
        }
        guard let year = parts.first, (0...9999).contains(year) else { return nil }
        let month = part(1, 1, 1)
        guard (1...12).contains(month) else { return nil }
        let last = CalendarTime.daysIn(month: month, year: year)
        let day = part(2, 1, 1)
        let clock = [part(3, 0, 23), part(4, 0, 59), part(5, 0, 59), part(6, 0, 999)]
        guard (1...last).contains(day), (0...23).contains(clock[0]), (0...59).contains(clock[1]),
            (0...59).contains(clock[2])
        else { return nil }
        let time = clock[0] * 3_600_000 + clock[1] * 60_000 + clock[2] * 1000 + clock[3]
        return CalendarTime(year: year, month: month, day: day, time: time).milliseconds
    }

    private mutating func accept(_ character: Character) -> Bool {
        guard at < text.count, text[at] == character else { return false }
        at += 1
        return true
    }

    private mutating func number(atLeast: Int, atMost: Int) -> Int64? {
        let digits = text[at...].prefix(atMost).prefix { $0.isASCII && $0.isNumber }
        guard digits.count >= max(1, atLeast), let value = Int64(String(digits)) else { return nil }
        at += digits.count
        return value
    }

    private mutating func digits(_ count: Int, _ range: ClosedRange<Int64>) -> Int64? {
        guard let value = number(atLeast: count, atMost: count), range.contains(value) else { return nil }
        return value
    }

    private mutating func fraction() -> Int64? {
        let digits = text[at...].prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, digits.count <= 9 else { return nil }
        at += digits.count
        return Int64((String(digits) + "00").prefix(3))
    }

    /// Hour, and minute, second and milliseconds if they are present.
    private mutating func timeOfDay() -> [Int64]? {
        guard let hour = digits(2, 0...23) else { return nil }
        var parts = [hour]
        guard accept(":") else { return parts }
        guard let minute = digits(2, 0...59) else { return nil }
        parts.append(minute)
        guard accept(":") else { return parts }
        guard let second = digits(2, 0...59) else { return nil }
        parts.append(second)
        guard accept(".") || accept(",") else { return parts }
        guard let fraction = fraction() else { return nil }
        return parts + [fraction]
    }

    /// Milliseconds ahead of UTC.
    private mutating func zone(optional: Bool) -> Int64? {
        if optional, at == text.count { return 0 }
        if accept("Z") { return 0 }
        let sign: Int64 = accept("+") ? 1 : -1
        guard sign == 1 || accept("-"), let hours = digits(2, 0...18) else { return nil }
        _ = accept(":")
        guard at < text.count else { return sign * hours * 3_600_000 }
        guard let minutes = digits(2, 0...59) else { return nil }
        return sign * (hours * 3_600_000 + minutes * 60_000)
    }

    /// A `time_zone` such as `+01:00`, `Z` or `UTC`, in milliseconds ahead of UTC.
    static func zone(_ text: String) -> Int64? {
        if text == "UTC" || text == "GMT" { return 0 }
        var reader = DateReader(Array(text))
        guard let zone = reader.zone(optional: false), reader.at == reader.text.count else { return nil }
        return zone
    }
}

/// Date math: `now-1h/d`, `2026-01-01||+1M`, or only a date of the formats.
struct DateMath {
    var formats: DateFormats
    var now: Int64
    /// Milliseconds ahead of UTC, for dates without a zone and for rounding.
    var zone: Int64 = 0

    func milliseconds(_ text: String, roundsUp: Bool) -> Int64? {
        if text.hasPrefix("now") { return compute(now, Array(text.dropFirst(3)), roundsUp: roundsUp) }
        let parts = text.split(separator: "||", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return date(text, roundsUp: roundsUp) }
        return date(String(parts[0]), roundsUp: false).flatMap {
            compute($0, Array(parts[1]), roundsUp: roundsUp)
        }
    }

    private func date(_ text: String, roundsUp: Bool) -> Int64? {
        guard let time = formats.milliseconds(text, roundsUp: roundsUp) else { return nil }
        let namesZone = text.hasSuffix("Z") || text.suffix(6).contains("+") || text.dropFirst(11).contains("-")
        return namesZone || Int64(text).map({ $0 > 9999 }) == true ? time : time - zone
    }

    private func compute(_ start: Int64, _ operations: [Character], roundsUp: Bool) -> Int64? {
        var time = start
        var at = 0
        while at < operations.count {
            let sign = operations[at]
            at += 1
            guard "+-/".contains(sign) else { return nil }
            let digits = operations[at...].prefix { $0.isASCII && $0.isNumber }
            at += digits.count
            guard let count = digits.isEmpty ? 1 : Int64(String(digits)), at < operations.count else { return nil }
            let unit = operations[at]
            at += 1
            let local = CalendarTime(time + zone)
            if sign == "/" {
                guard count == 1, let floor = local.floored(to: unit) else { return nil }
                guard roundsUp else {
                    time = floor.milliseconds - zone
                    continue
                }
                guard let next = floor.adding(1, unit) else { return nil }
                time = next.milliseconds - 1 - zone
            } else {
                guard let moved = local.adding(sign == "-" ? -count : count, unit) else { return nil }
                time = moved.milliseconds - zone
            }
        }
        return time
    }
}

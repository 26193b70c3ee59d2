import Basics
import JSONText

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
                guard let day = reader.digits(2, 1...CivilCalendar.daysIn(month: month, year: year)) else { return nil }
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
        let last = CivilCalendar.daysIn(month: month, year: year)
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

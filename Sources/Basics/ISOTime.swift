/// ISO 8601 times.
package enum ISOTime {
    /// `2026-11-01T00:00:00Z` of milliseconds since 1970.
    package static func text(_ milliseconds: Int64) -> String {
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let (days, time) = CivilCalendar.split(milliseconds: milliseconds)
        let date = CivilCalendar.date(days: days)
        return "\(date.year)-\(two(date.month))-\(two(date.day))T"
            + "\(two(time / 3_600_000)):\(two(time / 60_000 % 60)):\(two(time / 1000 % 60))Z"
    }

    /// Milliseconds since 1970 of `2026-11-01T00:00:00.123+01:00`; the zone is demanded, seconds and fractions are not.
    package static func milliseconds(_ text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        guard let year = number(&rest, digits: 4), eat(&rest, "-"), let month = number(&rest, digits: 2),
            eat(&rest, "-"), let day = number(&rest, digits: 2), eat(&rest, "Tt "),
            let hour = number(&rest, digits: 2), eat(&rest, ":"), let minute = number(&rest, digits: 2)
        else { return nil }
        var second: Int64 = 0
        var fraction: Int64 = 0
        if eat(&rest, ":") {
            guard let seconds = number(&rest, digits: 2) else { return nil }
            second = seconds
            if eat(&rest, ".,") {
                let digits = rest.prefix { (48...57).contains($0) }
                guard !digits.isEmpty else { return nil }
                rest = rest.dropFirst(digits.count)
                for place in 0..<3 {
                    let digit = place < digits.count ? Int64(digits[digits.startIndex + place]) - 48 : 0
                    fraction = fraction * 10 + digit
                }
            }
        }
        guard let offset = zone(&rest), rest.isEmpty, (1...12).contains(month), hour < 24, minute < 60, second < 60
        else { return nil }
        guard day >= 1, day <= CivilCalendar.daysIn(month: month, year: year) else { return nil }
        let days = CivilCalendar.days(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset
        return seconds * 1_000 + fraction
    }

    /// Seconds east of UTC.
    private static func zone(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        if eat(&rest, "Zz") { return 0 }
        let sign: Int64 = rest.first == UInt8(ascii: "-") ? -1 : 1
        guard eat(&rest, "+-"), let hours = number(&rest, digits: 2) else { return nil }
        _ = eat(&rest, ":")
        guard let minutes = number(&rest, digits: 2), hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 3_600 + minutes * 60)
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, digits: Int) -> Int64? {
        let text = rest.prefix(digits)
        guard text.count == digits, text.allSatisfy({ (48...57).contains($0) }) else { return nil }
        rest = rest.dropFirst(digits)
        return text.reduce(0) { $0 * 10 + Int64($1) - 48 }
    }

    private static func eat(_ rest: inout ArraySlice<UInt8>, _ any: String) -> Bool {
        guard let byte = rest.first, any.utf8.contains(byte) else { return false }
        rest = rest.dropFirst()
        return true
    }
}

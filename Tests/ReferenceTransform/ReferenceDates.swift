import JSONText

/// Dates, written for plainness: a text is taken apart by one pattern, and days are counted by years and months.
extension Reference {
    /// Milliseconds since 1970: of a number, of a text that is one, or of an ISO 8601 text. nil: it is no date.
    static func milliseconds(_ value: JSONValue) -> Int64? {
        if case .number(let text) = value { return Int64(text) }
        guard let text = value.string else { return nil }
        let digits = text.unicodeScalars.prefix { ("0"..."9").contains($0) }.count
        return digits == 4 ? date(text) : text.hasPrefix("+") ? nil : Int64(text)
    }

    static func isoText(_ milliseconds: Int64) -> String? {
        var (days, rest) = milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
        if rest < 0 { (days, rest) = (days - 1, rest + 86_400_000) }
        guard abs(days) < 4_000_000 else { return nil }
        var (year, month): (Int64, Int64) = (1970, 1)
        while days < 0 { (year, days) = (year - 1, days + length(year - 1)) }
        while days >= length(year) { (year, days) = (year + 1, days - length(year)) }
        while days >= length(year, month) { (month, days) = (month + 1, days - length(year, month)) }
        guard (0...9999).contains(year) else { return nil }
        func padded(_ number: Int64, _ digits: Int) -> String {
            let text = "\(number)"
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(days + 1, 2))T\(padded(rest / 3_600_000, 2)):"
            + "\(padded(rest / 60_000 % 60, 2)):\(padded(rest / 1000 % 60, 2)).\(padded(rest % 1000, 3))Z"
    }

    private static func date(_ text: String) -> Int64? {
        let time = /(\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)?/
        let parts = text.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "T" || $0 == " " }
        guard let day = parts.first.flatMap({ midnight(String($0)) }) else { return nil }
        guard parts.count == 2 else { return day }
        guard String(parts[0]).count == 10, parts[1].utf8.allSatisfy({ $0 < 0x80 }),
            let found = String(parts[1]).wholeMatch(of: time)?.output
        else { return nil }
        func number(_ text: Substring?) -> Int64 { text.flatMap { Int64($0) } ?? 0 }
        let (hour, minute, second) = (number(found.1), number(found.2), number(found.3))
        guard hour < 24, minute < 60, second < 60, number(found.6) <= 18, number(found.7) < 60 else { return nil }
        let zone = (number(found.6) * 60 + number(found.7)) * 60_000
        let thousandths = number(((found.4 ?? "") + "000").prefix(3))
        let ofDay = ((hour * 60 + minute) * 60 + second) * 1000 + thousandths
        return day + ofDay - (found.5 == "-" ? -zone : zone)
    }

    /// The first millisecond of `yyyy`, `yyyy-MM` or `yyyy-MM-dd`.
    private static func midnight(_ text: String) -> Int64? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard text.utf8.allSatisfy({ $0 == 45 || (48...57).contains($0) }), parts.count <= 3, parts[0].count == 4,
            parts.dropFirst().allSatisfy({ $0.count == 2 })
        else { return nil }
        let numbers = parts.compactMap { Int64($0) } + [1, 1]
        let (year, month, day) = (numbers[0], numbers[1], numbers[2])
        guard (1...12).contains(month), day >= 1, day <= length(year, month) else { return nil }
        var days = day - 1
        for before in 1..<month { days += length(year, before) }
        for between in min(year, 1970)..<max(year, 1970) { days += year < 1970 ? -length(between) : length(between) }
        return days * 86_400_000
    }

    private static func length(_ year: Int64) -> Int64 { length(year, 2) + 337 }

    private static func length(_ year: Int64, _ month: Int64) -> Int64 {
        let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Int(month) - 1]
    }
}

/// Texts that are dates, or nearly.
package enum DateTexts {
    private static let parts: [[String]] = [
        ["2016", "2015", "1900", "2000", "0000", "9999", "1970", "1969", "16", "12345", "-", "+1"],
        ["-", "-", "-", "-", "/", ""], ["01", "02", "03", "06", "12", "12", "13", "00", "2"],
        ["-", "-", "-", "-", " "], ["01", "28", "29", "30", "31", "31", "32", "00", "7"],
        ["T", "T", "T", " ", "t", ""], ["00", "12", "23", "23", "24", "7"], [":", ":", ":", ""],
        ["00", "30", "59", "60", "5"], [":", ":", ":", ""], ["00", "15", "59", "60", "1"],
        [".5", ",123456", ".999", ".0009", "", ".", ":1"],
        ["Z", "+02:00", "-0130", "+18", "-18:59", "+19:00", "+1", "-00:00", "z", "+01:", " Z", "Z0", "+02:60"],
    ]

    package static func any(using random: inout some RandomNumberGenerator) -> String {
        let isWhole = Bool.random(using: &random)
        let count = isWhole ? parts.count : Int.random(in: 1...parts.count, using: &random)
        return parts.prefix(count).map { $0.randomElement(using: &random) ?? "" }.joined()
    }
}

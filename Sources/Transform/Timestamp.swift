import JSONText

/// A point in time in milliseconds since 1970 UTC, by the proleptic Gregorian calendar.
struct Timestamp {
    var milliseconds: Int64

    /// Reads epoch milliseconds (a number; a string of digits that has not four of them) or an ISO 8601 text: `yyyy`,
    /// `yyyy-MM`, `yyyy-MM-dd`, with `T` or a blank and `HH`, `HH:mm`, `HH:mm:ss`, a fraction (cut to milliseconds),
    /// and `Z`, `±hh`, `±hhmm` or `±hh:mm`; without a zone it is UTC.
    init?(parsing text: Bytes, isNumber: Bool) {
        var reader = Reader(text: text)
        if isNumber || !reader.isDate {
            guard let number = reader.integer() else { return nil }
            milliseconds = number
            return
        }
        guard let time = reader.date() else { return nil }
        milliseconds = time
    }

    private static let millisecondsPerDay: Int64 = 86_400_000

    /// 0000-01-01 to 9999-12-31: what ISO 8601 writes with four digits.
    var isFourDigitYear: Bool { milliseconds >= -62_167_219_200_000 && milliseconds <= 253_402_300_799_999 }

    /// Days from 1970-01-01 to a date; `month` and `day` from 1.
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        // Years begin in March, so that the leap day is the last; eras have 400 years.
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func daysIn(month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Appends `yyyy-MM-ddTHH:mm:ss.SSSZ`. The year must have four digits.
    func write(into out: ByteBuffer) {
        var day = milliseconds / Self.millisecondsPerDay
        var rest = milliseconds % Self.millisecondsPerDay
        if rest < 0 {
            rest += Self.millisecondsPerDay
            day -= 1
        }
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        write(yearOfEra + era * 400 + (month <= 2 ? 1 : 0), 4, "-", into: out)
        write(month, 2, "-", into: out)
        write(dayOfYear - (153 * marchMonth + 2) / 5 + 1, 2, "T", into: out)
        write(rest / 3_600_000, 2, ":", into: out)
        write(rest / 60_000 % 60, 2, ":", into: out)
        write(rest / 1000 % 60, 2, ".", into: out)
        write(rest % 1000, 3, "Z", into: out)
    }

    private func write(_ number: Int64, _ digits: Int, _ after: StaticString, into out: ByteBuffer) {
        var divisor: Int64 = digits == 4 ? 1000 : digits == 3 ? 100 : 10
        while divisor > 0 {
            out.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
        out.append(after)
    }

    private struct Reader {
        let text: Bytes
        var at = 0

        init(text: Bytes) { self.text = text }

        /// Four digits and then the end or something that is not a digit.
        var isDate: Bool {
            guard text.count >= 4, (0..<4).allSatisfy({ text[$0] &- 0x30 < 10 }) else { return false }
            return text.count == 4 || text[4] &- 0x30 > 9
        }

        mutating func integer() -> Int64? {
            let negative = accept("-")
            guard at < text.count else { return nil }
            var value: Int64 = 0
            while at < text.count {
                guard text[at] &- 0x30 < 10 else { return nil }
                let (product, overflow) = value.multipliedReportingOverflow(by: 10)
                let (sum, carry) = product.addingReportingOverflow(Int64(text[at] &- 0x30))
                guard !overflow, !carry else { return nil }
                value = sum
                at += 1
            }
            return negative ? -value : value
        }

        private mutating func accept(_ character: Unicode.Scalar) -> Bool {
            guard at < text.count, text[at] == UInt8(truncatingIfNeeded: character.value) else { return false }
            at += 1
            return true
        }

        private mutating func digits(_ count: Int, _ range: ClosedRange<Int64>) -> Int64? {
            guard at + count <= text.count else { return nil }
            var value: Int64 = 0
            for _ in 0..<count {
                guard text[at] &- 0x30 < 10 else { return nil }
                value = value * 10 + Int64(text[at] &- 0x30)
                at += 1
            }
            return range.contains(value) ? value : nil
        }

        mutating func date() -> Int64? {
            guard let year = digits(4, 0...9999) else { return nil }
            var month: Int64 = 1
            var day: Int64 = 1
            var time: Int64 = 0
            if accept("-") {
                guard let given = digits(2, 1...12) else { return nil }
                month = given
                if accept("-") {
                    guard let given = digits(2, 1...Timestamp.daysIn(month: month, year: year)) else { return nil }
                    day = given
                    if accept("T") || accept(" ") {
                        guard let given = timeOfDay(), let zone = zone() else { return nil }
                        time = given - zone
                    }
                }
            }
            guard at == text.count else { return nil }
            return Timestamp.days(year: year, month: month, day: day) * Timestamp.millisecondsPerDay + time
        }

        private mutating func timeOfDay() -> Int64? {
            guard let hour = digits(2, 0...23) else { return nil }
            var time = hour * 3_600_000
            guard accept(":") else { return time }
            guard let minute = digits(2, 0...59) else { return nil }
            time += minute * 60_000
            guard accept(":") else { return time }
            guard let second = digits(2, 0...59) else { return nil }
            time += second * 1000
            guard accept(".") || accept(",") else { return time }
            var unit: Int64 = 100
            let start = at
            while at < text.count, text[at] &- 0x30 < 10 {
                time += Int64(text[at] &- 0x30) * unit
                unit /= 10
                at += 1
            }
            return at > start ? time : nil
        }

        /// Milliseconds ahead of UTC.
        private mutating func zone() -> Int64? {
            if at == text.count || accept("Z") { return 0 }
            let sign: Int64 = accept("+") ? 1 : -1
            guard sign == 1 || accept("-"), let hours = digits(2, 0...18) else { return nil }
            guard at < text.count else { return sign * hours * 3_600_000 }
            _ = accept(":")
            guard let minutes = digits(2, 0...59) else { return nil }
            return sign * (hours * 3_600_000 + minutes * 60_000)
        }
    }
}

import Basics
import JSONText

/// A point in time in milliseconds since 1970 UTC.
struct Timestamp {
    var milliseconds: Int64

    /// Reads milliseconds since 1970 or an ISO 8601 text; nil for anything else.
    ///
    /// Milliseconds are a JSON number, or a string of digits that is not four digits long. An ISO 8601 text is `yyyy`,
    /// `yyyy-MM` or `yyyy-MM-dd`. A time may follow after `T` or a blank: `HH`, `HH:mm`, `HH:mm:ss` or with a fraction,
    /// of which only the milliseconds count. Then a zone may follow: `Z`, `±hh`, `±hhmm` or `±hh:mm`. Without a zone it
    /// is UTC.
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

    /// Whether the year has four digits, as ISO 8601 wants it: from 0000-01-01 to 9999-12-31.
    var isFourDigitYear: Bool { milliseconds >= -62_167_219_200_000 && milliseconds <= 253_402_300_799_999 }

    /// Appends `yyyy-MM-ddTHH:mm:ss.SSSZ`. The year must have four digits.
    func write(into out: ByteBuffer) {
        let (days, time) = CivilCalendar.split(milliseconds: milliseconds)
        let date = CivilCalendar.date(days: days)
        write(date.year, 4, "-", into: out)
        write(date.month, 2, "-", into: out)
        write(date.day, 2, "T", into: out)
        write(time / 3_600_000, 2, ":", into: out)
        write(time / 60_000 % 60, 2, ":", into: out)
        write(time / 1000 % 60, 2, ".", into: out)
        write(time % 1000, 3, "Z", into: out)
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

        /// Whether the text begins with exactly four digits.
        var isDate: Bool {
            guard text.count >= 4, (0..<4).allSatisfy({ text[$0] &- 0x30 < 10 }) else { return false }
            return text.count == 4 || text[4] &- 0x30 > 9
        }

        mutating func integer() -> Int64? {
            let isNegative = accept("-")
            guard at < text.count else { return nil }
            // Negative, as the least number of 64 bits has no positive one.
            var value: Int64 = 0
            while at < text.count {
                guard text[at] &- 0x30 < 10 else { return nil }
                let (product, overflow) = value.multipliedReportingOverflow(by: 10)
                let (difference, carry) = product.subtractingReportingOverflow(Int64(text[at] &- 0x30))
                guard !overflow, !carry else { return nil }
                value = difference
                at += 1
            }
            if isNegative { return value }
            return value == .min ? nil : -value
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
                    guard let given = digits(2, 1...CivilCalendar.daysIn(month: month, year: year)) else { return nil }
                    day = given
                    if accept("T") || accept(" ") {
                        guard let given = timeOfDay(), let zone = zone() else { return nil }
                        time = given - zone
                    }
                }
            }
            guard at == text.count else { return nil }
            return CivilCalendar.days(year: year, month: month, day: day) * CivilCalendar.millisecondsPerDay + time
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

        /// Reads the zone, in milliseconds ahead of UTC.
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

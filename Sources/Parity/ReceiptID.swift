import Basics
import JSONText

/// Names of receipts: the time in UTC, and a few letters by chance: `20261129-132335-3fa9c1`.
package enum ReceiptID {
    /// `time`: milliseconds since 1970.
    package static func make(_ time: Int64, random: UInt64) -> String {
        let (days, rest) = CivilCalendar.split(milliseconds: OutsideNumber.time(time))
        let date = CivilCalendar.date(days: days)
        let seconds = rest / 1000
        let letters = String(random & 0xFF_FFFF | 0x100_0000, radix: 16).dropFirst()
        return digits(date.year, 4) + digits(date.month, 2) + digits(date.day, 2) + "-" + digits(seconds / 3600, 2)
            + digits(seconds / 60 % 60, 2) + digits(seconds % 60, 2) + "-" + letters
    }

    private static func digits(_ number: Int64, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
}

import Basics

/// Milliseconds since 1970 UTC in the proleptic Gregorian calendar.
struct CalendarTime {
    /// The dates that a server accepts. The range is far from overflow, so sums are safe.
    static let range: ClosedRange<Int64> = -62_167_219_200_000...9_000_000_000_000_000

    var year: Int64
    var month: Int64
    var day: Int64
    /// Milliseconds since midnight.
    var time: Int64

    init(year: Int64, month: Int64 = 1, day: Int64 = 1, time: Int64 = 0) {
        self.year = year
        self.month = month
        self.day = day
        self.time = time
    }

    init(_ milliseconds: Int64) {
        let (days, time) = CivilCalendar.split(milliseconds: milliseconds)
        (year, month, day) = CivilCalendar.date(days: days)
        self.time = time
    }

    var milliseconds: Int64 {
        CivilCalendar.days(year: year, month: month, day: day) * CivilCalendar.millisecondsPerDay + time
    }

    /// 1 is Monday.
    var weekday: Int64 {
        let days = CalendarTime(year: year, month: month, day: day).milliseconds / CivilCalendar.millisecondsPerDay
        return (((days + 3) % 7) + 7) % 7 + 1
    }

    /// Adds months. The day is cut to the last day of the resulting month.
    func adding(months: Int64) -> CalendarTime {
        let total = year * 12 + (month - 1) + months
        let newYear = total >= 0 ? total / 12 : (total - 11) / 12
        let newMonth = total - newYear * 12 + 1
        return CalendarTime(
            year: newYear, month: newMonth, day: min(day, CivilCalendar.daysIn(month: newMonth, year: newYear)),
            time: time)
    }

    /// The start of the unit around this time. The units are `y`, `M`, `w`, `d`, `h`, `m`, `s`; nil for another
    /// letter.
    func floored(to unit: Character) -> CalendarTime? {
        switch unit {
        case "y": return CalendarTime(year: year)
        case "M": return CalendarTime(year: year, month: month)
        case "w":
            let midnight = CalendarTime(year: year, month: month, day: day).milliseconds
            return CalendarTime(midnight - (weekday - 1) * CivilCalendar.millisecondsPerDay)
        case "d": return CalendarTime(year: year, month: month, day: day)
        case "h", "H": return with(time: time - time % 3_600_000)
        case "m": return with(time: time - time % 60_000)
        case "s": return with(time: time - time % 1000)
        default: return nil
        }
    }

    /// Adds `count` units; nil for an unknown unit or a result outside the calendar's range.
    func adding(_ count: Int64, _ unit: Character) -> CalendarTime? {
        guard count.magnitude <= 100_000_000_000 else { return nil }
        let later: CalendarTime
        switch unit {
        case "y":
            guard count.magnitude <= 200_000 else { return nil }
            later = adding(months: count * 12)
        case "M":
            guard count.magnitude <= 2_400_000 else { return nil }
            later = adding(months: count)
        case "w", "d", "h", "H", "m", "s":
            let lengths: [Character: Int64] = ["w": 604_800, "d": 86_400, "h": 3600, "H": 3600, "m": 60, "s": 1]
            let (length, isTooLong) = count.multipliedReportingOverflow(by: (lengths[unit] ?? 1) * 1000)
            let (sum, isTooFar) = milliseconds.addingReportingOverflow(length)
            guard !isTooLong, !isTooFar, Self.range.contains(sum) else { return nil }
            later = CalendarTime(sum)
        default: return nil
        }
        return Self.range.contains(later.milliseconds) ? later : nil
    }

    private func with(time: Int64) -> CalendarTime {
        CalendarTime(year: year, month: month, day: day, time: time)
    }
}

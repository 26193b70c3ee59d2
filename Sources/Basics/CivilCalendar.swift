/// The proleptic Gregorian calendar: days since 1970-01-01 to dates and back. Years, months and days are those of
/// people: months and days count from 1. No time zones, no leap seconds. Source: Howard Hinnant,
/// http://howardhinnant.github.io/date_algorithms.html
///
/// Inlinable, because the transform step `to_date` uses it per document.
@usableFromInline package enum CivilCalendar {
    @inlinable package static var millisecondsPerDay: Int64 { 86_400_000 }

    /// The days from 1970-01-01 to a date. The year must be within some billions of 1970.
    @inlinable package static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        // Here a year begins in March, so that the leap day is its last day. An era has 400 years.
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The date that is so many days after 1970-01-01.
    @inlinable package static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    /// The number of days of a month.
    @inlinable package static func daysIn(month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Splits milliseconds since 1970 into days and the milliseconds since that day's midnight.
    @inlinable package static func split(milliseconds: Int64) -> (days: Int64, time: Int64) {
        let days = milliseconds / millisecondsPerDay
        let time = milliseconds % millisecondsPerDay
        return time < 0 ? (days - 1, time + millisecondsPerDay) : (days, time)
    }
}

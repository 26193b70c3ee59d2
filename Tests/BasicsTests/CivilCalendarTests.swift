import Testing

@testable import Basics

@Suite struct CivilCalendarTests {
    @Test func knownDays() {
        #expect(CivilCalendar.days(year: 1970, month: 1, day: 1) == 0)
        #expect(CivilCalendar.days(year: 2000, month: 2, day: 29) == 11_016)
        #expect(CivilCalendar.days(year: 0, month: 1, day: 1) == -719_528)
        #expect(CivilCalendar.days(year: 9999, month: 12, day: 31) == 2_932_896)
        #expect(CivilCalendar.date(days: -1) == (1969, 12, 31))
        #expect(CivilCalendar.split(milliseconds: -1) == (-1, 86_399_999))
        #expect(CivilCalendar.split(milliseconds: 86_400_000) == (1, 0))
    }

    /// From day to day, over more than an era of 400 years on both sides of year 0: every date follows the one before
    /// it.
    @Test func everyDayFollowsTheOneBefore() {
        var (year, month, day) = CivilCalendar.date(days: -900_000)
        for days in Int64(-899_999)...Int64(60_000) {
            day += 1
            if day > CivilCalendar.daysIn(month: month, year: year) { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
            guard CivilCalendar.date(days: days) == (year, month, day),
                CivilCalendar.days(year: year, month: month, day: day) == days
            else {
                Issue.record("day \(days) should be \(year)-\(month)-\(day)")
                return
            }
        }
        #expect(year == 2134)
    }

    @Test func leapYears() {
        let leap = [Int64(2000), 2024, 1600, 0, -4].map { CivilCalendar.daysIn(month: 2, year: $0) }
        #expect(leap.allSatisfy { $0 == 29 })
        let common = [Int64(1900), 2023, 2100, -1].map { CivilCalendar.daysIn(month: 2, year: $0) }
        #expect(common.allSatisfy { $0 == 28 })
        #expect((1...12).map { CivilCalendar.daysIn(month: $0, year: 2023) }.reduce(0, +) == 365)
    }
}

import Seeds
import Testing

@testable import Runtime

@Suite struct RateScheduleTests {
    @Test func withoutALimitNothingWaits() {
        var schedule = RateSchedule(documentsPerSecond: nil, bytesPerSecond: nil, now: 0)
        #expect(schedule.start(documents: 1_000_000, bytes: 1 << 40, now: 0) == nil)
        #expect(schedule.start(documents: 1, bytes: 1, now: 0) == nil)
    }

    @Test func theSlowerLimitCounts() {
        var schedule = RateSchedule(documentsPerSecond: 100, bytesPerSecond: 1000, now: 0)
        #expect(schedule.start(documents: 10, bytes: 10, now: 0) == nil)
        #expect(schedule.start(documents: 1, bytes: 500, now: 0) == 100)
        #expect(schedule.start(documents: 0, bytes: 1, now: 0) == 600)
    }

    @Test func idleTimeAllowsNoBurst() {
        var schedule = RateSchedule(documentsPerSecond: 10, bytesPerSecond: nil, now: 0)
        #expect(schedule.start(documents: 1, bytes: 0, now: 60_000) == nil)
        #expect(schedule.start(documents: 1, bytes: 0, now: 60_000) == 60_050)
    }

    /// Fault: the time of a page was cut to whole milliseconds: small pages used up none and passed any limit.
    @Test func smallPiecesCountInFull() {
        var schedule = RateSchedule(documentsPerSecond: 5000, bytesPerSecond: nil, now: 0)
        var now: Int64 = 0
        for _ in 0..<10_000 { now = schedule.start(documents: 1, bytes: 0, now: now) ?? now }
        #expect((1940...2000).contains(now))
    }

    /// Whatever the sizes and the times, no more gets through than the rate allows, and the slack.
    @Test func keepsTheRate() {
        var random = Seeded(newSeed("rate schedule"))
        for _ in 0..<100 {
            let perSecond = 1 + random.below(2000)
            var schedule = RateSchedule(documentsPerSecond: perSecond, bytesPerSecond: nil, now: 0)
            var now: Int64 = 0
            var passed = 0
            for _ in 0..<100 {
                now += Int64(random.below(50))
                let documents = 1 + random.below(500)
                now = schedule.start(documents: documents, bytes: 0, now: now) ?? now
                let allowed = (Double(now) + RateSchedule.slack) * Double(perSecond) / 1000
                #expect(Double(passed) <= allowed + 0.001)
                passed += documents
            }
        }
    }
}

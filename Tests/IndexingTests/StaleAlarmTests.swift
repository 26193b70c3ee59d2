import Seeds
import Testing

@testable import Indexing

@Suite struct StaleAlarmTests {
    @Test func isSilentBelowItsWindowAndItsPart() {
        var alarm = StaleAlarm(window: 100, percent: 20)
        let early = alarm.tell(outcomes: 99, stale: 99)
        #expect(!early && !alarm.isRaised)
        var fair = StaleAlarm(window: 100, percent: 20)
        var raised = 0
        for _ in 0..<1000 where fair.tell(outcomes: 10, stale: 2) { raised += 1 }
        #expect(raised == 0 && !fair.isRaised && fair.worst == nil)
    }

    @Test func saysOnceThatItRisesAndFallsAgain() {
        var alarm = StaleAlarm(window: 100, percent: 20)
        var raised = 0
        for _ in 0..<20 where alarm.tell(outcomes: 10, stale: 5) { raised += 1 }
        #expect(raised == 1 && alarm.isRaised)
        for _ in 0..<20 { _ = alarm.tell(outcomes: 10, stale: 0) }
        #expect(!alarm.isRaised)
        #expect(alarm.worst.map { $0.stale * 2 == $0.outcomes } == true)
    }

    @Test func nonsenseIsNotCounted() {
        var alarm = StaleAlarm(window: 1, percent: 0)
        for (outcomes, stale) in [(0, 0), (1, 2), (1, -1), (-1, -1)] {
            let raised = alarm.tell(outcomes: outcomes, stale: stale)
            #expect(!raised)
        }
        #expect(alarm.told == 0)
    }

    /// Raised exactly when the last outcomes, at least a window of them, hold more stale ones than they may.
    @Test func agreesWithAWindowThatIsCounted() {
        let seed = newSeed("agreesWithAWindowThatIsCounted")
        var random = Seeded(seed)
        for _ in 0..<100 {
            let window = Int.random(in: 20...200, using: &random)
            let percent = Int.random(in: 0...100, using: &random)
            var alarm = StaleAlarm(window: window, percent: percent)
            var single: [Bool] = []
            for _ in 0..<60 {
                let count = Int.random(in: 1...20, using: &random)
                let stale = Int.random(in: 0...count, using: &random)
                _ = alarm.tell(outcomes: count, stale: stale)
                // Where within a told part the stale ones lie is not known: whole parts are judged.
                single += Array(repeating: true, count: stale) + Array(repeating: false, count: count - stale)
                if single.count < window { #expect(!alarm.isRaised, "seed \(seed)") }
                if percent == 100 { #expect(!alarm.isRaised, "seed \(seed)") }
            }
            #expect(alarm.told == single.count, "seed \(seed)")
            for _ in 0..<(2 * window) { _ = alarm.tell(outcomes: 1, stale: 1) }
            #expect(alarm.isRaised == (percent < 100), "seed \(seed)")
            for _ in 0..<(2 * window) { _ = alarm.tell(outcomes: 1, stale: 0) }
            #expect(!alarm.isRaised, "seed \(seed)")
        }
    }
}

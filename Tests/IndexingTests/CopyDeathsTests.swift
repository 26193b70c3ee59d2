import Indexing
import Seeds
import Testing

@Suite struct CopyDeathsTests {
    typealias Tally = CopyDeaths.Tally

    private func deaths(
        _ slices: [Int] = [0], page: Int = 100, share: Int = 5000, count: Int = 10, earlier: [Tally] = []
    ) -> CopyDeaths {
        CopyDeaths(
            limit: CopyDeaths.Limit(share: share, count: count), page: page, indexOfSlice: slices, earlier: earlier)
    }

    @Test func stopsAfterTheFirstPageThatMostlyDies() {
        var copy = deaths()
        #expect(copy.look([Tally(documents: 99, dead: 99)]) == nil, "the page is not settled yet")
        let found = copy.look([Tally(documents: 100, dead: 50)])
        #expect(found == CopyDeaths.Finding(index: 0, tally: Tally(documents: 100, dead: 50)))
    }

    @Test func goodPagesBeforeDoNotHideABadOne() {
        var copy = deaths()
        #expect(copy.look([Tally(documents: 10_000, dead: 0)]) == nil)
        #expect(copy.look([Tally(documents: 10_099, dead: 99)]) == nil)
        #expect(copy.look([Tally(documents: 10_100, dead: 100)])?.tally == Tally(documents: 100, dead: 100))
    }

    @Test func eachIndexIsJudgedByItself() {
        var copy = deaths([0, 0, 1])
        let tallies = [Tally(documents: 500), Tally(documents: 500), Tally(documents: 100, dead: 100)]
        #expect(copy.look(tallies)?.index == 1)
        var slices = deaths([0, 0, 0])
        #expect(slices.look(Array(repeating: Tally(documents: 40, dead: 40), count: 3))?.tally.dead == 120)
    }

    @Test func fewDeadLettersStopNothingUnlessTheyAreAll() {
        var copy = deaths()
        #expect(copy.look([Tally(documents: 12, dead: 9)]) == nil && copy.atEnd() == nil)
        #expect(copy.look([Tally(documents: 9, dead: 9)]) == nil && copy.atEnd()?.tally.dead == 9)
        var large = deaths(page: 1000)
        #expect(large.look([Tally(documents: 12, dead: 10)]) == nil && large.atEnd()?.tally.dead == 10)
        #expect(deaths().atEnd() == nil, "an empty copy")
    }

    @Test func theEndCountsWhatEarlierRunsHaveSettled() {
        var copy = deaths([0, 0], earlier: [Tally(documents: 1000, dead: 1), Tally()])
        #expect(copy.look([Tally(), Tally(documents: 20, dead: 20)]) == nil && copy.atEnd() == nil)
    }

    /// Named after the fault: 240 of 600 documents died, and these had their outcome first, so that the copy stopped.
    @Test func deadLettersThatAreSettledFirstAreNotTheWholePage() throws {
        var book = OutcomeBook()
        book.own(0)
        let runs = (0..<6).compactMap { page in
            book.open(0, first: Int64(page) * 100, next: Int64(page + 1) * 100, count: 100)
        }
        #expect(runs.count == 6)
        func tally() throws -> Tally { Tally(try #require(book.ownership(of: 0))) }
        for run in runs { _ = book.settle(run, .deadLettered, 40) }
        var copy = deaths()
        #expect(try copy.look([tally()]) == nil && tally() == Tally())
        for run in runs.reversed() { _ = book.settle(run, .indexed, 60) }
        #expect(try tally() == Tally(documents: 600, dead: 240))
        #expect(try copy.look([tally()]) == nil && copy.atEnd() == nil)
    }

    /// However it is looked: a page of only dead letters is found, and one in which too few die is not.
    @Test func atWhateverTimesItIsLooked() {
        var random = Seeded(newSeed("times of looking at a copy"))
        for _ in 0..<300 {
            let page = 1 + random.below(50)
            let count = 1 + random.below(20)
            var copy = deaths(page: page, share: 5000, count: count)
            var dying = copy
            var (settled, few) = (0, 0)
            var found = 0
            for _ in 0..<40 {
                let step = random.below(2 * page)
                settled += step
                few += step / 3
                #expect(copy.look([Tally(documents: settled, dead: few)]) == nil || step < 3)
                if dying.look([Tally(documents: settled, dead: settled)]) != nil { found += 1 }
            }
            #expect(found > 0 || settled < max(page, count))
            #expect(dying.atEnd() != nil || settled == 0)
        }
    }

    @Test func valuesThatMakeNoSenseDoNotTrap() {
        var copy = deaths([], earlier: [Tally(documents: 1, dead: 1)])
        #expect(copy.look([Tally(documents: 5, dead: 5)]) == nil && copy.atEnd() == nil)
        #expect(CopyDeaths.Limit(share: -1, count: 0) == CopyDeaths.Limit(share: 1, count: 1))
    }
}

@Suite struct DeathAlarmTests {
    @Test func isRaisedWhileMostRecordsDie() {
        var alarm = DeathAlarm(count: 4, percent: 50)
        for outcomes in [10, 100, 1000] { alarm.died(outcomes: outcomes) }
        #expect(!alarm.isRaised(outcomes: 1000) && alarm.worst == nil)
        for outcomes in [1001, 1003, 1005] { alarm.died(outcomes: outcomes) }
        #expect(alarm.isRaised(outcomes: 1005) && alarm.worst == 6)
        #expect(alarm.isRaised(outcomes: 1007) && !alarm.isRaised(outcomes: 1008))
        alarm.died(outcomes: 2000)
        #expect(!alarm.isRaised(outcomes: 2000) && alarm.worst == 6, "the worst is kept")
    }

    @Test func aFewDeadLettersRaiseNothing() {
        var alarm = DeathAlarm()
        for outcome in 1...99 { alarm.died(outcomes: outcome) }
        #expect(!alarm.isRaised(outcomes: 99))
        alarm.died(outcomes: 100)
        #expect(alarm.isRaised(outcomes: 100) && alarm.worst == 100)
    }
}

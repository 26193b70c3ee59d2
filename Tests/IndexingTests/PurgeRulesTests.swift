import Indexing
import Testing

@Suite struct PurgeRulesTests {
    @Test func nothingIsPurgedWhileSomethingOlderMayBeWritten() {
        func refusal(_ copy: PurgeConditions.Work, _ replay: PurgeConditions.Work, due: Bool = false) -> PurgeRefusal? {
            PurgeConditions(copy: copy, replay: replay, replayDue: due).refusal
        }
        #expect(refusal(.unfinished, .none) == .copyUnfinished)
        #expect(refusal(.none, .unfinished) == .replayUnfinished)
        #expect(refusal(.finished(1), .finished(2), due: true) == .replayDue)
        #expect(refusal(.finished(1), .finished(2)) == nil)
        #expect(refusal(.none, .none) == nil)
    }

    @Test func waitsAsLongAfterTheLastEndAsATombstoneMustBeOld() {
        let both = PurgeConditions(copy: .finished(100), replay: .finished(300), replayDue: false)
        #expect(both.lastEnd == 300)
        #expect(!both.isQuiet(before: 299) && !both.isQuiet(before: 300) && both.isQuiet(before: 301))
        #expect(PurgeConditions(copy: .finished(300), replay: .none, replayDue: false).lastEnd == 300)
        #expect(PurgeConditions(copy: .none, replay: .none, replayDue: false).isQuiet(before: .min))
        let repaired = PurgeConditions(copy: .finished(100), replay: .none, repair: .finished(400), replayDue: false)
        #expect(repaired.refusal == nil)
        #expect(repaired.lastEnd == 400)
        #expect(!repaired.isQuiet(before: 400))
        #expect(
            PurgeConditions(copy: .finished(100), replay: .none, repair: .unfinished, replayDue: false).refusal
                == .repairUnfinished)
    }

    @Test func aDeadLetterHoldsItsTombstoneUntilARedriveCannotBeLateAnyMore() {
        func hold(_ resolved: Int64?) -> TombstoneHold? {
            TombstoneHold(resolvedAt: resolved, now: 1000, tombstoneAge: 100)
        }
        #expect(hold(nil) == .unresolved)
        #expect(hold(950) == .redriven(until: 1050))
        #expect(hold(900) == .redriven(until: 1000))
        #expect(hold(899) == nil)
        #expect(hold(.max) == .redriven(until: .max), "a time from outside must not trap")
        #expect(hold(.min) == nil)
    }

    @Test func theLongerHoldCounts() {
        let early = TombstoneHold.redriven(until: 1)
        let late = TombstoneHold.redriven(until: 2)
        #expect(early.or(late) == late && late.or(early) == late)
        #expect(early.or(.unresolved) == .unresolved && TombstoneHold.unresolved.or(late) == .unresolved)
        #expect(early.or(nil) == early)
    }

    @Test func aPurgeLeavesSomethingToRestore() {
        var record = PurgeRecord()
        #expect(!record.mustRestore && !record.mayArrive(now: 0, longest: 10))
        let claim = record.begin(now: 100, longest: 10)
        #expect(record.mustRestore)
        #expect(record.mayArrive(now: 109, longest: 10) && !record.mayArrive(now: 110, longest: 10))
        record.answered(claim)
        #expect(record.mustRestore && !record.mayArrive(now: 100, longest: 10))
        #expect(!record.sourceIsBase(copyUnfinished: true), "the source may hold what was deleted")
        record.restored()
        #expect(!record.mustRestore)
        #expect(record.sourceIsBase(copyUnfinished: true) && !record.sourceIsBase(copyUnfinished: false))
    }

    /// Two members purge at once. The answer to one of them must not hide that the other's request is still under way.
    @Test func onePurgeDoesNotHideAnother() {
        for firstAnswered in [true, false] {
            var record = PurgeRecord()
            let (one, other) = (record.begin(now: 100, longest: 10), record.begin(now: 100, longest: 10))
            record.answered(firstAnswered ? one : other)
            #expect(record.mayArrive(now: 109, longest: 10))
            record.answered(firstAnswered ? other : one)
            #expect(!record.mayArrive(now: 111, longest: 10), "it passes by itself")
            let alone = record.begin(now: 200, longest: 10)
            record.answered(alone)
            #expect(!record.mayArrive(now: 200, longest: 10))
        }
    }
}

import Indexing
import Testing

@Suite struct LogRailsTests {
    private let log = LogExtent(low: 10, high: 20)

    @Test func aStartThatIsGoneIsRefused() {
        #expect(LogRails.start(9, log: log) == .startLost(wanted: 9, log: log))
        #expect(LogRails.start(10, log: log) == nil)
    }

    @Test func aLogThatEndsBeforeWhatIsWantedOrAppliedIsRefused() {
        #expect(LogRails.end(21, applied: 0, log: log) == .startBeyondEnd(wanted: 21, log: log))
        #expect(LogRails.end(20, applied: 21, log: log) == .wentBackwards(applied: 21, log: log))
        #expect(LogRails.end(20, applied: 20, log: log) == nil)
    }

    @Test func aReplayBeginsNoLaterThanWhatTheOldIndexHolds() {
        #expect(LogRails.reach(11, recorded: 10) == .reachesTooLate(start: 11, recorded: 10))
        #expect(LogRails.reach(10, recorded: 10) == nil)
        #expect(LogRails.reach(10, recorded: nil) == nil)
    }

    @Test func aReplayLeavesNothingOutThatTheGroupHasStillToApply() {
        let refusal = LogRefusal.skipsUnapplied(start: 12, committed: 11)
        #expect(LogRails.join(12, committed: 11, isTargetNew: false) == refusal)
        #expect(LogRails.join(12, committed: 11, isTargetNew: true) == nil)
        #expect(LogRails.join(11, committed: 11, isTargetNew: false) == nil)
        #expect(LogRails.join(12, committed: nil, isTargetNew: false) == nil)
    }

    @Test func aLogThatChangesWhileItIsReadIsRefused() {
        #expect(LogRails.reading(next: 21, frozenEnd: nil, log: log) == .wentBackwards(applied: 21, log: log))
        #expect(LogRails.reading(next: 15, frozenEnd: 25, log: log) == .wentBackwards(applied: 25, log: log))
        #expect(LogRails.reading(next: 9, frozenEnd: nil, log: log) == .startLost(wanted: 9, log: log))
        #expect(LogRails.reading(next: 20, frozenEnd: 20, log: log) == nil)
    }

    @Test func followGoesOnWhereTheGroupStands() {
        #expect(FollowOffset.choose(committed: 5, replayedTo: 9, recipeStart: 1) == 5)
        #expect(FollowOffset.choose(committed: nil, replayedTo: 9, recipeStart: 1) == 9)
        #expect(FollowOffset.choose(committed: nil, replayedTo: nil, recipeStart: 1) == 1)
        #expect(FollowOffset.choose(committed: nil, replayedTo: nil, recipeStart: nil) == 0)
        #expect(FollowOffset.refusal(21, log: log) == .wentBackwards(applied: 21, log: log))
        #expect(FollowOffset.refusal(9, log: log) == .startLost(wanted: 9, log: log))
        #expect(FollowOffset.refusal(20, log: log) == nil)
    }
}

@Suite struct ReplayProgressTests {
    private let replay = ReplayProgress(started: 7, start: [0: 3, 1: 0], ends: [0: 10, 1: 4, 2: 0])

    @Test func anotherReplayChangesNothing() {
        var replay = replay
        let (kept, finished) = (replay.keep([0: 5], of: 6), replay.finish(6, now: 100))
        #expect(!kept && !finished)
        #expect(replay == self.replay)
        #expect(replay.endsWork(at: 6) && !replay.endsWork(at: 7))
    }

    @Test func endsOnceItIsFinished() {
        var replay = replay
        #expect(replay.position == [0: 3, 1: 0])
        let (kept, finished) = (replay.keep([0: 12], of: 7), replay.finish(7, now: 100))
        #expect(kept && finished)
        #expect(replay.position == [0: 12, 1: 4, 2: 0] && replay.finished == 100)
        #expect(replay.endsWork(at: 7))
    }

    @Test func theGroupIsTakenForwardsOnly() {
        #expect(replay.handOver(committed: [0: 11, 1: 2]) == [1: 4, 2: 0])
    }
}

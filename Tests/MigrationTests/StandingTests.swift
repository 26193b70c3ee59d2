import Parity
@testable import State
import Testing
@testable import Migration

@Suite struct StandingTests {
    /// Everything done, and somebody follows.
    static var good: Standing {
        var standing = Standing()
        (standing.phase, standing.copy, standing.replay) = (.following, .done, .done)
        (standing.lag, standing.deadLetters, standing.running) = (0, [:], ["follow"])
        standing.verified = .fresh
        return standing
    }

    private func without(_ change: (inout Standing) -> Void) -> Standing {
        var standing = Self.good
        change(&standing)
        return standing
    }

    @Test func nothingIsInTheWay() {
        #expect(Self.good.isReadyToSwitch)
        #expect(Self.good.attention == [])
        #expect(Self.good.next(recipe: "r.yaml", fingerprint: "f") == ["crossfade rollover r.yaml"])
        #expect(without { ($0.verified, $0.hasCutOver) = (.never, true) }.isReadyToSwitch)
        #expect(without { $0.hasCutOver = true }.next(recipe: "r.yaml", fingerprint: "f") == [])
        #expect(without { $0.running = ["follow", "verify"] }.next(recipe: "r.yaml", fingerprint: "f") == [])
        let due = without { ($0.hasCutOver, $0.readersDue) = (true, "the readers are not moved") }
        #expect(due.attention == ["the readers are not moved"])
        #expect(due.next(recipe: "r.yaml", fingerprint: "f") == ["crossfade rollover r.yaml"])
        #expect(Self.good.phaseName == "following" && Self.good.phaseText == "following")
    }

    /// Each condition by itself is a reason against moving the readers.
    @Test func eachReasonByItself() {
        let conditions: [(String, (inout Standing) -> Void)] = [
            ("it is not initialised", { $0.phase = nil }),
            ("the target index x is gone", { $0.missing = ["x"] }),
            ("the target index x is closed", { $0.closed = ["x"] }),
            ("the recipe says other work than was confirmed", { $0.isConfirmed = false }),
            ("nothing has been copied from the source", { $0.copy = .none }),
            ("the copy is not finished", { $0.copy = .unfinished }),
            ("a replay is due: the target index was made again", { $0.replayDue = true }),
            ("the replay is not finished", { $0.replay = .unfinished }),
            ("the repair is not finished", { $0.repair = .unfinished }),
            (
                "the newest verification found documents wrong: receipt r1",
                { $0.verified = .notEqual(isDifferent: true, receipt: "r1") }
            ),
            (
                "the newest verification has not judged every document: receipt r1",
                { $0.verified = .notEqual(isDifferent: false, receipt: "r1") }
            ),
            (
                "receipt r1: 2 documents different, left as log_agrees",
                { $0.verified = .oldSideDiffers(2, receipt: "r1") }
            ),
            (
                "receipt r1 proves nothing any more: foreign writes",
                {
                    $0.verified = .void("receipt r1 proves nothing any more: foreign writes")
                }
            ),
            ("nothing was verified: there is no receipt of this work", { $0.verified = .never }),
            ("nobody follows", { $0.running = ["replay"] }),
            ("nobody follows partition 1, 3", { $0.unread = [1, 3] }),
            ("no broker answers", { $0.waiting = ["no broker answers"] }),
            ("the lag is unknown", { $0.lag = nil }),
            ("the lag is 7 records", { $0.lag = 7 }),
            ("the lag is 1 record, 31 s", { ($0.lag, $0.lagSeconds) = (1, 30.4) }),
            ("it is not known whether there are dead letters", { $0.deadLetters = nil }),
            ("3 dead letters unresolved", { $0.deadLetters = ["a": 1, "b": 2] }),
            ("alarm stale_rate", { $0.alarms = [Alarm(name: "stale_rate", text: "many")] }),
        ]
        for (reason, change) in conditions { #expect(without(change).reasonsAgainstSwitch == [reason]) }
    }

    /// What needs the topic is not known then, and nothing of that counts as good.
    @Test func aTopicThatCannotBeLookedAt() {
        let away = without {
            ($0.logUnknown, $0.lag, $0.deadLetters) = ("no broker can be reached", nil, nil)
        }
        let topic = "the command topic cannot be looked at"
        #expect(
            away.reasonsAgainstSwitch == [
                "it is not known whether every partition is followed: \(topic)", "the lag is not known: \(topic)",
                "it is not known whether there are dead letters: \(topic)",
            ])
        #expect(away.attention.first == "\(topic): no broker can be reached" && away.attention.count == 2)
        #expect(away.phaseText == "following")
    }

    @Test func whatIsNoReason() {
        #expect(without { ($0.hasSource, $0.copy) = (false, .none) }.isReadyToSwitch)
        #expect(without { ($0.lag, $0.lagSeconds) = (4000, 1) }.isReadyToSwitch, "writers never stop")
        #expect(without { $0.replay = .none }.isReadyToSwitch, "a follower that began at the start has read it all")
        #expect(without { $0.running = ["follow", "replay"] }.isReadyToSwitch)
    }

    @Test func thePhaseIsWhatGoesOn() {
        func phase(_ phase: MigrationState.Phase?, _ running: Set<String> = [], _ done: Standing.Part = .done)
            -> [String]
        {
            let standing = without { ($0.phase, $0.running, $0.copy, $0.replay) = (phase, running, done, done) }
            return [standing.phaseName, standing.phaseText]
        }
        #expect(phase(nil) == ["planned", "planned, not initialised"])
        #expect(phase(.following) == ["stopped", "nobody follows"])
        #expect(phase(.following, ["follow"]) == ["following", "following"])
        #expect(phase(.replaying) == ["replayed", "replayed, nobody follows"])
        #expect(phase(.replaying, [], .unfinished) == ["replay_interrupted", "the replay was interrupted"])
        #expect(phase(.replaying, ["replay"], .unfinished) == ["replaying", "replaying"])
        #expect(phase(.copying, [], .unfinished) == ["copy_interrupted", "the copy was interrupted"])
        #expect(phase(.replaying, ["replay", "follow"]) == ["following", "replaying and following"])
        #expect(phase(.copied) == ["copied", "copied"])
    }

    /// After its state was lost, `status` said of a migration under way that it was only planned.
    @Test func aMigrationWhoseStateIsGoneIsNoPlannedOne() {
        let lost = without { ($0.phase, $0.traces.unfinished) = (nil, ["new has the aliases new-crossfade-WRITE"]) }
        #expect(lost.isStateGone && lost.phaseName == "planned")
        #expect(lost.phaseText.contains("its state is gone") && lost.phaseText.contains("new-crossfade-WRITE"))
        #expect(lost.phaseText.contains("docs/cutover.md, \"If the state is gone\""))
        #expect(lost.attention == [lost.phaseText] && lost.next(recipe: "r.yaml", fingerprint: "f") == [])
        // A finished one leaves its fields in the mapping, too.
        let over = without { ($0.phase, $0.traces.others) = (nil, ["new has the field crossfade_deleted"]) }
        #expect(!over.isStateGone && over.attention == [])
        #expect(over.phaseText.contains("it was finished, or its state is gone"))
        #expect(over.next(recipe: "r.yaml", fingerprint: "f") == ["crossfade plan r.yaml"])
    }

    @Test func whatAPersonHasToSeeTo() {
        #expect(without { $0.running = [] }.attention == ["nobody follows"])
        #expect(without { $0.lag = 7 }.attention == [], "it falls by itself")
        #expect(without { ($0.replay, $0.running, $0.phase) = (.unfinished, ["replay"], .replaying) }.attention == [])
        #expect(
            without { ($0.copy, $0.running, $0.phase) = (.unfinished, [], .copying) }.attention == [
                "the copy was interrupted"
            ])
        #expect(without { $0.lost = ["follow of h"] }.attention == ["follow of h"])
        #expect(without { $0.deadLetters = ["a": 1] }.attention == ["1 dead letter unresolved"])
        #expect(without { $0.phase = nil }.attention == [])
        #expect(without { ($0.replayDue, $0.running, $0.phase) = (true, [], .copied) }.attention.count == 1)
    }

    /// `status --check` ended with 0 although the newest receipt said `different`.
    @Test func aReceiptThatSaysDifferentNeedsAPerson() {
        let wrong = Standing.Verified.notEqual(isDifferent: true, receipt: "r1")
        let words = "the newest verification found documents wrong: receipt r1"
        #expect(without { $0.verified = wrong }.attention == [words])
        #expect(without { ($0.verified, $0.hasWorkedSince) = (wrong, true) }.attention == [], "to be verified again")
        #expect(without { $0.verified = .notEqual(isDifferent: false, receipt: "r1") }.attention == [])
        let old = Standing.Verified.oldSideDiffers(2, receipt: "r1")
        #expect(without { $0.verified = old }.attention == ["receipt r1: 2 documents different, left as log_agrees"])
        #expect(without { ($0.verified, $0.isRolledOver) = (old, true) }.attention == [], "it was overridden")
        // Without commands nothing keeps the old side current then.
        #expect(without { ($0.verified, $0.isRolledOver) = (wrong, true) }.attention == [words])
        #expect(without { ($0.verified, $0.isRolledOver, $0.hasCommands) = (wrong, true, false) }.attention == [])
    }

    /// `status` said that the lag is 0.
    @Test func anOffsetBehindTheEndOfTheLogNeedsAPerson() {
        let words = Status.beyondEnd("g", 3, 15, end: 10)
        #expect(words.hasPrefix("partition 3: group g has committed offset 15, but the log ends at 10. "))
        let beyond = without { ($0.beyondEnd, $0.lag) = ([words], nil) }
        #expect(beyond.attention == [words] && beyond.reasonsAgainstSwitch == [words] && !beyond.isCurrent)
    }

    /// Cron looks at it: what is not begun is no fault, what was begun and is left is one.
    @Test func whoShouldFollowKnowsTheLag() {
        func attention(_ phase: MigrationState.Phase, _ running: Set<String>, replay: Standing.Part = .done) -> [String]
        {
            without { ($0.phase, $0.running, $0.replay, $0.lag) = (phase, running, replay, nil) }.attention
        }
        #expect(
            without { ($0.phase, $0.running, $0.copy, $0.replay, $0.lag) = (.created, [], .none, .none, nil) }.attention
                == [], "only created")
        #expect(attention(.copying, ["copy"], replay: .none) == [])
        #expect(attention(.copied, [], replay: .none) == ["copied, and nobody replays"])
        #expect(attention(.copying, [], replay: .none) == ["copied, and nobody replays"])
        #expect(attention(.replaying, ["replay"], replay: .unfinished) == [])
        #expect(attention(.replaying, []) == ["nobody follows", "the lag is unknown"])
        #expect(attention(.following, []) == ["nobody follows", "the lag is unknown"])
        #expect(attention(.following, ["follow"]) == ["the lag is unknown"])
    }

    @Test func theNextCommand() {
        func next(_ change: (inout Standing) -> Void) -> [String] {
            without(change).next(recipe: "R", fingerprint: "f").map { String($0.dropFirst("crossfade ".count)) }
        }
        #expect(next { $0.phase = nil } == ["plan R"])
        #expect(next { $0.missing = ["x"] } == ["init R --confirm f"])
        #expect(next { $0.isConfirmed = false } == ["plan R"])
        #expect(next { ($0.copy, $0.running) = (.none, []) } == ["copy R"])
        #expect(next { ($0.copy, $0.running) = (.unfinished, ["copy"]) } == [])
        #expect(next { ($0.replay, $0.running) = (.none, []) } == ["replay R"])
        #expect(next { ($0.replay, $0.running) = (.none, ["follow"]) } == ["rollover R"])
        #expect(next { ($0.replayDue, $0.running) = (true, []) } == ["replay R"])
        #expect(next { $0.running = [] } == ["follow R"])
        #expect(next { $0.deadLetters = ["a": 2] } == ["dead-letters list R"])
    }

    /// The summary of `copy --since` named `rollover`, which then refused.
    @Test func noReceiptStandsAfterACopy() {
        #expect(ReceiptVoid.copied.words.contains("copy"))
        let void = without { $0.verified = .void("receipt r1 proves nothing any more: \(ReceiptVoid.copied.words)") }
        #expect(void.next(recipe: "r.yaml", fingerprint: "f") == ["crossfade verify r.yaml"])
    }

    /// After a rollover without a topic, a repair is refused: the old side is no reference any more.
    @Test func noRepairIsNamedWhereItIsRefused() {
        let over = without {
            ($0.hasCommands, $0.isRolledOver, $0.hasCutOver, $0.running) = (false, true, true, [])
            $0.verified = .notEqual(isDifferent: true, receipt: "r")
        }
        #expect(over.next(recipe: "R", fingerprint: "f").isEmpty)
    }

    /// Once a follower has caught up, it is time to prove it.
    @Test func theNextCommandIsToVerify() {
        func next(_ change: (inout Standing) -> Void) -> [String] {
            without {
                $0.verified = .never
                change(&$0)
            }.next(recipe: "R", fingerprint: "f").map { String($0.dropFirst("crossfade ".count)) }
        }
        #expect(next { _ in } == ["verify R"])
        #expect(next { $0.verified = .old } == ["verify R"])
        #expect(next { $0.verified = .notEqual(isDifferent: false, receipt: "r") } == ["verify R"])
        #expect(next { $0.verified = .notEqual(isDifferent: true, receipt: "r") } == ["verify R --repair"])
        #expect(next { $0.verified = .fresh } == ["rollover R"])
        #expect(next { ($0.lag, $0.lagSeconds) = (10_000, 60) } == [])
        #expect(next { ($0.lag, $0.lagSeconds) = (10, 1) } == ["verify R"], "with writers there is always some lag")
        #expect(next { $0.lag = nil } == [])
        #expect(next { $0.running = ["follow", "verify"] } == [])
        #expect(next { $0.running = ["verify"] } == ["follow R"])
        #expect(next { $0.copy = .unfinished } == ["copy R"])
        #expect(next { ($0.copy, $0.hasSource) = (.none, false) } == ["verify R"])
    }

    /// Nothing is purged while it is unfinished, so somebody must end it.
    @Test func aRepairThatWasInterrupted() {
        var standing = without { $0.repair = .unfinished }
        #expect(standing.attention == ["the repair was interrupted, and nothing is purged before it ends"])
        #expect(standing.next(recipe: "r.yaml", fingerprint: "f") == ["crossfade verify r.yaml --repair --yes"])
        standing.running.insert("verify")
        #expect(standing.attention == [] && standing.next(recipe: "r.yaml", fingerprint: "f") == [])
        standing.repair = .done
        #expect(standing.isReadyToSwitch)
    }
}

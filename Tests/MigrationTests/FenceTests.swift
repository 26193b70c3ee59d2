import Commands
import Failures
import JSONText
import LogGuard
import Runtime
import Testing

@testable import Planning
@testable import State

@Suite struct FenceTests {
    private static let operators = [Operator(host: "one", user: "ann"), Operator(host: "two", user: "bob")]

    private func work(_ to: String, transform: JSONValue = []) -> JSONValue {
        [
            "recipe": [
                "commands": ["version": "offset", "envelope": ["id": "id", "operation": "command"]],
                "indices": [["to": .string(to), "transform": transform]],
            ],
            "indices": [["index": .string(to), "from": ["old"]]],
        ]
    }

    private func state(_ to: String = "new", term: Int64? = 5) -> MigrationState {
        var state = MigrationState(
            name: "m", phase: .following, fingerprint: "aaaa", work: work(to), created: 5, indices: [to])
        state.fence.term = term
        state.copy = MigrationState.Copy(round: 1, expected: 0, started: 1, finished: 2, slices: [])
        return state
    }

    @Test func otherWorkOnTheSameIndexKeepsWhatWasDone() {
        var state = state()
        let before = CommitNote(epoch: 0, fingerprint: nil, mark: state.mark)
        state.confirm("bbbb", work: work("new", transform: [["remove": "x"]]), by: Self.operators[1], at: 9)
        #expect(state.copy != nil && state.fence.term == 5 && state.holds(before))
        #expect(state.confirmationWords == "by bob on two at 1970-01-01T00:00:00Z")
    }

    /// The new index never got what the old follower has committed.
    @Test func offsetsOfAnotherSetOfIndicesCountForNothing() throws {
        var state = state()
        let before = CommitNote(epoch: 0, fingerprint: nil, mark: state.mark)
        state.confirm("bbbb", work: work("other"), by: Self.operators[1], at: 9)
        #expect(state.copy == nil && state.replayDue && state.indices == ["new", "other"])
        #expect(!state.holds(before) && state.holds(CommitNote(epoch: 0, fingerprint: nil, mark: state.mark)))
        // An earlier version wrote no mark; without a note an offset was set by hand.
        #expect(!state.holds(CommitNote(epoch: 0, fingerprint: nil)) && state.holds(nil))
        // And back: the same index again, and yet what was committed meanwhile is not in it.
        let other = CommitNote(epoch: 0, fingerprint: nil, mark: state.mark)
        state.confirm("aaaa", work: work("new"), by: Self.operators[0], at: 3)
        #expect(!state.holds(before) && !state.holds(other))
        #expect(state.fence.forms["other"] == WrittenForm.of("other", in: work("other")))
    }

    /// The clock of the second operator is behind: a term is never given out again.
    @Test func aTermIsNewWhateverTheClockSays() {
        var state = state(term: 1000)
        state.startOver(at: 1)
        #expect(state.fence.term == 1001)
    }

    /// A state that an earlier version began says nothing of terms, so its group's offsets stay good.
    @Test func anEarlierVersionsOffsetsStayGood() {
        let state = state(term: nil)
        #expect(state.holds(CommitNote(epoch: 0, fingerprint: nil)) && state.holds(nil))
        #expect(state.holds(CommitNote(epoch: 0, fingerprint: nil, mark: .init(fingerprint: "x", term: nil))))
    }

    @Test func otherWorkIsRefusedWithWhoConfirmedItAndWhen() {
        var state = state()
        state.confirm("bbbb", work: work("other"), by: Self.operators[1], at: 1_764_435_600_000)
        let error = #expect(throws: WorkError.self) { try state.check(isStill: "aaaa") }
        let text = error?.description ?? ""
        #expect(error?.code == .refused)
        for part in ["aaaa", "bbbb", "bob on two", "2025-11-29T17:00:00Z"] { #expect(text.contains(part), "\(text)") }
        #expect(throws: Never.self) { try state.check(isStill: "bbbb") }
    }

    @Test func roundTrip() throws {
        var state = state()
        state.confirm("bbbb", work: work("other"), by: Self.operators[1], at: 9)
        state.fence.holders["copy"] = MigrationState.Holder(
            member: "x", process: ProcessMark(machine: "m", pid: 7, began: "12"), by: Self.operators[0], since: 3)
        #expect(MigrationState(json: try JSONValue(parsing: state.json.text())) == state)
    }

    @Test func workThatIsTakenWhileOtherWorkIsConfirmed() {
        func holder(_ member: String) -> MigrationState.Holder {
            let process = ProcessMark(machine: "m", pid: 7, began: "12")
            return MigrationState.Holder(member: member, process: process, by: Self.operators[0], since: 3)
        }
        var before = state()
        before.fence.holders = ["copy": holder("one")]
        var now = before
        #expect(now.fence.taken(since: before.fence).isEmpty)
        now.fence.holders = [:]
        #expect(now.fence.taken(since: before.fence).isEmpty, "given back")
        now.fence.holders = ["copy": holder("one"), "replay": holder("two")]
        #expect(now.fence.taken(since: before.fence) == ["replay": holder("two")])
        now.fence.holders = ["copy": holder("three")]
        #expect(now.fence.taken(since: before.fence) == ["copy": holder("three")])
        now.fence.holders = ["copy": holder(MemberReport.own)]
        #expect(now.fence.taken(since: before.fence).isEmpty, "it is this process")
    }

    // MARK: The form

    @Test func theFormIsWhatDecidesWhatIsWritten() {
        let plain = WrittenForm.of("new", in: work("new"))
        #expect(plain != nil && plain == WrittenForm.of("new", in: work("new")))
        #expect(plain != WrittenForm.of("new", in: work("new", transform: [["remove": "x"]])))
        #expect(WrittenForm.of("new", in: work("other")) == nil)
        func changed(_ change: (inout JSONObject) -> Void) -> JSONValue? {
            guard var whole = work("new").object, var recipe = whole["recipe"]?.object,
                var commands = recipe["commands"]?.object
            else { return nil }
            change(&commands)
            recipe["commands"] = .object(commands)
            whole["recipe"] = .object(recipe)
            return WrittenForm.of("new", in: .object(whole))
        }
        #expect(changed { $0["version"] = "timestamp" } != plain)
        #expect(changed { $0["envelope"] = ["id": "key", "operation": "command"] } != plain)
        #expect(changed { $0["envelope"] = ["id": "id", "operation": "command", "routing": "user"] } != plain)
        // Another name of a command, or a raised epoch, changes nothing of what is there.
        #expect(changed { $0["epoch"] = 3 } == plain)
        #expect(changed { $0["envelope"] = ["id": "id", "operation": "kind"] } == plain)
    }

    @Test func anIndexNamedAfterItsSourceHasTheFormOfItsEntry() {
        let work: JSONValue = [
            "recipe": ["indices": [["to": "{index}-v2", "transform": [1]], ["to": "x", "transform": [2]]]],
            "indices": [["index": "a-v2", "from": ["a"]], ["index": "x", "from": ["b"]]],
        ]
        #expect(WrittenForm.of("a-v2", in: work)?["transform"] == [1])
        #expect(WrittenForm.of("x", in: work)?["transform"] == [2])
    }
}

@Suite struct MemberWatchTests {
    private func report(_ member: String, updated: Int64) -> MemberReport {
        MemberReport(member: member, command: "follow", host: "h", pid: 1, started: 0, updated: updated)
    }

    @Test func aProcessOfThisMachineIsJudgedAtOnce() {
        var watch = MemberWatch()
        let reports = [report("a", updated: 100)]
        #expect(watch.look(reports, fate: { _ in .runs }, wall: 100, now: 0) == .alive(reports))
        #expect(watch.look(reports, fate: { _ in .isGone }, wall: 100, now: 0) == .none)
    }

    /// Killed with its machine: its report stays, and looks young for a while.
    @Test func aSilentMemberHasEnded() {
        var watch = MemberWatch()
        let reports = [report("a", updated: 100)]
        for now in stride(from: Int64(0), to: MemberWatch.silence, by: 1000) {
            #expect(watch.look(reports, fate: { _ in .unknown }, wall: 100, now: now) == .unknown)
        }
        #expect(watch.look(reports, fate: { _ in .unknown }, wall: 100, now: MemberWatch.silence) == .none)
    }

    /// The clock of its machine is an hour behind ours, or ahead: what counts is that it reports.
    @Test(arguments: [Int64(-3_600_000), 3_600_000])
    func aWrongClockHidesNobody(skew: Int64) {
        var watch = MemberWatch()
        let wall: Int64 = 10_000_000
        #expect(
            watch.look([report("a", updated: wall + skew)], fate: { _ in .unknown }, wall: wall, now: 0) == .unknown)
        let next = [report("a", updated: wall + skew + 10_000)]
        #expect(watch.look(next, fate: { _ in .unknown }, wall: wall + 10_000, now: 10_000) == .alive(next))
    }

    /// Only stale ones are listed: it is not waited as long as for a young one.
    @Test func aStaleMemberIsWatchedShortly() {
        var watch = MemberWatch()
        let reports = [report("a", updated: 0)]
        #expect(watch.look(reports, fate: { _ in .unknown }, wall: 100_000, now: 0) == .unknown)
        #expect(watch.look(reports, fate: { _ in .unknown }, wall: 100_000, now: MemberWatch.doubt) == .none)
        #expect(watch.look([], fate: { _ in .unknown }, wall: 100_000, now: 0) == .none)
    }

    @Test func processMarks() {
        #expect(ProcessMark.own.fate == .runs)
        var other = ProcessMark.own
        other.began = "1"
        #expect(other.fate == .isGone, "the id was given to another process")
        other.machine = "elsewhere"
        #expect(other.fate == .unknown)
        #expect(ProcessMark(machine: "", pid: ProcessMark.own.pid, began: ProcessMark.own.began).fate == .unknown)
    }
}

@Suite struct MigrationHistoryTests {
    private func event(_ what: HistoryEvent.What, _ detail: String = "") -> HistoryEvent {
        HistoryEvent(what, detail, fingerprint: "f", time: 1_000, by: Operator(host: "h", user: "u"))
    }

    @Test func isBoundedAndARestartingFollowerPushesNobodyOut() throws {
        var history = MigrationHistory()
        history.add(event(.initialised))
        for _ in 0..<1000 { history.add(event(.followBegun)) }
        #expect(history.events.count == MigrationHistory.most && history.events.first?.what == .initialised)
        #expect(history.dropped == 501)
        for number in 0..<MigrationHistory.most { history.add(event(.verified, "\(number)")) }
        #expect(history.events.count == MigrationHistory.most && history.events.first?.detail == "0")
        let back = MigrationHistory(json: try JSONValue(parsing: history.json.text()))
        #expect(back == history)
    }

    /// A follower that was refused at its start left nothing: nobody on another machine could see why nobody follows.
    @Test func aRefusalIsTheLastStopUntilWorkBeginsAgain() {
        var history = MigrationHistory()
        for what in [HistoryEvent.What.replayBegun, .replayFinished] { history.add(event(what)) }
        #expect(history.lastStop(isLeft: false) == nil)
        history.add(event(.followRefused, "rail a"))
        history.add(event(.verified))
        #expect(history.lastStop(isLeft: false)?.detail == "rail a")
        #expect(history.lastStop(isLeft: true)?.detail == "rail a")
        history.add(event(.followBegun))
        #expect(history.lastStop(isLeft: false) == nil)
        history.add(event(.followStopped, "id 7"))
        #expect(history.lastStop(isLeft: false) == nil && history.lastStop(isLeft: true)?.detail == "id 7")
    }

    @Test func whatIsRefusedAgainAndAgainIsOneEvent() {
        var history = MigrationHistory()
        for time in 1...50 {
            history.add(
                HistoryEvent(
                    .followRefused, String(repeating: "x", count: 1000), fingerprint: "f", time: Int64(time),
                    by: Operator(host: "h", user: "u")))
        }
        #expect(history.events.count == 1 && history.events.first?.time == 50)
        history.add(event(.followRefused, "other"))
        history.add(event(.followBegun))
        history.add(event(.followBegun))
        #expect(history.events.count == 4)
    }

    /// A newer version knows other words, and a detail can be anything.
    @Test func whatIsReadIsWhatWasWritten() throws {
        var history = MigrationHistory()
        history.add(event(.init("rollover"), "\"\u{7}\n\u{e9}" + String(repeating: "x", count: 1000)))
        let back = MigrationHistory(json: try JSONValue(parsing: history.json.text()))
        #expect(back == history && back.events[0].detail.count < 500)
        #expect(MigrationHistory(json: ["history": "[{\"what\":3}, 7]"]).events.isEmpty)
    }
}

@Suite struct GroupCheckTests {
    private static func report(_ command: String, _ member: String) -> MemberReport {
        MemberReport(member: member, command: command, host: "h", pid: 1, started: 0, updated: 0)
    }

    /// Whatever is not known to have ended may be in the group.
    @Test func onlyMembersThatNoFollowerCanBeAreStrangers() {
        let reports = [Self.report("follow", "a"), Self.report("follow", "gone"), Self.report("replay", "b")]
        func strangers(_ members: Int) -> Int {
            GroupCheck.strangers(members: members, reports: reports) { $0.member == "gone" ? .isGone : .unknown }
        }
        #expect([0, 1, 2, 3].map(strangers) == [0, 0, 1, 2])
        #expect(
            GroupCheck.strangers(members: 1, reports: [Self.report("follow", MemberReport.own)]) { _ in .runs } == 1)
    }
}

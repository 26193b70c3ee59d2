import Runtime
import State
import Testing

@testable import Migration

@Suite struct TargetPresenceTests {
    private func verdicts(_ sights: [TargetPresence.Sight]) -> [TargetPresence.Verdict?] {
        var presence = TargetPresence()
        return sights.map { presence.look($0, at: "a", known: "u") }
    }

    private let fine = TargetPresence.Sight.present(uuid: "u", isRefused: false)
    private let refused = TargetPresence.Sight.present(uuid: "u", isRefused: true)

    @Test func threeLooksInARow() {
        #expect(verdicts([.absent, .absent, .absent, .absent]) == [nil, nil, .indexMissing, .indexMissing])
        #expect(verdicts([refused, refused, refused]) == [nil, nil, .aliasMissing])
        #expect(verdicts([refused, .absent, refused]) == [nil, nil, .aliasMissing])
    }

    /// A target that does not answer, or has the index, begins the count anew.
    @Test(arguments: [true, false]) func theCountBeginsAnew(isThere: Bool) {
        let between = isThere ? fine : TargetPresence.Sight.unknown
        #expect(verdicts([.absent, .absent, between, .absent, .absent]).allSatisfy { $0 == nil })
    }

    @Test func anotherUUIDIsEnoughOnce() {
        #expect(verdicts([.present(uuid: "v", isRefused: false)]) == [.replaced(by: "v")])
        #expect(verdicts([.absent, .present(uuid: "v", isRefused: true)]) == [nil, .replaced(by: "v")])
    }

    @Test func eachIndexCountsForItself() {
        var presence = TargetPresence()
        let verdicts = ["a", "b", "a", "b", "b"].map { presence.look(.absent, at: $0, known: "u") }
        #expect(verdicts == [nil, nil, nil, nil, .indexMissing])
    }
}

@Suite struct PurgeScheduleTests {
    @Test(arguments: [(60_000, 10_000), (3_600_000, 600_000), (86_400_000, 600_000), (600, 1000)])
    func aSixthOfTheAge(age: Int64, every: Int64) {
        var schedule = PurgeSchedule(age: age, now: 5)
        #expect(schedule.every == every)
        #expect(!schedule.isDue(4 + every))
        #expect(schedule.isDue(5 + every))
        schedule.ended(7 + every)
        #expect(!schedule.isDue(6 + 2 * every))
        #expect(schedule.isDue(7 + 2 * every))
    }

    @Test func nothingIsPurgedForAWholeAgeAfterWritesWaited() {
        var schedule = PurgeSchedule(age: 60_000, now: 0)
        schedule.writesWait(9000)
        #expect(!schedule.isDue(68_999))
        #expect(schedule.isDue(69_000))
        schedule.isUnknown(69_000)
        #expect(!schedule.isDue(78_999))
        #expect(schedule.isDue(79_000))
    }
}

@Suite struct ReportScheduleTests {
    private func report(_ read: Int = 0, waiting: String? = nil, owned: [Int32] = [1]) -> MemberReport {
        var report = MemberReport(member: "m", command: "follow", host: "h", pid: 1, started: 1, updated: 1)
        report.partitions = owned.map {
            PartitionReport(partition: $0, outcomes: [read, 0, 0, 0, 0, 0, 0], isOwned: true)
        }
        report.waiting = waiting
        return report
    }

    private func due(_ reports: [(MemberReport, now: Int64)]) -> [Bool] {
        var schedule = ReportSchedule()
        return reports.map { schedule.isDue($0, now: $1) }
    }

    @Test func figuresAloneWaitTenSeconds() {
        #expect(
            due([(report(), 100), (report(5), 10_099), (report(6), 10_100), (report(7), 20_099)])
                == [true, false, true, false])
    }

    @Test func howFarAVerificationIsIsToldMoreOften() {
        var stage = report()
        stage.stage = StageReport(stage: "comparing", parts: [])
        #expect(due([(stage, 0), (stage, 2999), (stage, 3000)]) == [true, false, true])
    }

    @Test func newsAreToldAtOnce() {
        // Other words for the same trouble are no news.
        #expect(
            due([(report(), 0), (report(waiting: "it is away"), 1), (report(waiting: "still"), 2), (report(), 3)])
                == [true, true, false, true])
        #expect(
            due([(report(), 0), (report(owned: [1, 2]), 1), (report(owned: [1, 2]), 2), (report(owned: []), 3)])
                == [true, true, false, true])
    }

    /// A clock that was an hour ahead took the report of a follower away that ran.
    @Test func onlyOldReportsThatStayAsTheyAreAreForgotten() {
        var old = report()
        old.updated = 1000
        var young = report()
        young.updated = 1001
        let found = ReportSchedule.old([old, young], now: 3_601_001)
        #expect(found == [old])
        #expect(ReportSchedule.silent([old, young], since: found) == [old])
        var heard = old
        heard.updated = 2000
        #expect(ReportSchedule.silent([heard, young], since: found).isEmpty)
        #expect(ReportSchedule.silent([young], since: found).isEmpty)
    }

    /// A verification was killed, and the next one has gone on with it: nobody has to look at the first any more.
    @Test func whoeverGoesOnForgetsTheDead() {
        func forgotten(_ report: MemberReport, by command: String, _ fate: ProcessMark.Fate, age: Int64) -> Bool {
            !ReportSchedule.forgotten([report], command: command, now: 1 + age) { _ in fate }.isEmpty
        }
        var verify = report()
        verify.command = "verify"
        #expect(forgotten(verify, by: "verify", .isGone, age: 1))
        #expect(!forgotten(verify, by: "follow", .isGone, age: 40_000))
        #expect(!forgotten(verify, by: "verify", .runs, age: 40_000))
        #expect(!forgotten(verify, by: "verify", .unknown, age: 30_000))
        #expect(forgotten(verify, by: "verify", .unknown, age: 40_000))
        #expect(!forgotten(report(), by: "follow", .unknown, age: 40_000), "another machine may have lost a follower")
        #expect(forgotten(report(), by: "follow", .isGone, age: 1))
    }
}

@Suite struct LookScheduleTests {
    @Test func eachHasItsOwnTime() {
        var looks = LookSchedule()
        #expect([0, 2999, 3000].map { looks.isDueForMembers($0) } == [true, false, true])
        #expect([0, 29_999, 30_000].map { looks.isDueForIndices($0) } == [true, false, true])
        #expect(looks.isDueForLetters(0))
    }

    /// Reading many letters for long makes the next look late.
    @Test func lettersUseATwentiethOfTheTime() {
        var looks = LookSchedule()
        looks.readLetters(from: 1000, to: 1100, areKnown: false)
        #expect(!looks.isDueForLetters(2999) && looks.isDueForLetters(3000))
        looks.readLetters(from: 3000, to: 4000, areKnown: true)
        #expect(!looks.isDueForLetters(62_999) && looks.isDueForLetters(63_000))
        looks.readLetters(from: 100_000, to: 110_000, areKnown: true)
        #expect(!looks.isDueForLetters(299_999) && looks.isDueForLetters(300_000))
    }
}

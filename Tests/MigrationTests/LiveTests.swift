import Commands
import JSONText
@testable import State
import Telemetry
import Testing
@testable import Migration

@Suite struct LiveTests {
    private func part(position: Int64?, committed: Int64?) -> WorkSnapshot.Partition {
        var part = WorkSnapshot.Partition(partition: 1)
        (part.position, part.committed, part.isOwned) = (position, committed, true)
        return part
    }

    /// A lag that is not known is not 0, and an end that is old does not lie before what was read since.
    @Test func lagIsFromTheLastOutcomeToTheEnd() {
        var one = part(position: 90, committed: 80)
        one.measure(end: nil)
        #expect(one.end == nil && one.lag == nil)
        one.measure(end: 100)
        #expect(one.end == 100 && one.lag == 20)
        one.measure(end: 85)
        #expect(one.end == 90 && one.lag == 10)
        var level = part(position: 100, committed: 100)
        level.measure(end: 100)
        #expect(level.lag == 0 && level.age(applied: nil, level: nil, now: 5000) == 0)
    }

    /// What waits is younger than the last applied record, and than the moment at which nothing waited: after an idle
    /// hour one new record does not make an hour of lag.
    @Test func lagByTimeIsNoOlderThanItCanBe() {
        var behind = part(position: 90, committed: 80)
        #expect(behind.age(applied: 1000, level: 2000, now: 5000) == nil)
        behind.measure(end: 100)
        #expect(behind.age(applied: nil, level: nil, now: 5000) == nil)
        #expect(behind.age(applied: 1000, level: nil, now: 5000) == 4)
        #expect(behind.age(applied: 1000, level: 4500, now: 5000) == 0.5)
        #expect(behind.age(applied: 9000, level: nil, now: 5000) == 0)
    }

    /// Whether a process still reads a partition is part of what it says of itself; who did not say so, did.
    @Test func aReportSaysWhatIsOwned() throws {
        let gone = PartitionReport(partition: 4, outcomes: [1, 0, 0, 0, 0, 0, 0, 0], isOwned: false)
        #expect(PartitionReport(json: gone.json) == gone)
        var old = try #require(gone.json.object)
        old.removeValue(forKey: "owned")
        #expect(PartitionReport(json: .object(old))?.isOwned == true)
    }

    /// StatsD's counters tell what came since the last time, gauges the whole, and the time once.
    @Test func statsDHasTheNamesOfTheScript() {
        var told = StatsDDifferences()
        let first = [
            IndexedDocuments(index: "a", succeeded: 5, failed: 1, expected: 10), IndexedDocuments(failed: 2),
        ]
        #expect(
            told.lines(first, milliseconds: nil) == [
                "elastic_migration_document_count,index=a,type=success:5|c",
                "elastic_migration_document_count,index=a,type=failure:1|c",
                "elastic_migration_document_total_count,index=a,type=success:10|g",
                "elastic_migration_document_count,index=none,type=failure:2|c",
            ])
        let later = [IndexedDocuments(index: "a", succeeded: 8, failed: 1), IndexedDocuments(failed: 2)]
        #expect(
            told.lines(later, milliseconds: 1200) == [
                "elastic_migration_document_count,index=a,type=success:3|c",
                "elastic_migration_time_ms,index=a:1200|ms",
            ])
    }

    @Test func whatRemainsOfAReplay() {
        var replay = MigrationState.Replay(
            round: 1, epoch: 0, started: 1, finished: nil, start: [0: 10, 1: 0], end: [0: 100, 1: 5],
            position: [0: 40, 1: 9])
        #expect(replay.remaining == 60)
        replay.progress.finish(1, now: 2)
        #expect(replay.remaining == 0)
    }
}

import Indexing
import Testing
@testable import LogGuard

private func record(_ offset: Int64) -> RecordFingerprint {
    RecordFingerprint(offset: offset, timestamp: 1000 + offset, digest: UInt64(offset))
}

@Suite struct LogObservationTests {
    private func observation(versionsAreOffsets: Bool = true) -> LogObservation {
        LogObservation(partitions: 2, versionsAreOffsets: versionsAreOffsets, probeEvery: 100, now: 0)
    }

    @Test func aTopicIsDeletedWhenTwoLooksInARowMissIt() {
        var seen = observation()
        let first = seen.isMissing(reading: [0])
        _ = seen.isThere(partitions: 2, leaders: [:])
        let again = [seen.isMissing(reading: [0]), seen.isMissing(reading: [0])]
        #expect(!first && again == [false, true])
    }

    @Test func moreFewerAndAsManyPartitions() {
        var offsets = observation()
        let kept = offsets.isThere(partitions: 2, leaders: [:])
        let moved = offsets.isThere(partitions: 3, leaders: [:])
        #expect(kept == .same && moved == .changed(from: 2))
        var numbers = observation(versionsAreOffsets: false)
        let grown = [numbers.isThere(partitions: 3, leaders: [:]), numbers.isThere(partitions: 3, leaders: [:])]
        #expect(grown == [.grown(from: 2), .same])
        let fewer = numbers.isThere(partitions: 2, leaders: [:])
        #expect(fewer == .changed(from: 3))
    }

    @Test func aLogThatEndsTooEarlyMustDoSoTwice() {
        var seen = observation()
        let (short, whole) = ([Int32(1): LogExtent(low: 0, high: 9)], [Int32(1): LogExtent(low: 0, high: 10)])
        let looks = [short, whole, short, [:], short].map { seen.judge([1: 10], logs: $0) }
        #expect(looks == [nil, nil, nil, nil, nil], "never twice in a row")
        let second = seen.judge([1: 10], logs: short)
        #expect(second == LogObservation.Backwards(partition: 1, read: 10, log: LogExtent(low: 0, high: 9)))
    }

    @Test func recordsAreLookedForFromTimeToTimeAndWhenALeaderChanged() {
        var seen = observation()
        let early = seen.isProbeDue(now: 99, isLast: false)
        let due = [seen.isProbeDue(now: 100, isLast: false), seen.isProbeDue(now: 199, isLast: false)]
        #expect(!early && due == [true, false])
        _ = seen.isThere(partitions: 2, leaders: [0: 1, 1: -1])
        _ = seen.isThere(partitions: 2, leaders: [0: 1, 1: 2])
        let same = seen.isProbeDue(now: 199, isLast: false)
        _ = seen.isThere(partitions: 2, leaders: [0: 2, 1: 2])
        let changed = seen.isProbeDue(now: 199, isLast: false)
        seen.probed()
        let after = [seen.isProbeDue(now: 200, isLast: false), seen.isProbeDue(now: 200, isLast: true)]
        #expect(!same && changed && after == [false, true])
    }

    @Test func everyPartitionHasItsTurn() {
        var seen = observation()
        var records = AppliedRecords()
        for partition in Int32(0)..<40 {
            records.began(partition, at: 0, known: nil)
            records.moved([:], applied: [partition: record(1)])
            records.moved([:], applied: [partition: record(2)])
            records.moved([:], applied: [partition: record(3)])
        }
        var looked: Set<Int32> = []
        for _ in 0..<3 {
            let wanted = seen.choose(from: records.partitions, all: false)
            #expect(wanted.count == LogObservation.probed)
            #expect(wanted.values.allSatisfy { $0 == [record(1), record(3)] }, "the oldest and the newest")
            looked.formUnion(wanted.keys)
        }
        #expect(looked.count == 40)
        #expect(seen.choose(from: records.partitions, all: true).count == 40)
        _ = seen.isMissing(reading: [39])
        let changed = seen.choose(from: records.partitions, all: false)
        #expect(changed[39] == [record(1), record(2), record(3)], "all that are remembered")
    }
}

@Suite struct AppliedRecordsTests {
    @Test func anAnchorIsKeptOnce() {
        var records = AppliedRecords()
        records.began(0, at: 5, known: nil)
        #expect(records.unkept.isEmpty)
        records.moved([0: 8], applied: [0: record(7)])
        #expect(records.partitions[0]?.position == 8 && records.unkept == [0: record(7)])
        records.kept([0: record(7)])
        records.moved([0: 9], applied: [0: record(8)])
        #expect(records.unkept.isEmpty && records.partitions[0]?.anchor == record(7))
        records.proved(0, record(8))
        #expect(records.unkept == [0: record(8)] && records.partitions[0]?.known == [record(8)])
    }

    @Test func whatIsNotKeptOutlivesItsPartition() {
        var records = AppliedRecords()
        records.began(0, at: 5, known: nil)
        records.moved([0: 8], applied: [0: record(7)])
        records.ended([0])
        #expect(records.partitions.isEmpty && records.unkept == [0: record(7)])
        records.moved([0: 9], applied: [0: record(8)])
        records.kept([0: record(7)])
        #expect(records.unkept.isEmpty, "a partition that is not ours takes no records")
    }

    @Test func aLongTrailIsThinned() {
        var records = AppliedRecords()
        records.began(0, at: 0, known: record(0))
        for offset in Int64(1)...200 { records.moved([:], applied: [0: record(offset)]) }
        let trail = records.partitions[0]?.trail ?? []
        #expect(trail.count <= AppliedRecords.longestTrail + 1 && trail.first == record(1) && trail.last == record(200))
        #expect(records.partitions[0]?.last == record(200) && records.partitions[0]?.anchor == record(0))
    }
}

import Planning
import Testing

@Suite struct LogStretchesTests {
    private func stretches(
        _ marks: [Int32: (low: Int64, high: Int64)], application: [Int32: Int64]?
    ) -> LogStretches {
        LogStretches(
            watermarks: marks, unread: marks, application: application, newestTotal: 1000 * Int64(marks.count),
            appliedTotal: 4000)
    }

    @Test func theAppliedStretchEndsAtTheCommittedOffset() {
        let found = stretches([0: (10, 90_000), 1: (0, 50)], application: [0: 60_000])
        #expect(found.applied == [0: 58_000..<60_000])
        #expect(found.newest == [0: 89_000..<90_000, 1: 0..<50])
        #expect(found.passes == [[0: 89_000..<90_000, 1: 0..<50], [0: 58_000..<60_000]])
    }

    @Test func withoutAGroupItEndsAtTheMiddle() {
        #expect(stretches([0: (10, 21)], application: nil).applied == [0: 10..<16])
        #expect(stretches([0: (10, 11)], application: nil).applied == [0: 10..<11])
        #expect(stretches([0: (10, 10)], application: nil).passes.isEmpty)
    }

    @Test func offsetsOutsideTheLogAreNone() {
        #expect(stretches([0: (10, 20)], application: [0: 5]).applied.isEmpty)
        #expect(stretches([0: (10, 20)], application: [0: 99]).applied == [0: 10..<20])
        #expect(stretches([0: (10, 20)], application: [:]).applied.isEmpty)
    }

    @Test func stretchesThatMeetAreReadAsOne() {
        #expect(stretches([0: (0, 3000)], application: [0: 1800]).passes == [[0: 0..<3000]])
        #expect(stretches([0: (0, 3000)], application: [0: 3000]).passes == [[0: 1000..<3000]])
    }

    @Test func manyPartitionsShareTheRecords() {
        let marks = Dictionary(uniqueKeysWithValues: (0..<40).map { (Int32($0), (low: Int64(0), high: Int64(9000))) })
        let found = stretches(marks, application: nil)
        #expect(found.applied.values.allSatisfy { $0.count == 100 && $0.upperBound == 4500 })
    }
}

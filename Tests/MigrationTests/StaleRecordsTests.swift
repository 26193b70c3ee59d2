import Commands
import LogGuard
import Testing

/// Records that came out stale: whether another partition has made them so.
@Suite struct StaleRecordsTests {
    private static let marks: [Int32: (low: Int64, high: Int64)] = [0: (0, 500), 1: (0, 500), 2: (400, 500)]

    private func records(_ all: (Int32, Int64, Int64)...) -> StaleRecords {
        let records = all.map { StaleRecords.Record(partition: $0.0, offset: $0.1, newer: $0.2) }
        return StaleRecords(records, partitions: [0, 1, 2])
    }

    private func document(_ id: String) -> StaleRecords.Document { .init(entry: 0, id: Array(id.utf8)) }

    /// The case that a fresh follower did not see: another process had applied the record of partition 1, whose offset
    /// is the same.
    @Test func anUpdateThatTheOtherPartitionOutranksIsAClash() throws {
        var stale = records((0, 150, 150))
        #expect(stale.rounds(Self.marks) == [[0: 150..<151, 1: 150..<151]], "partition 2 does not reach back")
        stale.read(0, 150, document("B6"))
        #expect(stale.clash == nil)
        stale.read(1, 150, document("B7"))
        #expect(stale.clash == nil, "another document")
        stale.read(1, 150, document("B6"))
        let found = try #require(stale.clash)
        #expect(found.id == Array("B6".utf8))
        #expect(found.clash.one == (1, 150) && found.clash.other == (0, 150))
    }

    /// A record that is read again after a crash finds its own write, or a later one of its own partition.
    @Test func aRecordThatIsReadAgainIsNone() {
        var stale = records((1, 20, 20), (1, 21, 30))
        for offset: Int64 in [20, 21, 30] { stale.read(1, offset, document("a")) }
        for offset: Int64 in [20, 30] { stale.read(0, offset, document("b")) }
        #expect(stale.clash == nil)
    }

    /// The same id in two entries means two documents.
    @Test func anotherEntryIsAnotherDocument() {
        var stale = records((0, 5, 7))
        stale.read(0, 5, document("a"))
        stale.read(1, 7, .init(entry: 1, id: Array("a".utf8)))
        #expect(stale.clash == nil)
    }

    @Test func whatLiesNearIsReadInOneGo() {
        let stale = records((0, 10, 10), (0, 90, 12), (0, 480, 470))
        let rounds = stale.rounds(Self.marks)
        #expect(rounds == [[0: 10..<91, 1: 10..<13, 2: 470..<471], [0: 480..<481, 1: 470..<471]])
        #expect(stale.wants(0, 90) && !stale.wants(0, 12) && stale.wants(1, 12))
        #expect(stale.rounds([:]).isEmpty)
    }

    @Test func theVersionInTheTargetNamesAnOffset() {
        #expect(DocumentVersion.offset(named: DocumentVersion.offset(150, epoch: 0), epoch: 0) == 150)
        #expect(DocumentVersion.offset(named: DocumentVersion.offset(0, epoch: 3), epoch: 3) == 0)
        #expect(DocumentVersion.offset(named: DocumentVersion.offset(150, epoch: 2), epoch: 3) == nil)
        #expect(DocumentVersion.offset(named: DocumentVersion.floor(epoch: 3), epoch: 3) == nil, "a copied document")
        for version: Int64 in [-1, 0, 1, .min, .max] {
            #expect(DocumentVersion.offset(named: version, epoch: 0) == nil)
        }
    }

    /// In the words of Elasticsearch 1.7, 2.4, 5.6 to 9 and OpenSearch.
    @Test func theReasonOfAConflictNamesTheVersion() {
        func current(_ reason: String) -> Int64? { DocumentVersion.current(inReason: reason) }
        let rest = " is higher or equal to the one provided [150]"
        #expect(current("[B6]: version conflict, current version [152]\(rest)") == 152)
        #expect(current("[doc][B6]: version conflict, current [152], provided [150]") == 152)
        #expect(
            current(
                "VersionConflictEngineException[[i][1] [t][current version [7]]: version conflict, current [152], "
                    + "provided [150]]") == 152)
        #expect(current("[current version [7]]: version conflict, current version [152]\(rest)") == 152)
        for reason in ["", "status 409", "current version [", "current version []", "current version [x]"] {
            #expect(current(reason) == nil)
        }
    }
}

import Parity
import Testing

/// What is decided of writes to the new side since a receipt.
@Suite struct WriteAccountTests {
    private static let key = DocumentKey(entry: 0, id: Array("7".utf8))

    private func receipt(sequence: [Int: Int64] = [0: 9, 1: -1], written: Int64? = 5) -> Receipt {
        var receipt = Receipt(
            id: "r", migration: "m", version: "1", fingerprint: "f", basis: .source,
            target: Receipt.Side(name: "t", uuid: "u"), topic: "c", began: 1000)
        receipt.ended = 2000
        var index = Receipt.Index(name: "new")
        (index.uuid, index.sequence) = ("one", sequence)
        receipt.indices = [index]
        receipt.positions = [Receipt.Position(partition: 0, verifiedUpTo: 8, end: 8, writtenUpTo: written)]
        return receipt
    }

    private func facts(_ sequence: [Int: Int64], uuid: String? = "one", start: Int64 = 0) -> WriteAccount.Facts {
        WriteAccount.Facts(
            indices: [WriteAccount.Facts.Index(name: "new", uuid: uuid, sequence: sequence)], fingerprint: "f",
            starts: [0: start])
    }

    private func look(_ facts: WriteAccount.Facts) throws -> WriteAccount.Look {
        guard case .look(let look) = WriteAccount.begin(receipt(), facts) else {
            throw Unexpected(begin: WriteAccount.begin(receipt(), facts))
        }
        return look
    }

    private struct Unexpected: Error { let begin: WriteAccount.Begin }

    @Test func whereNothingWasWrittenItStands() {
        #expect(WriteAccount.begin(receipt(), facts([0: 9, 1: -1])) == .over(.stands([])))
        // The log does not matter then.
        #expect(WriteAccount.begin(receipt(), facts([0: 9, 1: -1], start: 100)) == .over(.stands([])))
    }

    @Test func whatWasWrittenSinceIsLookedAtShardByShard() throws {
        let look = try look(facts([0: 9, 1: 3]))
        #expect(look.shards == [.init(entry: 0, shard: 1, after: -1, last: 3)])
        #expect(look.from == [0: 5])
    }

    @Test func whatCommandsExplainStands() throws {
        let look = try look(facts([0: 12, 1: 0]))
        #expect(look.end([0: .init(commanded: 4)]) == .stands([]))
        // Some commands write nothing, and could hide as many deletes.
        guard case .stands(let notes) = look.end([0: .init(commanded: 40)]) else { return #expect(Bool(false)) }
        #expect(notes.count == 1 && notes[0].hasPrefix("36 commands"))
        #expect(look.end([0: .init(commanded: 2, right: 2)]) == .stands([]))
    }

    @Test func aDocumentOfSomebodyElseVoidsIt() throws {
        let standing = try look(facts([0: 10, 1: -1])).end([0: .init(foreign: 1)], examples: [Self.key])
        #expect(
            standing
                == .void(
                    .foreignWrites(
                        ForeignWrites(
                            indices: [0: .init(name: "new", documents: 1)], examples: [Self.key]))))
        #expect(standing.words == "foreign writes: 1 document of new was written by somebody else, such as 7")
    }

    @Test func aDeleteBySomebodyElseIsSeenByItsNumber() throws {
        let look = try look(facts([0: 12, 1: -1]))
        #expect(
            look.end([0: .init(commanded: 2)])
                == .void(.foreignWrites(ForeignWrites(indices: [0: .init(name: "new", unseen: 1)]))))
    }

    /// A purge deletes, too, and nobody knows how much of what is missing it was.
    @Test func afterAPurgeADeleteIsNotSeen() throws {
        var facts = facts([0: 12, 1: -1])
        facts.purged = 1500
        guard case .stands(let notes) = try look(facts).end([:]) else {
            Issue.record("it is void")
            return
        }
        #expect(notes.count == 1 && notes[0].contains("purged"))
        facts.purged = 500
        #expect(try look(facts).end([:]).name == "void")
    }

    @Test func otherWorkCopiesAndRepairsVoidIt() {
        var other = facts([0: 9, 1: -1])
        other.fingerprint = "g"
        #expect(WriteAccount.begin(receipt(), other) == .over(.void(.otherWork)))
        var copied = facts([0: 9, 1: -1])
        copied.copied = 500
        #expect(WriteAccount.begin(receipt(), copied) == .over(.stands([])))
        copied.copied = 1001
        #expect(WriteAccount.begin(receipt(), copied) == .over(.void(.copied)))
        (copied.copied, copied.isCopyUnfinished) = (nil, true)
        #expect(WriteAccount.begin(receipt(), copied) == .over(.void(.copied)))
        var repaired = facts([0: 9, 1: -1])
        repaired.repairBegan = 1500
        #expect(WriteAccount.begin(receipt(), repaired) == .over(.stands([])), "that was its own")
        repaired.repairBegan = 2001
        #expect(WriteAccount.begin(receipt(), repaired) == .over(.void(.repaired)))
        (repaired.repairBegan, repaired.isRepairUnfinished) = (1500, true)
        #expect(WriteAccount.begin(receipt(), repaired) == .over(.void(.repaired)))
    }

    /// A receipt that goes on from another one has that one's sequence numbers: what a repair in between has written
    /// is nobody else's work.
    @Test func aRepairBehindTheSequenceNumbersIsNotForeign() {
        var repaired = facts([0: 12, 1: -1])
        repaired.repairBegan = 900
        var since = receipt()
        (since.since, since.sequenceRead) = ("earlier", 500)
        #expect(WriteAccount.begin(since, repaired) == .over(.void(.repaired)))
        since.sequenceRead = 950
        if case .over = WriteAccount.begin(since, repaired) { Issue.record("its chain begins behind the repair") }
        // Its own repair, after which the numbers could not be read again.
        repaired.repairBegan = 1500
        since.repair = RepairReport(isPerformed: true)
        if case .over = WriteAccount.begin(since, repaired) { Issue.record("that was its own") }
    }

    @Test func anotherIndexVoidsIt() {
        let replaced = WriteAccount.Begin.over(.void(.replaced(index: "new")))
        #expect(WriteAccount.begin(receipt(), facts([0: 20, 1: 20], uuid: "two")) == replaced)
        #expect(WriteAccount.begin(receipt(), facts([0: 8, 1: 20])) == replaced)
        #expect(WriteAccount.begin(receipt(), facts([0: 20])) == replaced)
    }

    @Test func whatCannotBeLookedAtIsUnknown() {
        func name(_ begin: WriteAccount.Begin) -> String? {
            if case .over(let standing) = begin { return standing.name }
            return nil
        }
        #expect(name(WriteAccount.begin(receipt(sequence: [:]), facts([:]))) == "unknown")
        #expect(name(WriteAccount.begin(receipt(written: nil), facts([0: 10, 1: -1]))) == "unknown")
        #expect(name(WriteAccount.begin(receipt(), facts([0: 10, 1: -1], start: 6))) == "unknown")
        #expect(name(WriteAccount.begin(receipt(), facts([0: 10, 1: -1], start: 5))) == nil)
    }
}

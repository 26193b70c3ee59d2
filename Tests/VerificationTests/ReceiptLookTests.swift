import Parity
import Planning
import Runtime
import State
import Testing
@testable import Verification

/// Whether somebody else has written to the new side since a receipt.
@Suite(.serialized) struct ReceiptLookTests {
    private typealias Bench = SettlingBench

    /// A migration of three documents that are right on the new side, and a receipt of that.
    private func verified() throws -> (bench: SettlingBench, receipt: Receipt) {
        let bench = try Bench()
        for id in ["a", "b", "c"] { try write(bench, id, "first") }
        bench.old("copied", #"{"name":"copied"}"#)
        bench.new("copied", #"{"title":"copied"}"#, version: 1)
        try bench.applied()
        let prepared = try bench.prepared()
        var receipt = Receipt(
            id: "r", migration: "small", version: "1", fingerprint: prepared.fingerprint, basis: .source,
            target: Receipt.Side(name: "t", uuid: "u"), topic: "orders", began: WallClock.now())
        let mark = try #require(try look(bench, receipt).mark)
        receipt.indices = [Receipt.Index(name: "new")]
        receipt.indices[0].sequence = mark.sequences[0]
        receipt.positions = [Receipt.Position(partition: 0, verifiedUpTo: 3, end: 3, writtenUpTo: mark.written[0])]
        receipt.ended = WallClock.now()
        #expect(mark.written == [0: 3] && !mark.sequences[0].isEmpty)
        return (bench, receipt)
    }

    /// A command, and what it writes.
    private func write(_ bench: SettlingBench, _ id: String, _ text: String) throws {
        let version = try bench.command(#"{"op":"put","id":"\#(id)","doc":{"name":"\#(text)"}}"#)
        bench.new(id, #"{"title":"\#(text)"}"#, version: version)
    }

    private func look(
        _ bench: SettlingBench, _ receipt: Receipt, against basis: Receipt.Basis = .log
    ) throws -> (standing: ReceiptStanding, mark: ReceiptLook.Mark?) {
        let prepared = try bench.prepared()
        return try ReceiptLook(prepared, groups: try bench.groups(prepared, against: basis), logger: bench.logger)
            .look(receipt)
    }

    @Test func whatCommandsWriteLetsItStand() throws {
        let (bench, receipt) = try verified()
        #expect(try look(bench, receipt).standing == .stands([]))
        for round in 0..<5 { try write(bench, "a", "again \(round)") }
        try write(bench, "new", "first")
        let version = try bench.command(#"{"op":"del","id":"b"}"#)
        bench.new("b", #"{"crossfade_deleted":true,"crossfade_deleted_at":1}"#, version: version)
        // Commands that nobody has applied yet.
        try bench.command(#"{"op":"part","id":"c","doc":{"n":1}}"#)
        #expect(try look(bench, receipt).standing == .stands([]))
    }

    @Test func aDocumentThatWasWrittenByHandVoidsIt() throws {
        let (bench, receipt) = try verified()
        bench.target.send("PUT", "/new/_doc/b", #"{"title":"by hand"}"#)
        bench.target.send("PUT", "/new/_doc/unheard", #"{"title":"by hand"}"#)
        guard case .void(.foreignWrites(let writes)) = try look(bench, receipt).standing else {
            Issue.record("it stands")
            return
        }
        #expect(writes.indices == [0: .init(name: "new", documents: 2)])
        #expect(Set(writes.examples) == [Bench.key("b"), Bench.key("unheard")])
    }

    /// The command came first: the version is not one that a command has given.
    @Test func aWriteByHandBehindACommandVoidsIt() throws {
        let (bench, receipt) = try verified()
        try write(bench, "a", "second")
        bench.target.send("PUT", "/new/_doc/a", #"{"title":"by hand"}"#)
        let standing = try look(bench, receipt).standing
        #expect(standing.name == "void" && standing.words?.contains("such as a") == true)
    }

    @Test func aDeleteByHandVoidsIt() throws {
        let (bench, receipt) = try verified()
        bench.target.send("DELETE", "/new/_doc/c")
        guard case .void(.foreignWrites(let writes)) = try look(bench, receipt).standing else {
            Issue.record("it stands")
            return
        }
        #expect(writes.indices == [0: .init(name: "new", unseen: 1)])
    }

    /// A redrive, a second replay and a repair write what no command since names.
    @Test func whatIsRightIsNobodyElses() throws {
        let (bench, receipt) = try verified()
        bench.target.send("PUT", "/new/_doc/a?version=2&version_type=external_gte", #"{"title":"first"}"#)
        #expect(try look(bench, receipt).standing == .stands([]))
        // The log does not name it, and the old side has it.
        bench.target.send("PUT", "/new/_doc/copied?version=1&version_type=external_gte", #"{"title":"copied"}"#)
        #expect(try look(bench, receipt, against: .source).standing == .stands([]))
        #expect(try look(bench, receipt, against: .log).standing.name == "void")
    }

    @Test func aRepairOfAnotherVerificationVoidsIt() throws {
        let (bench, receipt) = try verified()
        _ = try bench.repair([])
        #expect(try look(bench, receipt).standing == .void(.repaired))
    }

    @Test func anOlderReceiptDoesNotSay() throws {
        var (bench, receipt) = try verified()
        receipt.indices[0].sequence = [:]
        #expect(try look(bench, receipt).standing.name == "unknown")
    }
}

import Foundation
import Migration
import Parity
import State
import Testing
@testable import Verification

@Suite(.serialized) struct RepairTests {
    private typealias Bench = SettlingBench

    /// A migration whose log names `w`, `p` and `d`, and whose old side alone knows `c`.
    private func damaged() throws -> (bench: SettlingBench, versions: [String: Int64]) {
        let bench = try Bench()
        var versions: [String: Int64] = [:]
        versions["w"] = try bench.command(#"{"op":"put","id":"w","doc":{"name":"right","n":1}}"#)
        _ = try bench.command(#"{"op":"put","id":"p","doc":{"name":"whole","n":1}}"#)
        versions["p"] = try bench.command(#"{"op":"part","id":"p","doc":{"n":2}}"#)
        _ = try bench.command(#"{"op":"put","id":"d","doc":{"name":"deleted"}}"#)
        versions["d"] = try bench.command(#"{"op":"del","id":"d"}"#)
        versions["b"] = try bench.command(#"{"op":"part","id":"b","doc":{"n":3}}"#)
        bench.old("w", #"{"name":"right","n":1}"#)
        bench.old("p", #"{"name":"whole","n":2}"#)
        bench.old("c", #"{"name":"copied"}"#)
        bench.old("b", #"{"name":"base","n":3}"#)
        try bench.applied()
        return (bench, versions)
    }

    private static let all = ["w", "p", "d", "c", "b", "x"].map { SettlingBench.key($0) }

    @Test func everyDamageIsRepaired() throws {
        let (bench, versions) = try damaged()
        bench.new("w", #"{"title":"spoiled","n":1}"#, version: 100)
        bench.new("d", #"{"title":"deleted"}"#, version: 1)
        bench.new("c", #"{"title":"spoiled"}"#, version: 1)
        bench.new("x", #"{"title":"extra"}"#, version: 1)
        #expect(try bench.settle(Self.all).totals.wrong == 6)

        let listed = try bench.repair(Self.all, performing: false)
        #expect(!listed.isPerformed)
        #expect(listed.sum.written == 4 && listed.sum.deleted == 1)
        #expect(listed.sum.left == [.extraNotProved: 1])
        #expect(try bench.held("d")?.text == #"{"title":"deleted"}"#, "listing changes nothing")
        #expect(try state(bench).repair == nil)

        let done = try bench.repair(Self.all)
        #expect(done.isPerformed)
        #expect(done.indices == listed.indices)
        #expect(done.sum.found == 6)
        let whole = try #require(try bench.held("w"))
        #expect(whole.text == #"{"n":1,"title":"right"}"# && whole.version == 100, "the version that it had")
        let part = try #require(try bench.held("p"))
        #expect(part.text == #"{"n":2,"title":"whole"}"# && part.version == versions["p"])
        #expect(try bench.held("d") == nil)
        #expect(try bench.held("c")?.text == #"{"title":"copied"}"#)
        #expect(try bench.held("c")?.version == 1)
        #expect(try bench.held("b")?.text == #"{"n":3,"title":"base"}"#)
        #expect(try bench.held("b")?.version == versions["b"])
        #expect(try bench.held("x") != nil, "that it is not in the old side proves nothing")
        #expect(try state(bench).repair?.finished != nil)

        let after = try bench.settle(Self.all)
        #expect(after.examples.map(\.kind) == [.extra])
        let again = try bench.repair(Self.all)
        #expect(again.sum.right == 5 && again.sum.left == [.extraNotProved: 1])
        #expect(again.sum.written == 0 && again.sum.deleted == 0)

        let trusting = try bench.repair([Bench.key("x")], trusts: true)
        #expect(trusting.sum.deleted == 1)
        #expect(try bench.held("x") == nil)
        #expect(try bench.settle(Self.all).totals.wrong == 0)
    }

    /// The delete is a tombstone at the version of the delete, so that nothing older comes back.
    @Test func aRepairedDeleteIsATombstone() throws {
        let (bench, versions) = try damaged()
        bench.new("d", #"{"title":"deleted"}"#, version: 1)
        _ = try bench.repair([Bench.key("d")])
        let prepared = try bench.prepared()
        var found: LivePair?
        try LiveDocuments(prepared, try bench.plan(prepared)).read([Bench.key("d")]) { found = $1 }
        #expect(found?.new == nil)
        #expect(found?.newVersion == versions["d"])
    }

    /// A command that comes during a repair is newer, and stays.
    @Test func whatIsNewerStays() throws {
        let (bench, versions) = try damaged()
        let newer = try #require(versions["b"]) + 5
        bench.new("d", #"{"title":"deleted"}"#, version: 1)
        bench.new("p", #"{"title":"newer"}"#, version: newer)
        let report = try bench.repair([Bench.key("d"), Bench.key("p")])
        #expect(report.sum.written == 1)
        #expect(Set(report.examples.map { "\($0.step) \($0.outcome ?? "-")" }) == ["write written", "delete deleted"])
        #expect(try bench.held("p")?.version == newer)
    }

    @Test func nothingIsPurgedWhileARepairIsUnfinished() throws {
        let (bench, _) = try damaged()
        let prepared = try bench.prepared()
        let store = StateStore(target: prepared.survey.target, name: "small")
        try store.update {
            $0.copy = MigrationState.Copy(round: 1, expected: 0, started: 1, finished: 2, slices: [])
            $0.repair = MigrationState.Repair(started: 3)
        }
        #expect(throws: (any Error).self) {
            try prepared.purge(logger: bench.logger).run(before: nil) { false }
        }
        _ = try bench.repair([])
        #expect(try state(bench).repair?.finished != nil)
        _ = try prepared.purge(logger: bench.logger).run(before: nil) { false }
    }

    private func state(_ bench: SettlingBench) throws -> MigrationState {
        try #require(try StateStore(target: try bench.prepared().survey.target, name: "small").load())
    }
}

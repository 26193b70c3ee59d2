import Foundation
import Parity
import Synchronization
import Testing
@testable import Verification

@Suite(.serialized) struct SettlingTests {
    private typealias Bench = SettlingBench

    @Test func eachKindOfFinding() throws {
        let bench = try Bench()
        let ids = ["equal", "missing", "extra", "different", "gone", "routed", "42"]
        for id in ["equal", "missing", "different"] { bench.old(id, #"{"name":"\#(id)","n":1}"#) }
        bench.new("equal", #"{"n":1.0,"title":"equal"}"#, version: 1)
        bench.new("extra", #"{"title":"x"}"#, version: 1)
        bench.new("different", #"{"title":"different","n":1.5}"#, version: 1)
        bench.old("routed", #"{"name":"r"}"#, routing: "a")
        bench.new("routed", #"{"title":"r"}"#, version: 1, routing: "b")
        bench.old("42", #"{"name":"twin"}"#)
        bench.new("%2242%22", #"{"title":"twin"}"#, version: 1)
        try bench.applied()
        let result = try bench.settle(
            ids.filter { $0 != "routed" }.map { Bench.key($0) } + [
                Bench.key("routed", routing: "a"), Bench.key("routed", routing: "b"), Bench.key("equal"),
            ])
        let found = result.examples.reduce(into: [:]) {
            $0[String(decoding: $1.key.id + ($1.key.routing ?? []), as: UTF8.self)] = $1
        }
        #expect(found["missing"]?.kind == .missing)
        #expect(found["extra"]?.kind == .extra)
        #expect(found["different"]?.kind == .different)
        #expect(found["different"]?.paths == [PathDifference(path: "n", expected: "1", found: "1.5")])
        #expect(found["different"]?.targetVersion == 1)
        #expect(found["routeda"]?.kind == .twoRoutings)
        #expect(found["routedb"]?.note == #"the old side has it under the routing "a""#)
        #expect(found["42"]?.kind == .twin)
        #expect(found["42"]?.note == #"the new side has the id "\"42\"""#)
        #expect(found.count == 6)
        let index = try #require(result.indices[0])
        #expect(index.absent == 1)
        #expect(index.totals.equal == 1)
        #expect(index.totals.compared == 7 && index.totals.settling == 0)
        #expect(index.totals.findings == [.missing: 1, .extra: 1, .different: 1, .twoRoutings: 2, .twin: 1])
        #expect(result.wrong.count == 6)
        #expect(result.remarks.isEmpty)
    }

    /// A spelling that the old side has, too, is another document. A surplus one gets the other's name.
    @Test func aTwinIsNamed() throws {
        let bench = try Bench()
        for id in ["a-1", "1", "7"] { bench.old(id, #"{"name":"\#(id)"}"#) }
        bench.new("1", #"{"title":"1"}"#, version: 1)
        bench.new("7", #"{"title":"7"}"#, version: 1)
        bench.new("a-7", #"{"title":"7"}"#, version: 1)
        try bench.applied()
        let result = try bench.settle(["a-1", "1", "7", "a-7"].map { Bench.key($0) })
        let found = result.examples.reduce(into: [:]) { $0[String(decoding: $1.key.id, as: UTF8.self)] = $1 }
        #expect(found["a-1"]?.kind == .missing)
        #expect(found["a-7"]?.kind == .extra)
        #expect(found["a-7"]?.note == #"the old side has the id "7", which may be the same"#)
        #expect(found.count == 2)
    }

    /// The old indexer is behind: nothing is said before it has caught up.
    @Test func aLaggingIndexerIsWaitedFor() throws {
        let bench = try Bench()
        bench.old("1", #"{"name":"before"}"#)
        let version = try bench.command(#"{"op":"put","id":"1","doc":{"name":"after"}}"#)
        bench.new("1", #"{"title":"after"}"#, version: version)
        try bench.applied(application: 0)
        let looks = Mutex(0)
        let result = try bench.settle([Bench.key("1")], line: 1) { progress in
            #expect(progress.judged == 0 || looks.withLock { $0 } > 3)
            guard
                looks.withLock({
                    $0 += 1; return $0
                }) == 3
            else { return }
            #expect(progress.waiting?.contains("the application's group stands at offset 0") == true)
            bench.old("1", #"{"name":"after"}"#)
            #expect(throws: Never.self) { try bench.applied() }
        }
        #expect(result.totals.equal == 1 && result.totals.compared == 1)
        #expect(result.verifiedUpTo == [0: 1])
    }

    @Test func aFollowerThatDoesNotFollowIsSettling() throws {
        let bench = try Bench()
        bench.options.book.bound = 700
        bench.old("1", #"{"name":"after"}"#)
        try bench.command(#"{"op":"put","id":"1","doc":{"name":"after"}}"#)
        try bench.applied(crossfade: 0)
        let result = try bench.settle([Bench.key("1")], line: 1)
        #expect(result.totals.settling == 1 && result.totals.compared == 1)
        #expect(result.totals.wrong == 0)
        #expect(result.open.count == 1)
        #expect(
            result.remarks == ["Crossfade stands at offset 0 of partition 0, and the commands go on to 1"])
    }

    @Test func withoutAGroupItSaysWhatIsNotExcluded() throws {
        let bench = try Bench(group: false)
        bench.old("1", #"{"name":"a"}"#)
        bench.new("1", #"{"title":"a"}"#, version: 1)
        try bench.applied()
        let result = try bench.settle([Bench.key("1")], line: 0)
        #expect(result.totals.equal == 1)
        #expect(result.remarks.count == 1)
        #expect(result.remarks.first?.contains("commands.application_group is not named") == true)
    }

    @Test func whatTheLogNamesIsACandidate() throws {
        let bench = try Bench()
        try bench.command(#"{"op":"put","id":"1","doc":{"name":"a"}}"#)
        try bench.command(#"{"op":"del","id":"2"}"#)
        try bench.command(#"{"op":"part","id":"3","doc":{"name":"a"}}"#)
        try bench.applied(application: 2, crossfade: 1)
        let prepared = try bench.prepared()
        let groups = try bench.groups(prepared)
        let positions = try groups.begin(grace: bench.options.book.grace)
        #expect(positions.applied == [0: 1])
        let file = try bench.keys([])
        let commanded = CommandedDocuments(prepared, groups: groups, logger: bench.logger)
        #expect(try commanded.add(since: positions.applied, to: file) == [0: 3])
        var keys: [DocumentKey] = []
        try file.read(chunk: 10) { keys += $0 }
        #expect(keys == [Bench.key("2"), Bench.key("3")])
    }

    /// The new side has what an earlier command said, or what the last one said while the old side has something else.
    @Test func whereInTheLogTheContentComesFrom() throws {
        let bench = try Bench()
        let first = try bench.command(#"{"op":"put","id":"s","doc":{"name":"one"}}"#)
        try bench.command(#"{"op":"part","id":"s","doc":{"n":2}}"#)
        let last = try bench.command(#"{"op":"put","id":"l","doc":{"name":"right"}}"#)
        try bench.command(#"{"op":"put","id":"u","doc":{"name":"never"}}"#)
        bench.old("s", #"{"name":"one","n":2}"#)
        bench.old("l", #"{"name":"wrong"}"#)
        bench.old("u", #"{"name":"never"}"#)
        bench.new("s", #"{"title":"one"}"#, version: first)
        bench.new("l", #"{"title":"right"}"#, version: last)
        bench.new("u", #"{"title":"other"}"#, version: 9)
        try bench.applied()
        let result = try bench.settle(["s", "l", "u"].map { Bench.key($0) })
        let notes = result.examples.reduce(into: [:]) {
            $0[String(decoding: $1.key.id, as: UTF8.self)] = "\($1.kind.rawValue) \($1.note ?? "-")"
        }
        #expect(
            notes == [
                "s": "stale orders/0/0", "l": "different the new side holds what the log says last (orders/0/2)",
                "u": "different -",
            ])
        #expect(result.totals.findings == [.stale: 1, .different: 2])
    }

    @Test func oneWrongStepIsNamedAndTheRestIsLeft() throws {
        let bench = try Bench()
        for number in 0..<12 {
            bench.old("\(number)", #"{"name":"\#(number)","n":1}"#)
            bench.new("\(number)", #"{"title":"\#(number)","n":"1"}"#, version: 1)
        }
        try bench.applied()
        bench.options.stopAfter = 4
        bench.options.book.capacity = 4
        bench.options.limit = 5
        let result = try bench.settle((0..<12).map { Bench.key("\($0)") })
        #expect(result.totals.findings == [.different: 4])
        #expect(result.totals.settling == 8 && result.totals.compared == 12)
        #expect(result.examples.count == 4)
        #expect(result.wrong.count == 4 && result.open.count == 8)
        #expect(
            result.remarks == [
                "4 of 4 examples that differ do so at n",
                "4 documents are wrong; the other 8 candidates were not judged (--stop-after)",
            ])
    }
}

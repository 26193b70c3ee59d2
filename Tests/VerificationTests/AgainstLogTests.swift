import Foundation
import Indexing
import Parity
import Testing
@testable import Verification

/// The fold of the log, and the comparison with it.
@Suite(.serialized) struct AgainstLogTests {
    private typealias Bench = SettlingBench

    private func fold(
        _ bench: SettlingBench, budget: Int, wanted: KeyFile? = nil
    ) throws -> (documents: [String: String], passes: Int) {
        let prepared = try bench.prepared()
        let plan = try bench.plan(prepared)
        let fold = LogFold(LogTail(prepared, logger: bench.logger), plan, budget: budget)
        let groups = try bench.groups(prepared)
        var found: [String: String] = [:]
        _ = try fold.run(try groups.look().whole, wanted: wanted) { folds in
            for (key, one) in folds.held {
                let id = String(decoding: key.id, as: UTF8.self)
                #expect(found[id] == nil, "\(id) belongs to one pass")
                switch one.content {
                case .document(let document): found[id] = String(decoding: document, as: UTF8.self)
                case .deleted: found[id] = "deleted at \(one.version)"
                case .parts, .split: found[id] = "parts"
                case .unnamed: found[id] = "unnamed"
                }
            }
        }
        return (found, fold.passes)
    }

    @Test func severalPassesComeToTheSameAsOne() throws {
        let bench = try Bench()
        for number in 0..<60 {
            try bench.command(#"{"op":"put","id":"\#(number)","doc":{"name":"\#(number)","n":0}}"#)
        }
        for number in stride(from: 0, to: 60, by: 3) {
            try bench.command(#"{"op":"part","id":"\#(number)","doc":{"n":1}}"#)
        }
        for number in stride(from: 0, to: 60, by: 5) { try bench.command(#"{"op":"del","id":"\#(number)"}"#) }
        try bench.command(#"{"op":"part","id":"alone","doc":{"n":1}}"#)
        let one = try fold(bench, budget: 64 << 20)
        #expect(one.passes == 1)
        #expect(one.documents.count == 61)
        #expect(one.documents["1"] == #"{"n":0,"title":"1"}"#)
        #expect(one.documents["3"] == #"{"n":1,"title":"3"}"#)
        #expect(one.documents["0"] == "deleted at 82")
        #expect(one.documents["alone"] == "parts")
        let many = try fold(bench, budget: 8000)
        #expect(many.passes > 2)
        #expect(many.documents == one.documents)
        let few = try fold(
            bench, budget: 64 << 20, wanted: try bench.keys(["3", "alone", "none"].map { Bench.key($0) }))
        #expect(few.documents == one.documents.filter { ["3", "alone"].contains($0.key) })
    }

    @Test func whatDiffersFromTheLogIsFound() throws {
        let bench = try Bench()
        var versions: [String: Int64] = [:]
        for id in ["equal", "spoiled", "missing", "deleted", "undead"] {
            versions[id] = try bench.command(#"{"op":"put","id":"\#(id)","doc":{"name":"\#(id)"}}"#)
        }
        for id in ["deleted", "undead"] { try bench.command(#"{"op":"del","id":"\#(id)"}"#) }
        for id in ["equal", "undead"] { bench.new(id, #"{"title":"\#(id)"}"#, version: versions[id] ?? 0) }
        bench.new("spoiled", #"{"title":"other"}"#, version: 50)
        bench.new("extra", #"{"title":"extra"}"#, version: 1)
        // What the old side has does not matter, nor where the application is.
        bench.old("equal", #"{"name":"another"}"#)
        try bench.applied(application: 0)
        bench.refresh()

        let prepared = try bench.prepared()
        let plan = try bench.plan(prepared)
        let groups = try bench.groups(prepared, against: .log)
        let scan = try LogScan(
            prepared, plan, groups: groups, options: bench.options, budget: 1500, logger: bench.logger
        ).run()
        #expect(scan.entries == [LogScan.Result.Entry(log: 3, target: 4, unknown: 1, candidates: 3, differing: 2)])
        #expect(scan.passes > 1)
        #expect(scan.line == [0: 7])
        let settling = try Settling(
            prepared, plan,
            expectations: FoldedDocuments(
                prepared, plan, losses: scan.losses, groups: groups, logger: bench.logger),
            groups: groups, options: bench.options, logger: bench.logger)
        let result = try settling.run(scan.candidates, line: scan.line)
        let found = result.examples.reduce(into: [:]) { $0[String(decoding: $1.key.id, as: UTF8.self)] = $1.kind }
        // "extra" may have come by the copy.
        #expect(found == ["spoiled": .different, "missing": .missing, "undead": .extra])
        #expect(result.remarks.isEmpty)
    }

    /// Documents that were copied, and that the topic names only by partial updates. What it has of them is not what
    /// they are: a user's repair against the log wrote 244 of them anew, without their other fields.
    @Test func copiedDocumentsThatTheLogKnowsInPart() throws {
        let bench = try Bench()
        for id in ["held", "lost"] { bench.old(id, #"{"name":"\#(id)","n":1}"#) }
        let version = try bench.command(#"{"op":"part","id":"held","doc":{"n":2}}"#)
        try bench.command(#"{"op":"part","id":"lost","doc":{"n":2}}"#)
        bench.new("held", #"{"title":"held","n":2}"#, version: version)
        try bench.applied()
        bench.refresh()
        let prepared = try bench.prepared()
        let plan = try bench.plan(prepared)
        let groups = try bench.groups(prepared, against: .log)
        let scan = try LogScan(prepared, plan, groups: groups, options: bench.options, logger: bench.logger).run()
        #expect(scan.entries == [LogScan.Result.Entry(log: 0, target: 1, unknown: 2, candidates: 0, differing: 0)])
        #expect(scan.losses.words.contains { $0.contains("partial updates") })
        let repair = RepairWork(
            prepared, plan, groups: groups, options: bench.options, trustsSource: false, logger: bench.logger)
        let report = try repair.run(try bench.keys([Bench.key("held"), Bench.key("lost")]), performing: true)
        #expect(report.sum.written == 0 && report.sum.deleted == 0 && report.sum.left == [.baseLost: 2])
    }

    /// `verify --against log --since` counted an id of which the recipe accepts it as unknown, so that no receipt since
    /// then was ever whole.
    @Test func anAcceptedIDIsNotUnknown() throws {
        let bench = try Bench(
            partitions: 2, rest: "accept: [{ rail: one_partition, why: sent by hand, ids: [accepted] }]")
        let version = try bench.command(#"{"op":"put","id":"equal","doc":{"name":"equal"}}"#)
        bench.new("equal", #"{"title":"equal"}"#, version: version)
        for id in ["accepted", "split"] {
            for partition: Int32 in [0, 1] {
                try bench.command(#"{"op":"put","id":"\#(id)","doc":{"name":"\#(partition)"}}"#, in: partition)
            }
        }
        try bench.applied()
        bench.refresh()
        let prepared = try bench.prepared()
        let plan = try bench.plan(prepared)
        let groups = try bench.groups(prepared, against: .log)
        let losses = LogLosses(topic: "t", starts: [:], policy: "delete", hasCopy: false)
        func settle(_ ids: [String]) throws -> SettlingResult {
            let settling = try Settling(
                prepared, plan,
                expectations: FoldedDocuments(prepared, plan, losses: losses, groups: groups, logger: bench.logger),
                groups: groups, options: bench.options, logger: bench.logger)
            return try settling.run(try bench.keys(ids.map { Bench.key($0) }), line: [0: 3, 1: 2])
        }
        let accepted = try settle(["equal", "accepted"])
        #expect(!accepted.isUnknown && accepted.totals.equal == 1 && accepted.judged == 2)
        #expect(accepted.remarks.count == 1 && accepted.remarks[0].hasPrefix("1 document (accepted) have commands"))
        #expect(accepted.remarks[0].contains("which the recipe accepts"))
        let both = try settle(["split", "accepted"])
        #expect(both.isUnknown && both.indices[0]?.unknown == 1 && both.judged == 2)
        #expect(both.remarks.contains { $0.hasPrefix("1 document (split) have commands") })
    }

    /// A log that has lost its beginning says nothing of what it does not name.
    @Test func aLogWithoutItsBeginning() throws {
        let bench = try Bench()
        bench.new("unnamed", #"{"title":"x"}"#, version: 1)
        try bench.applied()
        let prepared = try bench.prepared()
        let plan = try bench.plan(prepared)
        let losses = LogLosses(topic: "t", starts: [0: 0, 1: 7], policy: "compact,delete", hasCopy: false)
        #expect(losses.words.count == 2 && !losses.isWhole)
        let groups = try bench.groups(prepared, against: .log)
        let settling = try Settling(
            prepared, plan,
            expectations: FoldedDocuments(
                prepared, plan, losses: losses, groups: groups, logger: bench.logger),
            groups: groups, options: bench.options, logger: bench.logger)
        let result = try settling.run(try bench.keys([Bench.key("unnamed")]), line: [0: 0])
        #expect(result.indices[0]?.unknown == 1)
        #expect(result.totals.compared == 0)
        #expect(result.isUnknown)
        let whole = LogLosses(topic: "t", starts: [0: 0], policy: "delete", hasCopy: false)
        #expect(whole.words.isEmpty && whole.isWhole)
        let copied = LogLosses(topic: "t", starts: [0: 0], policy: "delete", hasCopy: true)
        #expect(copied.words.count == 1 && !copied.isWhole)
    }

    /// Commands come while it settles.
    @Test func theFoldGoesOnWithTheLog() throws {
        let bench = try Bench()
        let first = try bench.command(#"{"op":"put","id":"1","doc":{"name":"one","n":1}}"#)
        bench.new("1", #"{"title":"one","n":1}"#, version: first)
        try bench.applied()
        let prepared = try bench.prepared()
        let plan = try bench.plan(prepared)
        let losses = LogLosses(topic: "t", starts: [:], policy: "delete", hasCopy: false)
        let documents = FoldedDocuments(
            prepared, plan, losses: losses, groups: try bench.groups(prepared, against: .log), logger: bench.logger)
        func expected() throws -> String? {
            var text: String?
            try documents.read([Bench.key("1")]) { _, pair in
                guard case .document(let document, _, _) = pair.old else { return }
                text = String(decoding: document, as: UTF8.self)
            }
            return text
        }
        #expect(try expected() == #"{"n":1,"title":"one"}"#)
        try bench.command(#"{"op":"part","id":"1","doc":{"n":2}}"#)
        try bench.command(#"{"op":"put","id":"2","doc":{"n":2}}"#)
        #expect(try expected() == #"{"n":2,"title":"one"}"#)
        #expect(try expected() == #"{"n":2,"title":"one"}"#)
        try bench.command(#"{"op":"del","id":"1"}"#)
        #expect(try expected() == nil)
    }
}

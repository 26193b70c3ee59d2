import Foundation
import JSONText
import Parity
import SearchCluster
import Synchronization
import Testing
import Transform

@testable import Verification

@Suite struct ParityScanTests {
    @Test func equalSidesHaveNoCandidates() throws {
        let sides = try TwoSides()
        sides.fill(500)
        sides.target.send("PUT", "/new/_doc/gone", #"{"crossfade_deleted":true,"crossfade_deleted_at":1}"#)
        let result = try sides.run()
        #expect(result.entries == [ScanResult.Entry(source: 500, target: 500)])
        #expect(try TwoSides.candidates(result) == [])
        #expect(result.differingBuckets == 0)
        #expect(result.unread == [])
        #expect(result.oldestRead > 0)
    }

    @Test func whatDiffersIsACandidateAndNothingElse() throws {
        let sides = try TwoSides()
        sides.fill(300)
        sides.old("missing", "{}")
        sides.new("extra", "{}")
        sides.old("different", #"{"a":9007199254740992}"#)
        sides.new("different", #"{"a":9007199254740993}"#)
        sides.old("equal", #"{"a":1}"#)
        sides.new("equal", #"{"a":1.0}"#)
        sides.old("moved", #"{"a":1}"#, routing: "one")
        sides.new("moved", #"{"a":1}"#, routing: "two")
        sides.old("routed", #"{"a":1}"#, routing: "one")
        sides.new("routed", #"{"a":1}"#, routing: "one")
        sides.old("itself", #"{"a":1}"#, routing: "itself")
        sides.new("itself", #"{"a":1}"#)
        sides.old("deleted", #"{"a":1}"#)
        sides.new("deleted", #"{"crossfade_deleted":true,"crossfade_deleted_at":1}"#)
        let result = try sides.run()
        #expect(
            try TwoSides.candidates(result) == ["deleted", "different", "extra", "missing", "moved/one", "moved/two"])
        #expect(result.repeatedCount == 0)
        let left = try FileManager.default.contentsOfDirectory(atPath: sides.folder.path)
        #expect(left.sorted() == ["candidates", "scan"])
    }

    @Test func theOldSideIsComparedInTheFormOfTheCopy() throws {
        let sides = try TwoSides()
        sides.transform = [.rename(from: try JSONPath(parsing: "a"), to: try JSONPath(parsing: "b"))]
        sides.id = "{type}-{id}"
        sides.old("1", #"{"a":1}"#)
        sides.new("_doc-1", #"{"b":1}"#)
        sides.old("2", #"{"a":1}"#)
        sides.new("_doc-2", #"{"a":1}"#)
        // It cannot be copied, so it is not expected.
        sides.old("3", #"{"crossfade_deleted":1}"#)
        let result = try sides.run()
        #expect(try TwoSides.candidates(result) == ["_doc-2"])
        #expect(result.entries == [ScanResult.Entry(source: 2, target: 2, uncopied: 1, candidates: 1, differing: 1)])
    }

    @Test func twoDocumentsOfTheSourceUnderOneIDAreNoticed() throws {
        let sides = try TwoSides()
        sides.from = ["old", "older"]
        sides.fill(20)
        sides.old("7", #"{"other":1}"#, index: "older")
        let result = try sides.run()
        #expect(try TwoSides.candidates(result) == ["7"])
        #expect(result.repeatedCount == 1)
        #expect(result.repeated.first?.source == 2)
        #expect(result.repeated.first?.target == 1)
    }

    /// Neither "equal" nor "missing": what was not read is said.
    @Test func halfAPageIsNoPage() throws {
        let sides = try TwoSides()
        sides.fill(400)
        for side in [sides.source, sides.target] {
            side.change { hits in Array(hits.prefix(hits.count / 2)) }
        }
        sides.options.patience = 1000
        let result = try sides.run()
        #expect(!result.unread.isEmpty)
        #expect(result.unread.contains { $0.contains("source") } && result.unread.contains { $0.contains("target") })
        #expect(try TwoSides.candidates(result) == [])
    }

    @Test func aPageThatWasHalvedOnceIsReadAgain() throws {
        let sides = try TwoSides()
        sides.fill(400)
        let left = Mutex(2)
        sides.source.change { hits in
            let isHalved =
                hits.count > 10
                && left.withLock { left in
                    left -= 1
                    return left >= 0
                }
            return isHalved ? Array(hits.prefix(hits.count / 2)) : hits
        }
        let result = try sides.run()
        #expect(result.unread == [])
        #expect(result.entries == [ScanResult.Entry(source: 400, target: 400)])
        #expect(try TwoSides.candidates(result) == [])
        #expect(left.withLock { $0 } < 0)
    }

    private struct Killed: Error {}

    @Test func aKilledScanGoesOn() throws {
        let sides = try TwoSides()
        sides.fill(800)
        sides.new("3", #"{"other":1}"#)
        sides.options.readers = 1
        let killed = try sides.scan()
        #expect(!killed.goesOn)
        // The first slices are read, and then nothing more.
        sides.options.documentsPerSecond = nil
        #expect(throws: Killed.self) {
            _ = try killed.run(begun: ["position": 5]) { progress in if progress.slices.done >= 2 { throw Killed() } }
        }
        let pages = (sides.source.pages, sides.target.pages)
        let again = try sides.scan()
        let result: ScanResult
        guard again.goesOn else {
            throw Killed()
        }
        #expect(again.begun == ["position": 5])
        result = try again.run(begun: ["position": 9]) { _ in }
        #expect(again.begun == ["position": 5])
        #expect(result.entries == [ScanResult.Entry(source: 800, target: 800, candidates: 1, differing: 1)])
        #expect(try TwoSides.candidates(result) == ["3"])
        #expect(pages.0 > 0 && pages.1 > 0)
        // Another comparison does not go on with it.
        #expect(try sides.scan(digest: "two").goesOn == false)
        again.forget()
        #expect(try sides.scan().goesOn == false)
    }

    @Test func ignoredPathsAreNotCompared() throws {
        let sides = try TwoSides()
        sides.options.ignoring = [try JSONPath(parsing: "stamp")]
        sides.old("1", #"{"a":1,"stamp":1}"#)
        sides.new("1", #"{"a":1,"stamp":2}"#)
        for number in 2..<50 {
            sides.old("\(number)", #"{"a":1,"stamp":1}"#)
            sides.new("\(number)", #"{"a":1,"stamp":\#(number < 10 ? 2 : 1)}"#)
        }
        sides.old("more", #"{"a":1,"stamp":1}"#)
        let result = try sides.run()
        #expect(try TwoSides.candidates(result) == ["more"])
        #expect(result.ignored == [.init(entry: 0, path: "stamp", documents: 9)])
        sides.new("more", #"{"a":1,"stamp":1}"#)
        sides.options.emptyArrayIsAbsent = true
        sides.old("array", #"{"a":1,"b":[]}"#)
        sides.new("array", #"{"a":1}"#)
        #expect(try TwoSides.candidates(sides.run()) == [])
    }

    @Test func whereEverythingDiffersTheCommonPathIsNamed() throws {
        let sides = try TwoSides()
        for number in 0..<120 {
            sides.old("\(number)", #"{"a":{"b":\#(number)},"list":[{"c":1},{"c":1}],"secret":"s"}"#)
            sides.new("\(number)", #"{"a":{"b":"\#(number)"},"list":[{"c":1},{"c":1}],"secret":"s"}"#)
        }
        let result = try sides.run()
        let words = try #require(result.early)
        #expect(words.hasPrefix("120 of the first 120 documents differ, 120 of them at a.b: "))
        #expect(words.hasSuffix("expected a number, found a string"))
        #expect(result.candidates.count == 120 && !result.hasStopped)
        sides.options.stopAfter = 10
        let pages = sides.source.pages
        let stopped = try sides.run()
        #expect(stopped.hasStopped)
        #expect(stopped.candidates.count >= 10)
        // Only the sample was read.
        #expect(sides.source.pages == pages)
    }

    @Test func slicesOfAStillIndexMustSum() throws {
        func look(_ count: Int64, sequence: Int64?) -> StillIndices {
            StillIndices(looks: [
                StillIndices.Name(side: .target, index: "new", entry: 0): StillIndices.Look(
                    count: count,
                    copies: [CopyFigures(shard: 0, node: "n", isPrimary: true, documents: count, sequence: sequence)])
            ])
        }
        let name = StillIndices.Name(side: .target, index: "new", entry: 0)
        #expect(look(5, sequence: 9).missing(look(5, sequence: 9), read: [name: 5]).isEmpty)
        #expect(look(5, sequence: 9).missing(look(5, sequence: 9), read: [name: 4]).count == 1)
        // Something was written meanwhile, or nobody knows.
        #expect(look(5, sequence: 9).missing(look(5, sequence: 10), read: [name: 4]).isEmpty)
        #expect(look(5, sequence: nil).missing(look(5, sequence: nil), read: [name: 4]).isEmpty)
    }
}

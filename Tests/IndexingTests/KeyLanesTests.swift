import Commands
import JSONText
import Testing

@testable import Indexing

/// Documents of these tests are fields `k=v;` in any order; the transform writes each key in upper case. A `!` cannot
/// be transformed, a `?` is refused by the server.
final class FieldTransform: LaneTransform {
    static func fields(_ bytes: [UInt8]) -> [String: String] {
        var fields: [String: String] = [:]
        for field in String(decoding: bytes, as: UTF8.self).split(separator: ";") {
            let pair = field.split(separator: "=")
            fields[String(pair[0])] = String(pair[1])
        }
        return fields
    }

    static func text(_ fields: [String: String]) -> [UInt8] {
        Array(fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value);" }.joined().utf8)
    }

    func apply(entry: Int, document: [UInt8]) throws(LaneError) -> [UInt8] {
        if document.contains(UInt8(ascii: "!")) { throw LaneError(reason: "cast_failed", detail: "field x") }
        var target: [String: String] = [:]
        for (key, value) in Self.fields(document) { target[key.uppercased()] = value }
        return Self.text(target)
    }

    func merge(entry: Int, base: [UInt8]?, partial: [UInt8]) throws(LaneError) -> [UInt8] {
        let part = Self.fields(try apply(entry: entry, document: partial))
        return Self.text(Self.fields(base ?? []).merging(part) { $1 })
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

extension KeyLanes {
    func add(
        _ id: String, _ kind: OperationKind, _ version: Int64, _ document: String, token: UInt64,
        routing: String? = nil,
        waitFor: Int? = nil
    ) {
        bytes(id).withUnsafeBufferPointer {
            append(
                entry: 0, id: $0,
                LaneOperation(
                    kind: kind, version: version, routing: routing.map(bytes), document: bytes(document), token: token,
                    waitFor: waitFor))
        }
    }

    func holds(_ id: String) -> Bool { bytes(id).withUnsafeBufferPointer { holds(0, $0) } }
}

@Suite struct KeyLanesTests {
    let transform = FieldTransform()

    @Test func foldsOntoTheBaseAndGoesOnWithoutReading() throws {
        let lanes = KeyLanes()
        #expect(!lanes.holds("a"))
        lanes.add("a", .merge, 5, "x=1;", token: 1)
        lanes.add("a", .merge, 6, "y=2;", token: 2)
        #expect(lanes.holds("a") && !lanes.holds("b"))
        let fetch = try #require(lanes.takeFetches(max: 9).first)
        lanes.base(fetch.key, found: true, tombstone: false, version: 3, document: bytes("X=0;Z=9;"))
        let write = try #require(lanes.takeWrites(max: 9, using: transform).first)
        #expect(write.body == .document(bytes("X=1;Y=2;Z=9;")))
        #expect(write.version == 6 && write.operations == 2)
        lanes.add("a", .merge, 7, "z=3;", token: 3)
        #expect(lanes.takeWrites(max: 9, using: transform).isEmpty)
        let settled = lanes.written(write.key, .applied).outcomes
        #expect(settled == [LaneOutcome(token: 1, outcome: .merged), LaneOutcome(token: 2, outcome: .merged)])
        #expect(lanes.takeFetches(max: 9).isEmpty)
        let next = try #require(lanes.takeWrites(max: 9, using: transform).first)
        #expect(next.body == .document(bytes("X=1;Y=2;Z=3;")) && next.version == 7)
        #expect(lanes.written(next.key, .applied).outcomes == [LaneOutcome(token: 3, outcome: .merged)])
        #expect(lanes.isEmpty && lanes.heldBytes == 0 && lanes.queued == 0)
    }

    @Test func olderThanTheBaseIsStale() throws {
        let lanes = KeyLanes()
        lanes.add("a", .merge, 5, "x=1;", token: 1)
        let fetch = try #require(lanes.takeFetches(max: 9).first)
        lanes.base(fetch.key, found: true, tombstone: false, version: 5, document: bytes("X=0;"))
        let write = try #require(lanes.takeWrites(max: 9, using: transform).first)
        #expect(write.body == .nothing)
        #expect(write.settled.outcomes == [LaneOutcome(token: 1, outcome: .stale, newer: 5)])
        #expect(lanes.isEmpty && lanes.heldBytes == 0)
    }

    @Test func conflictIsStaleAndTheRestReadsAgain() throws {
        let lanes = KeyLanes()
        lanes.add("a", .merge, 5, "x=1;", token: 1)
        let fetch = try #require(lanes.takeFetches(max: 9).first)
        lanes.base(fetch.key, found: false, tombstone: false, version: 0, document: nil)
        let write = try #require(lanes.takeWrites(max: 9, using: transform).first)
        lanes.add("a", .delete, 8, "", token: 2)
        lanes.add("a", .index, 10, "q=1;", token: 3)
        let stale = lanes.written(write.key, .stale(newer: 9)).outcomes
        #expect(stale == [LaneOutcome(token: 1, outcome: .stale, newer: 9)])
        let again = try #require(lanes.takeFetches(max: 9).first)
        lanes.base(again.key, found: true, tombstone: true, version: 9, document: nil)
        let last = try #require(lanes.takeWrites(max: 9, using: transform).first)
        #expect(last.settled.outcomes == [LaneOutcome(token: 2, outcome: .stale, newer: 9)])
        #expect(last.body == .document(bytes("Q=1;")))
        #expect(lanes.written(last.key, .applied).outcomes == [LaneOutcome(token: 3, outcome: .indexed)])
        #expect(lanes.written(last.key, .applied).isEmpty)
    }

    /// Its own tombstone is written again, once, so that it is young; if that is refused, something newer is there.
    @Test(arguments: [LaneWriteResult.applied, .stale(newer: 11)])
    func deleteThatIsReadAgainRenewsItsTombstone(_ result: LaneWriteResult) throws {
        let lanes = KeyLanes()
        lanes.add("a", .merge, 5, "x=1;", token: 1)
        lanes.add("a", .delete, 9, "", token: 2)
        let fetch = try #require(lanes.takeFetches(max: 9).first)
        lanes.base(fetch.key, found: true, tombstone: true, version: 9, document: nil)
        let write = try #require(lanes.takeWrites(max: 9, using: transform).first)
        #expect(write.body == .tombstone && write.version == 9)
        #expect(write.settled.outcomes == [LaneOutcome(token: 1, outcome: .stale, newer: 9)])
        let settled = lanes.written(write.key, result).outcomes
        guard result == .stale(newer: 11), settled.isEmpty else {
            let outcome = LaneOutcome(
                token: 2, outcome: result == .applied ? .deleted : .stale, newer: result == .applied ? nil : 11)
            return #expect(settled == [outcome])
        }
        let again = try #require(lanes.takeFetches(max: 9).first)
        lanes.base(again.key, found: true, tombstone: false, version: 12, document: bytes("X=2;"))
        let last = try #require(lanes.takeWrites(max: 9, using: transform).first)
        #expect(last.body == .nothing && last.settled.outcomes == [LaneOutcome(token: 2, outcome: .stale, newer: 12)])
    }

    /// Content that is in the written document counts as what it did; what was replaced whole is superseded.
    @Test func outcomesOfACoalescedWrite() throws {
        let lanes = KeyLanes()
        lanes.add("a", .merge, 5, "x=1;", token: 1)
        lanes.add("a", .index, 6, "y=2;", token: 2)
        lanes.add("a", .delete, 7, "", token: 3)
        lanes.add("a", .merge, 8, "z=3;", token: 4)
        lanes.add("a", .merge, 7, "late=1;", token: 5)
        lanes.add("a", .merge, 9, "w=4;", token: 6)
        let fetch = try #require(lanes.takeFetches(max: 9).first)
        lanes.base(fetch.key, found: false, tombstone: false, version: 0, document: nil)
        let write = try #require(lanes.takeWrites(max: 9, using: transform).first)
        #expect(write.body == .document(bytes("W=4;Z=3;")) && write.version == 9 && write.operations == 5)
        #expect(write.settled.outcomes == [LaneOutcome(token: 5, outcome: .stale, newer: 8)])
        let outcomes = lanes.written(write.key, .applied).outcomes
        #expect(outcomes.map(\.outcome) == [.superseded, .superseded, .deleted, .merged, .merged])
        #expect(lanes.isEmpty && lanes.heldBytes == 0)
    }

    /// A source document newer than the operation: it is written as the copied page would be, and the operation is
    /// stale.
    @Test func olderThanTheSource() throws {
        let lanes = KeyLanes()
        lanes.copyUnfinished = true
        lanes.add("a", .merge, 5, "x=1;", token: 1)
        for fetch in lanes.takeFetches(max: 9) {
            lanes.base(fetch.key, found: false, tombstone: false, version: 0, document: nil)
        }
        #expect(lanes.takeWrites(max: 9, using: transform).isEmpty)
        let fetch = try #require(lanes.takeSourceFetches(max: 9).first)
        lanes.sourceBase(fetch.key, document: bytes("x=7;y=8;"), version: 9)
        let write = try #require(lanes.takeWrites(max: 9, using: transform).first)
        #expect(write.body == .document(bytes("X=7;Y=8;")) && write.version == 9)
        #expect(write.settled.isEmpty)
        #expect(lanes.written(write.key, .applied).outcomes == [LaneOutcome(token: 1, outcome: .stale)])
        #expect(lanes.isEmpty && lanes.heldBytes == 0)
    }

    /// A source document that the target refuses counts as missing, as it does when its copied page came first.
    @Test(arguments: MissingDocument.allCases) func refusedSource(_ policy: MissingDocument) throws {
        let lanes = KeyLanes(missing: [policy])
        lanes.copyUnfinished = true
        lanes.add("a", .merge, 5, "x=1;", token: 1)
        for fetch in lanes.takeFetches(max: 9) {
            lanes.base(fetch.key, found: false, tombstone: false, version: 0, document: nil)
        }
        _ = lanes.takeWrites(max: 9, using: transform)
        let fetch = try #require(lanes.takeSourceFetches(max: 9).first)
        lanes.sourceBase(fetch.key, document: bytes("p=?;"))
        let first = try #require(lanes.takeWrites(max: 9, using: transform).first)
        #expect(lanes.written(first.key, .dead(reason: "mapper_parsing", detail: "")).isEmpty)
        let second = try #require(lanes.takeWrites(max: 9, using: transform).first)
        if policy == .create {
            #expect(second.body == .document(bytes("X=1;")) && second.version == 5)
            #expect(lanes.written(second.key, .applied).outcomes == [LaneOutcome(token: 1, outcome: .merged)])
        } else {
            #expect(second.body == .nothing)
            #expect(second.settled.rejects.map(\.reason) == (policy == .reject ? ["missing_document"] : []))
            #expect(second.settled.outcomes.map(\.outcome) == (policy == .ignore ? [.skipped] : []))
        }
        #expect(lanes.isEmpty && lanes.heldBytes == 0)
    }

    /// As the update API's 404 for an application that passes over it: nothing is written, and a tombstone stays.
    @Test func ignoredPartsOfMissingDocumentsDoNothing() throws {
        let lanes = KeyLanes(missing: [.ignore])
        lanes.add("gone", .merge, 9, "x=1;", token: 1)
        lanes.add("never", .merge, 9, "x=1;", token: 2)
        lanes.add("there", .merge, 9, "x=1;", token: 3)
        lanes.add("now", .delete, 8, "", token: 4)
        lanes.add("now", .merge, 9, "x=1;", token: 5)
        lanes.add("again", .merge, 8, "x=1;", token: 6)
        lanes.add("again", .index, 9, "y=2;", token: 7)
        for fetch in lanes.takeFetches(max: 9) {
            let name = String(decoding: fetch.id, as: UTF8.self)
            let isThere = name == "there" || name == "now"
            lanes.base(
                fetch.key, found: isThere || name == "gone", tombstone: name == "gone",
                version: isThere || name == "gone" ? 5 : 0, document: isThere ? bytes("A=1;") : nil)
        }
        var outcomes: [UInt64: Outcome] = [:]
        var bodies: [String: LaneWrite.Body] = [:]
        for write in lanes.takeWrites(max: 9, using: transform) {
            #expect(write.settled.rejects.isEmpty)
            for outcome in write.settled.outcomes { outcomes[outcome.token] = outcome.outcome }
            guard write.body != .nothing else { continue }
            bodies[String(decoding: write.id, as: UTF8.self)] = write.body
            for outcome in lanes.written(write.key, .applied).outcomes { outcomes[outcome.token] = outcome.outcome }
        }
        #expect(
            bodies == [
                "there": .document(bytes("A=1;X=1;")), "now": .tombstone, "again": .document(bytes("Y=2;")),
            ])
        #expect(
            outcomes == [
                1: .skipped, 2: .skipped, 3: .merged, 4: .deleted, 5: .skipped, 6: .skipped, 7: .indexed,
            ])
        #expect(lanes.isEmpty && lanes.heldBytes == 0)
    }

    /// What another entry has is not missing, and a row whose large columns did not come is no part.
    @Test func ignoresNeitherMovesNorRowsWithoutColumns() throws {
        let lanes = KeyLanes(missing: [.ignore])
        lanes.add("moved", .merge, 9, "x=1;", token: 1)
        lanes.add("row", .keep, 9, "x=1;", token: 2)
        for fetch in lanes.takeFetches(max: 9) {
            if fetch.id == bytes("moved") {
                lanes.elsewhere(fetch.key, tombstone: true, version: 5)
            } else {
                lanes.base(fetch.key, found: false, tombstone: false, version: 0, document: nil)
            }
        }
        let rejects = lanes.takeWrites(max: 9, using: transform).flatMap(\.settled.rejects)
        #expect(rejects.map(\.reason) == ["moves", "missing_document"])
    }

    @Test func unreadableIsDeadAndTheRestGoesOn() throws {
        let lanes = KeyLanes()
        lanes.add("a", .merge, 5, "x=1;", token: 1)
        lanes.add("a", .merge, 6, "y=1;", token: 2, routing: "r")
        let fetch = try #require(lanes.takeFetches(max: 9).first)
        let result = lanes.unreadable(fetch.key, reason: "routing_missing", detail: "d")
        #expect(result.rejects == [LaneReject(token: 1, reason: "routing_missing", detail: "d")])
        #expect(lanes.unreadable(fetch.key, reason: "routing_missing", detail: "d").isEmpty)
        #expect(lanes.takeFetches(max: 9).map(\.routing) == [bytes("r")])
        #expect(lanes.removeAll() == [2] && lanes.heldBytes == 0)
    }

    @Test func onlyTheGuiltyOneIsDead() throws {
        let lanes = KeyLanes()
        for (token, text) in ["a=1;", "b=?;", "c=3;"].enumerated() {
            lanes.add("a", .merge, Int64(token) + 5, text, token: UInt64(token))
        }
        var target = (version: Int64(0), document: [UInt8]?.none)
        var settled: [UInt64: String] = [:]
        var rounds = 0
        while !lanes.isEmpty, rounds < 50 {
            rounds += 1
            for fetch in lanes.takeFetches(max: 9) {
                lanes.base(
                    fetch.key, found: target.document != nil, tombstone: false, version: target.version,
                    document: target.document)
            }
            for write in lanes.takeWrites(max: 9, using: transform) {
                guard case .document(let document) = write.body else { continue }
                let refused = document.contains(UInt8(ascii: "?"))
                if !refused { target = (write.version, document) }
                let result = lanes.written(write.key, refused ? .dead(reason: "mapper_parsing", detail: "b") : .applied)
                for outcome in result.outcomes { settled[outcome.token] = outcome.outcome.name }
                for reject in result.rejects { settled[reject.token] = reject.reason }
            }
        }
        #expect(settled == [0: "merged", 1: "mapper_parsing", 2: "merged"])
        #expect(target.document == bytes("A=1;C=3;") && target.version == 7)
        #expect(lanes.heldBytes == 0)
    }

    @Test func missingDocument() throws {
        let lanes = KeyLanes(missing: [.reject])
        lanes.copyUnfinished = true
        lanes.add("a", .merge, 5, "x=1;", token: 1)
        lanes.add("b", .merge, 6, "x=1;", token: 2)
        lanes.add("c", .merge, 7, "x=!;", token: 3)
        for fetch in lanes.takeFetches(max: 9) {
            lanes.base(fetch.key, found: false, tombstone: false, version: 0, document: nil)
        }
        #expect(lanes.takeWrites(max: 9, using: transform).isEmpty)
        let fetches = lanes.takeSourceFetches(max: 9)
        #expect(fetches.map(\.id) == [bytes("a"), bytes("b"), bytes("c")])
        lanes.fetchFailed(fetches[0].key)
        lanes.sourceBase(fetches[1].key, document: nil)
        lanes.sourceBase(fetches[2].key, document: bytes("y=1;"))
        let rejects = lanes.takeWrites(max: 9, using: transform).flatMap(\.settled.rejects)
        #expect(rejects.map(\.reason) == ["missing_document", "cast_failed"])
        let again = try #require(lanes.takeSourceFetches(max: 9).first)
        lanes.sourceBase(again.key, document: bytes("y=1;x=0;"))
        let write = try #require(lanes.takeWrites(max: 9, using: transform).first)
        #expect(write.body == .document(bytes("X=1;Y=1;")) && write.version == 5)
        #expect(lanes.removeAll() == [1] && lanes.heldBytes == 0 && lanes.queued == 0)
        #expect(lanes.written(write.key, .applied).isEmpty)
    }

    @Test func waitsForTheBatchUnderWay() {
        let lanes = KeyLanes()
        lanes.add("a", .merge, 5, "x=1;", token: 1, waitFor: 3)
        lanes.add("a", .merge, 6, "x=1;", token: 2, waitFor: 4)
        #expect(lanes.takeFetches(max: 9).isEmpty)
        lanes.batchFinished(4)
        #expect(lanes.takeFetches(max: 9).isEmpty)
        lanes.batchFinished(9)
        lanes.batchFinished(3)
        #expect(lanes.takeFetches(max: 9).count == 1)
    }

    @Test func anotherRoutingIsAnotherDocument() throws {
        let lanes = KeyLanes()
        lanes.add("a", .merge, 5, "x=1;", token: 1, routing: "r")
        lanes.add("a", .merge, 6, "y=1;", token: 2, routing: "s")
        let first = try #require(lanes.takeFetches(max: 9).first)
        #expect(first.routing == bytes("r"))
        lanes.base(first.key, found: false, tombstone: false, version: 0, document: nil)
        let write = try #require(lanes.takeWrites(max: 9, using: transform).first)
        #expect(write.operations == 1)
        _ = lanes.written(write.key, .applied)
        let second = try #require(lanes.takeFetches(max: 9).first)
        #expect(second.routing == bytes("s"))
    }
}

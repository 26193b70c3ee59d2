import Commands
import JSONText
import Testing

@testable import Indexing

/// Calls `body` with an operation whose bytes live as long as the call.
func withOperation<Result>(
    _ id: String, _ kind: OperationKind, _ version: Int64, _ document: String = "", entry: Int = 0,
    routing: String? = nil, _ body: (Operation) throws -> Result
) rethrows -> Result {
    let (id, routing, document) = (bytes(id), bytes(routing ?? ""), bytes(document))
    let isRouted = !routing.isEmpty
    return try id.withUnsafeBufferPointer { id in
        try routing.withUnsafeBufferPointer { routing in
            try document.withUnsafeBufferPointer { document in
                try body(
                    Operation(
                        kind: kind, entry: entry, id: id, routing: isRouted ? routing : nil, version: version,
                        document: document))
            }
        }
    }
}

extension RecordRoute {
    /// The case's name.
    var name: String {
        switch self {
        case .skip: "skip"
        case .reject: "reject"
        case .keyLane: "keyLane"
        case .batch: "batch"
        }
    }
}

extension PartialUpdateAction {
    var outcomes: [LaneOutcome]? { if case .settle(let outcomes) = self { outcomes } else { nil } }
    var rejects: [LaneReject]? { if case .reject(let rejects) = self { rejects } else { nil } }
    var targetRead: [LaneFetch]? { if case .readTarget(let fetches) = self { fetches } else { nil } }
    var sourceRead: [LaneFetch]? { if case .readSource(let fetches) = self { fetches } else { nil } }
    var write: LaneWrite? { if case .write(let write) = self { write } else { nil } }
}

/// A coordinator in a box, because the macros of the tests need something that can be copied.
final class Coordination {
    var coordinator: PartialUpdateCoordinator
    let transform = FieldTransform()

    init(
        isNeeded: Bool = true, missing: MissingDocument = .create, readBytes: Int = 8 << 20,
        copyUnfinished: Bool = false
    ) {
        coordinator = PartialUpdateCoordinator(
            missing: [missing], isNeeded: isNeeded, readBytes: readBytes, copyUnfinished: copyUnfinished)
    }

    var isBusy: Bool { coordinator.isBusy }
    var heldBytes: Int { coordinator.heldBytes }

    func route(_ id: String, _ kind: OperationKind, onlyDeletes: Bool = false) -> String {
        withOperation(id, kind, 5) { coordinator.route(.operation($0), onlyDeletes: onlyDeletes).name }
    }

    func route(_ decoded: Decoded, onlyDeletes: Bool) -> String {
        coordinator.route(decoded, onlyDeletes: onlyDeletes).name
    }

    @discardableResult
    func append(
        _ id: String, _ version: Int64 = 5, _ document: String = "x=1;", kind: OperationKind = .merge,
        recordBytes: Int = 0
    ) -> UInt64 {
        withOperation(id, kind, version, document) { coordinator.append($0, recordBytes: recordBytes) }
    }

    func sent(_ id: String, in batch: Int) { withOperation(id, .index, 4) { coordinator.sent($0, in: batch) } }

    func next(isFull: Bool = false) -> PartialUpdateAction? { coordinator.next(isFull: isFull, using: transform) }
}

@Suite struct PartialUpdateCoordinatorTests {
    private func absent(_ fetch: LaneFetch) -> BaseAnswer {
        .target(fetch.key, found: false, tombstone: false, version: 0, document: nil)
    }

    @Test func whereARecordGoes() {
        let one = Coordination()
        #expect(one.route(.skip, onlyDeletes: false) == "skip")
        let reject = Reject(reason: "no_id", detail: "")
        #expect(one.route(.reject(reject), onlyDeletes: false) == "reject")
        #expect(one.route(.reject(reject), onlyDeletes: true) == "skip")
        #expect(one.route("a", .index) == "batch" && one.route("a", .delete) == "batch")
        #expect(one.route("a", .index, onlyDeletes: true) == "skip")
        #expect(one.route("a", .merge, onlyDeletes: true) == "skip")
        #expect(one.route("a", .delete, onlyDeletes: true) == "batch")
        #expect(one.route("a", .merge) == "keyLane")
        // From now on everything of the key waits behind the partial update.
        one.append("a")
        #expect(one.route("a", .index) == "keyLane" && one.route("a", .delete) == "keyLane")
        #expect(one.route("b", .index) == "batch")
    }

    @Test func withoutPartialUpdatesNothingIsLookedUp() {
        let one = Coordination(isNeeded: false)
        #expect(one.route("a", .index) == "batch" && one.route("a", .delete) == "batch")
        #expect(!one.isBusy && one.heldBytes == 0)
    }

    @Test func readsFoldsWritesAndSettles() throws {
        let one = Coordination()
        let first = one.append("a", 5, "x=1;", recordBytes: 1000)
        let second = one.append("a", 6, "y=2;", recordBytes: 1000)
        #expect(one.isBusy && one.heldBytes > 2000)
        let read = try #require(one.next()?.targetRead)
        #expect(one.next() == nil)
        one.coordinator.basesRead([
            .target(read[0].key, found: true, tombstone: false, version: 3, document: bytes("Z=9;"))
        ])
        let write = try #require(one.next()?.write)
        #expect(write.body == .document(bytes("X=1;Y=2;Z=9;")) && write.version == 6)
        #expect(one.next() == nil)
        one.coordinator.written(write.key, .applied)
        let outcomes = one.next()?.outcomes
        #expect(
            outcomes == [LaneOutcome(token: first, outcome: .merged), LaneOutcome(token: second, outcome: .merged)])
        #expect(one.next() == nil)
        #expect(!one.isBusy && one.heldBytes == 0)
    }

    @Test func waitsForTheBatchThatWritesTheKey() throws {
        let one = Coordination()
        one.sent("a", in: 1)
        one.sent("b", in: 2)
        one.sent("a", in: 2)
        one.append("a", 7, "x=1;")
        #expect(one.next() == nil)
        // The older batch, which is being repeated, holds the key as well.
        one.coordinator.finished(batch: 2)
        #expect(one.next() == nil)
        one.coordinator.finished(batch: 1)
        #expect(one.next()?.targetRead?.count == 1)
        // Of batches that are finished nothing is remembered.
        one.append("b", 8, "x=1;")
        #expect(one.next()?.targetRead?.count == 1)
        one.coordinator.finished(batch: 7)
    }

    @Test func takesTheSourcesDocumentWhileTheCopyIsUnfinished() throws {
        let one = Coordination(copyUnfinished: true)
        let token = one.append("a", 5, "x=1;")
        let read = try #require(one.next()?.targetRead)
        one.coordinator.basesRead([absent(read[0])])
        let source = try #require(one.next()?.sourceRead)
        one.coordinator.basesRead([.source(source[0].key, document: bytes("s=1;"), version: 1)])
        let write = try #require(one.next()?.write)
        #expect(write.body == .document(bytes("S=1;X=1;")))
        one.coordinator.written(write.key, .stale(newer: 9))
        #expect(one.next()?.outcomes == [LaneOutcome(token: token, outcome: .stale, newer: 9)])
    }

    @Test func aBaseThatCannotBeReadRejectsItsRecord() throws {
        let one = Coordination()
        let token = one.append("a", 5, "x=1;", recordBytes: 500)
        let read = try #require(one.next()?.targetRead)
        one.coordinator.basesRead([.unreadable(read[0].key, reason: "routing_missing", detail: "d")])
        #expect(one.next()?.rejects == [LaneReject(token: token, reason: "routing_missing", detail: "d")])
        #expect(!one.isBusy && one.heldBytes == 0)
    }

    @Test func aMissingDocumentRejectsWithoutAWrite() throws {
        let one = Coordination(missing: .reject)
        let token = one.append("a", 5, "x=1;")
        let read = try #require(one.next()?.targetRead)
        one.coordinator.basesRead([absent(read[0])])
        let rejects = one.next()?.rejects
        #expect(rejects?.map(\.token) == [token] && rejects?.first?.reason == "missing_document")
        #expect(one.next() == nil && !one.isBusy)
    }

    @Test func readsAreBounded() throws {
        let one = Coordination(readBytes: 640 << 10, copyUnfinished: true)
        for number in 0..<50 { one.append("k\(number)", 5, "x=1;") }
        // Ten documents of the guessed 64 KiB; two reads at once.
        let first = try #require(one.next()?.targetRead)
        let second = try #require(one.next()?.targetRead)
        #expect(first.count == 10 && second.count == 10)
        #expect(one.next() == nil)
        // One more of the source, so that the target's reads do not keep it waiting.
        one.coordinator.basesRead(first.map(absent))
        let third = try #require(one.next()?.targetRead)
        #expect(one.next()?.sourceRead?.count == 10)
        #expect(one.next() == nil)
        // With the memory limit reached one read goes on, so that memory is given back at all.
        one.coordinator.basesRead(second.map { .failed($0.key) })
        one.coordinator.basesRead(third.map { .failed($0.key) })
        #expect(one.next(isFull: true) == nil)
        one.coordinator.basesRead([])
        #expect(one.next(isFull: true)?.targetRead != nil)
        #expect(one.next(isFull: true) == nil)
    }

    @Test func largeDocumentsAreReadFewAtATime() throws {
        let one = Coordination(readBytes: 1 << 20)
        func lastRead(_ documentBytes: Int) throws -> Int {
            var count = 0
            for round in 0..<30 {
                for number in 0..<600 { one.append("k\(round)-\(number)", 5, "x=1;") }
                let read = try #require(one.next(isFull: true)?.targetRead)
                count = read.count
                let document = [UInt8](repeating: UInt8(ascii: ";"), count: documentBytes)
                one.coordinator.basesRead(
                    read.map { .target($0.key, found: true, tombstone: false, version: 9, document: document) })
                _ = one.coordinator.abandon()
            }
            return count
        }
        #expect(try lastRead(100) == 500)
        #expect(try lastRead(300 << 10) < 5)
    }

    @Test func abandonDropsWhatWaits() throws {
        let one = Coordination()
        let token = one.append("a", 5, "x=1;", recordBytes: 10)
        let read = try #require(one.next()?.targetRead)
        #expect(one.coordinator.abandon() == [token])
        #expect(one.heldBytes == 0)
        // Its read is still under way; the answer changes nothing.
        #expect(one.isBusy)
        one.coordinator.basesRead([absent(read[0])])
        #expect(!one.isBusy && one.next() == nil)
        #expect(one.append("a", 5, "x=1;", recordBytes: 10) == token + 1)
    }
}

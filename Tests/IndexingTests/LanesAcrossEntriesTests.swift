import Commands
import Testing

@testable import Indexing

/// A base is looked for in every entry between which documents move, so nothing of the id may be under way in any.
/// Found by the simulation: two partial updates created one document in two entries, and one that followed a delete in
/// another entry became a dead letter.
@Suite struct LanesAcrossEntriesTests {
    private final class Box {
        var coordinator = PartialUpdateCoordinator(
            missing: [.create, .create], isNeeded: true, readBytes: 8 << 20, copyUnfinished: false, documentsMove: true)
        let transform = FieldTransform()

        func append(_ entry: Int, _ version: Int64) -> UInt64 {
            withOperation("a", .merge, version, "x=1;", entry: entry) { coordinator.append($0, recordBytes: 0) }
        }
        func mustWait(_ entry: Int) -> Bool {
            withOperation("a", .index, 9, "x=1;", entry: entry) { coordinator.mustWait($0) }
        }
        func sent(_ entry: Int, in batch: Int) {
            withOperation("a", .delete, 4, entry: entry) { coordinator.sent($0, in: batch) }
        }
        func next() -> PartialUpdateAction? { coordinator.next(isFull: false, using: transform) }
    }

    @Test func aMoveWaitsForThePartialUpdateBeforeIt() throws {
        let box = Box()
        _ = box.append(0, 5)
        let second = box.append(1, 6)
        #expect(box.mustWait(0) && box.mustWait(1))
        let first = try #require(box.next()?.targetRead)
        #expect(first.map(\.entry) == [0] && box.next() == nil)
        box.coordinator.basesRead([
            .target(first[0].key, found: false, tombstone: false, version: 0, document: nil)
        ])
        let write = try #require(box.next()?.write)
        #expect(write.entry == 0 && box.next() == nil)
        box.coordinator.written(write.key, .applied)
        #expect(box.next()?.outcomes?.count == 1)
        let read = try #require(box.next()?.targetRead)
        #expect(read.map(\.entry) == [1])
        box.coordinator.basesRead([.elsewhere(read[0].key, tombstone: false, version: 0)])
        #expect(box.next()?.rejects?.map(\.token) == [second])
        #expect(!box.coordinator.isBusy && box.coordinator.heldBytes == 0 && !box.mustWait(0))
    }

    @Test func aPartialUpdateWaitsForTheDeleteInAnotherEntry() {
        let box = Box()
        box.sent(1, in: 7)
        _ = box.append(0, 5)
        #expect(box.next() == nil && box.coordinator.isBusy)
        box.coordinator.finished(batch: 7)
        #expect(box.next()?.targetRead?.map(\.entry) == [0])
    }

    @Test func whatWaitsIsAbandonedWithTheLanes() {
        let box = Box()
        let tokens = [box.append(0, 5), box.append(1, 6)]
        #expect(box.coordinator.abandon().sorted() == tokens)
        #expect(!box.coordinator.isBusy && box.coordinator.heldBytes == 0)
    }
}

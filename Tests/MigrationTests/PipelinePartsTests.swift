import Commands
import Foundation
import JSONText
@testable import Pipeline
@testable import Runtime
import SearchCluster
import Seeds
import Testing
@testable import Migration

@Suite struct LedgerTests {
    /// read == outcomes + unsettled, whatever is settled when, and the committable offset never passes what is open.
    @Test(arguments: [UInt64(4), 5, 6, 1_234_567])
    func sumsHold(seed: UInt64) throws {
        var generator = Seeded(seed)
        let ledger = Ledger()
        ledger.own(3)
        var open: [(run: RunReference, first: Int64, left: Int)] = []
        var next: Int64 = 10
        var read = 0
        for _ in 0..<2000 {
            if Bool.random(using: &generator) || open.isEmpty {
                let count = Int.random(in: 1...20, using: &generator)
                let first = next + Int64.random(in: 0...3, using: &generator)
                next = first + Int64(count) + Int64.random(in: 0...5, using: &generator)
                let run = try #require(ledger.open(lane: 3, first: first, next: next, count: count))
                open.append((run, first, count))
                read += count
            } else {
                let at = Int.random(in: 0..<open.count, using: &generator)
                let count = Int.random(in: 1...open[at].left, using: &generator)
                ledger.settle(open[at].run, Outcome.allCases.randomElement(using: &generator) ?? .indexed, count)
                open[at].left -= count
                if open[at].left == 0 { open.remove(at: at) }
            }
            #expect(ledger.outcomes.total + ledger.unsettled == read, "seed \(seed)")
            if let committable = ledger.committable()[3] {
                #expect(open.allSatisfy { $0.first >= committable }, "seed \(seed)")
            }
        }
    }

    /// For every partition, at any moment, over any order of taking and giving back: read == outcomes + in flight.
    @Test(arguments: [UInt64(11), 12, 13])
    func partitionsReconcile(seed: UInt64) throws {
        var generator = Seeded(seed)
        let ledger = Ledger()
        var next: [Int32: Int64] = [:]
        var open: [(run: RunReference, left: Int)] = []
        for _ in 0..<3000 {
            let lane = Int32.random(in: 0..<4, using: &generator)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0: ledger.own(lane, start: next[lane] ?? 0)
            case 1: ledger.disown(lane)
            case 2...5:
                let count = Int.random(in: 1...9, using: &generator)
                let first = next[lane] ?? 0
                guard let run = ledger.open(lane: lane, first: first, next: first + Int64(count), count: count) else {
                    continue
                }
                next[lane] = first + Int64(count)
                open.append((run, count))
            default:
                guard let at = open.indices.randomElement(using: &generator) else { continue }
                let count = Int.random(in: 1...open[at].left, using: &generator)
                ledger.settle(open[at].run, Outcome.allCases.randomElement(using: &generator) ?? .indexed, count)
                open[at].left -= count
                if open[at].left == 0 { open.remove(at: at) }
            }
            let parts = ledger.partitions()
            for part in parts { #expect(part.read == part.outcomes.total + part.inFlight, "seed \(seed)") }
            #expect(parts.reduce(0) { $0 + $1.outcomes.total } == ledger.outcomes.total, "seed \(seed)")
            #expect(parts.reduce(0) { $0 + $1.inFlight } == ledger.unsettled, "seed \(seed)")
        }
    }

    /// What arrives late for a lane that was given back, and taken again, counts for nothing.
    @Test func lateSettlementOfAFormerOwnershipIsIgnored() throws {
        let ledger = Ledger()
        ledger.own(1)
        let old = try #require(ledger.open(lane: 1, first: 0, next: 10, count: 10))
        ledger.disown(1)
        #expect(ledger.open(lane: 1, first: 10, next: 11, count: 1) == nil)
        ledger.own(1)
        _ = ledger.open(lane: 1, first: 0, next: 10, count: 10)
        #expect(!ledger.settle(old, .indexed, 10))
        #expect(ledger.committable()[1] == nil)
        #expect(ledger.unsettled == 10)
    }
}

@Suite struct BulkBatchTests {
    /// Keeping some items moves just their lines to the front, in order.
    @Test(arguments: [UInt64(8), 9, 10])
    func keepCompacts(seed: UInt64) {
        var generator = Seeded(seed)
        for _ in 0..<200 {
            let batch = BulkBatch(worker: 0)
            var lines: [String] = []
            for number in 0..<Int.random(in: 1...30, using: &generator) {
                let line = String(repeating: "x", count: .random(in: 0...9, using: &generator)) + "\(number)\n"
                let start = batch.body.count
                batch.body.append(line)
                batch.items.append(
                    BatchItem(
                        start: start, end: batch.body.count, run: 0, kind: .index,
                        offset: Int64(number), version: 1))
                lines.append(line)
            }
            let kept = batch.items.filter { _ in Bool.random(using: &generator) }
            batch.keep(kept)
            let expected = kept.map { lines[Int($0.offset)] }.joined()
            #expect(String(repairing: batch.body.bytes) == expected, "seed \(seed)")
            #expect(batch.items.last?.end ?? 0 == batch.body.count)
            for item in batch.items {
                #expect(String(repairing: batch.body.slice(item.start..<item.end)) == lines[Int(item.offset)])
            }
        }
    }
}

@Suite struct SliceTextTests {
    @Test func slicesComeBackFromTheState() throws {
        for kind in [SliceSpec.Kind.slice, .shard, .whole] {
            let slice = SliceSpec(index: "a b", kind: kind, number: 3, of: 16)
            #expect(SliceSpec(index: "a b", text: slice.text) == slice)
        }
        for text in ["", "slice", "slice 3", "slice 3/x", "other 3/16", "slice 3/16 more"] {
            #expect(SliceSpec(index: "i", text: text) == nil, "\(text)")
        }
    }
}

@Suite struct CopyVersionTests {
    private func version(_ format: CommandFormat, _ document: String) -> Int64 {
        let bytes = Array(document.utf8)
        return bytes.withUnsafeBufferPointer { CopyVersions(format).version(of: $0) }
    }

    @Test func theFieldInsideTheDocumentOrTheFloor() throws {
        let path = try JSONPath(parsing: "message.rev")
        let envelope = CommandFormat.Envelope(
            id: .key, operation: path, index: [], merge: [], delete: [], ignore: [],
            document: try JSONPath(parsing: "message"))
        var format = CommandFormat(shape: .envelope(envelope), version: .field(path), epoch: 2)
        #expect(version(format, #"{"rev": 17}"#) == 17)
        #expect(version(format, #"{"rev": "18"}"#) == 18)
        #expect(version(format, #"{"other": 1}"#) == DocumentVersion.floor(epoch: 2))
        #expect(version(format, #"{"rev": -1}"#) == DocumentVersion.floor(epoch: 2))
        format.version = .offset
        #expect(version(format, #"{"rev": 17}"#) == 2 << 44 | 1)
    }
}

@Suite struct MailboxTests {
    @Test func everythingPutIsTakenOnceInOrder() async {
        let box = Mailbox<Int>()
        let thread = JoinableThread("putter") {
            for number in 0..<10_000 { box.put(number) }
            box.close()
        }
        var taken: [Int] = []
        while true {
            if let number = box.take(waiting: 50) { taken.append(number) } else if box.isClosed { break }
        }
        thread.join()
        #expect(taken == Array(0..<10_000))
        #expect(box.put(1) == false)
    }
}

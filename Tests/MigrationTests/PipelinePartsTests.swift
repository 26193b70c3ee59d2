import Commands
import Foundation
import JSONText
@testable import Pipeline
@testable import Runtime
import SearchCluster
import Seeds
import Testing
@testable import Migration

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

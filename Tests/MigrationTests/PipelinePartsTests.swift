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
    /// The version, or the reason of the reject.
    private func version(_ format: CommandFormat, _ document: String, stored: Int64? = nil) -> String {
        Array(document.utf8).withUnsafeBufferPointer { bytes in
            do throws(Reject) {
                return "\(try CopyVersions(format).version(of: bytes, stored: stored))"
            } catch {
                return error.reason
            }
        }
    }

    private func format(_ version: CommandFormat.VersionSource) throws -> CommandFormat {
        let envelope = CommandFormat.Envelope(
            id: .key, operation: try JSONPath(parsing: "op"), index: [], merge: [], delete: [], ignore: [],
            document: try JSONPath(parsing: "message"))
        return CommandFormat(shape: .envelope(envelope), version: version, epoch: 2)
    }

    @Test func theFieldInsideTheDocumentOrTheFloor() throws {
        let format = try format(.field(try JSONPath(parsing: "message.rev")))
        let expected = [
            (#"{"rev": 17}"#, "17"), (#"{"rev": "18"}"#, "18"), (#"{"rev": 9.0}"#, "9"), (#"{"rev": 90e-1}"#, "9"),
            (#"{"rev": "\u0035.0"}"#, "5"), (#"{"rev": 9007199254740993.0}"#, "9007199254740993"),
            (#"{"other": 1}"#, "0"), (#"{"rev": null}"#, "0"), (#"{"rev": 0}"#, "0"),
            (#"{"rev": -1}"#, "bad_version"), (#"{"rev": 9.5}"#, "bad_version"), (#"{"rev": ""}"#, "bad_version"),
            (#"{"rev": "v9"}"#, "bad_version"), (#"{"rev": [9]}"#, "bad_version"), (#"{"rev": true}"#, "bad_version"),
            (#"{"rev": 9223372036854775808}"#, "bad_version"), (#"{"rev": 9}}"#, "not_json"),
        ]
        for (document, version) in expected { #expect(self.version(format, document) == version, "\(document)") }
    }

    @Test func theFloorIsBelowEveryCommand() throws {
        #expect(version(try format(.offset), #"{"rev": 17}"#) == "\(2 << 44 | 1)")
        #expect(version(try format(.header("rev")), #"{"rev": 17}"#) == "0")
        #expect(version(try format(.field(try JSONPath(parsing: "rev"))), #"{"rev": 17}"#) == "0")
        for epoch: Int64 in [0, 1, 200_000, 1 << 18 - 1] {
            var format = try format(.timestamp)
            format.epoch = epoch
            #expect(DocumentVersion.floor(format) < DocumentVersion.timestamp(1, offset: 0))
            format.version = .offset
            #expect(DocumentVersion.floor(format) < DocumentVersion.offset(0, epoch: epoch))
        }
    }

    @Test func asTheRecipeSays() throws {
        var format = try format(.field(try JSONPath(parsing: "message.rev")))
        format.copied = .floor
        #expect(version(format, #"{"rev": 17}"#, stored: 3) == "0")
        format.copied = .source
        #expect(version(format, #"{"rev": 17}"#, stored: 3) == "3")
        #expect(version(format, #"{"rev": 17}"#) == "bad_version")
        #expect(version(format, #"{"rev": 17}"#, stored: -1) == "bad_version")
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

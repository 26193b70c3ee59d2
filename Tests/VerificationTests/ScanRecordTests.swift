import Foundation
import JSONText
import Parity
import SearchCluster
import Testing

@testable import Verification

@Suite struct ScanRecordTests {
    @Test func aRecordComesBackAsItWasOrNotAtAll() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: url) }
        var record = ScanRecord(
            digest: "d", begun: ["0": 17],
            slices: [
                ScanSlice(side: .source, entry: 0, spec: SliceSpec(index: "old", kind: .slice, number: 1, of: 2)),
                ScanSlice(side: .target, entry: 3, spec: SliceSpec(index: "new", kind: .whole, number: 0, of: 1)),
            ], columns: 2)
        record.slices[0].isDone = true
        (record.slices[0].documents, record.slices[0].uncopied, record.slices[0].began) = (5, 1, 1_790_000_000_000)
        record.source.add([ParityItem(hash: .max, digest: ContentDigest(high: 3, low: 4))])
        record.target.add([ParityItem(hash: 5, digest: ContentDigest(high: 1, low: .max))])
        record.ignored[1].add(7, [1, 2])
        try record.save(url)
        #expect(ScanRecord.load(url, digest: "d") == record)
        #expect(ScanRecord.load(url, digest: "e") == nil)
        var data = try Data(contentsOf: url)
        data[data.count / 2] ^= 1
        try data.write(to: url)
        #expect(ScanRecord.load(url, digest: "d") == nil)
        try data.prefix(1000).write(to: url)
        #expect(ScanRecord.load(url, digest: "d") == nil)
        try Data().write(to: url)
        #expect(ScanRecord.load(url, digest: "d") == nil)
    }
}

import Foundation
import Parity
import Seeds
import Testing
import Verification

@Suite struct KeyFileTests {
    @Test func namesComeBackAsTheyWere() throws {
        var seed = Seeded(newSeed("namesComeBackAsTheyWere"))
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = try KeyFile(folder.appendingPathComponent("names"))
        let keys = (0..<5000).map { _ in
            func bytes(_ most: Int) -> [UInt8] {
                (0..<Int.random(in: 0...most, using: &seed)).map { _ in UInt8.random(in: 0...255, using: &seed) }
            }
            return DocumentKey(
                entry: Int.random(in: 0...9, using: &seed), id: bytes(300),
                routing: Bool.random(using: &seed) ? bytes(40) : nil)
        }
        for key in keys { try file.append(key) }
        #expect(file.count == keys.count)
        for chunk in [1, 7, 10_000] {
            var read: [DocumentKey] = []
            try file.read(chunk: chunk) { part in
                #expect(part.count <= chunk)
                read += part
            }
            #expect(read == keys)
        }
    }

    @Test func eachNameComesOnceFromAFileWithRepetitions() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = try KeyFile(folder.appendingPathComponent("names"))
        // More than fit into one part.
        for number in 0..<220_000 {
            try file.append(
                DocumentKey(
                    entry: 0, id: Array("\(number % 70_000)".utf8), routing: number % 2 == 0 ? [1] : nil))
        }
        var read: [DocumentKey: Int] = [:]
        var parts = 0
        try file.distinct(in: folder) { keys in
            parts += 1
            for key in keys { read[key, default: 0] += 1 }
        }
        #expect(parts == 2)
        #expect(read.count == 70_000)
        #expect(read.values.allSatisfy { $0 == 1 })
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["names"])
    }
}

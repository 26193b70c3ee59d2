import JSONText
import Seeds
import Testing

@testable import Indexing

@Suite struct KeyTableTests {
    @Test func sameAsADictionary() {
        let seed = newSeed("sameAsADictionary")
        var random = Seeded(seed)
        for range: UInt64 in [8, 200, .max] {
            let table = KeyTable(capacity: 1)
            var model: [UInt64: Int] = [:]
            // Few homes and long probe chains: multiples of a power of two land in one slot.
            let stride: UInt64 = range == 200 ? 1 << 20 : 1
            for step in 0..<50_000 {
                let key = UInt64.random(in: 0..<range, using: &random) &* stride
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<5: #expect(table.insert(key, step) == model.updateValue(step, forKey: key), "seed \(seed)")
                case 5..<8: #expect(table.remove(key) == model.removeValue(forKey: key), "seed \(seed)")
                default: #expect(table.get(key) == model[key], "seed \(seed)")
                }
                if step % 20_000 == 19_999 {
                    table.removeAll(keepingAtMost: step % 2 == 0 ? 4 : .max)
                    model = [:]
                }
            }
            #expect(table.count == model.count)
            for (key, value) in model { #expect(table.get(key) == value, "seed \(seed)") }
        }
    }

    @Test func hashesSpread() {
        var seen: Set<UInt64> = []
        var buckets = [Int](repeating: 0, count: 1_024)
        for number in 0..<100_000 {
            var text = "incident-\(number)"
            let hash = text.withUTF8 { KeyHash.hash($0) }
            seen.insert(hash)
            buckets[Int(hash & 1_023)] += 1
        }
        #expect(seen.count == 100_000)
        #expect(buckets.allSatisfy { (40...170).contains($0) })
        for length in 0..<80 {
            var bytes = [UInt8](repeating: 7, count: length)
            let whole = bytes.withUnsafeBufferPointer { KeyHash.hash($0) }
            #expect(bytes.withUnsafeBufferPointer { KeyHash.hash($0, seed: 1) } != whole)
            for at in 0..<length {
                bytes[at] ^= 1
                #expect(bytes.withUnsafeBufferPointer { KeyHash.hash($0) } != whole)
                bytes[at] ^= 1
            }
            bytes.append(7)
            #expect(bytes.withUnsafeBufferPointer { KeyHash.hash($0) } != whole)
        }
    }
}

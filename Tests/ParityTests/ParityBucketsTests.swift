import JSONText
import Parity
import Seeds
import Testing

@Suite struct ParityBucketsTests {
    /// One document of one side.
    private struct Item {
        var side: ParitySide
        var reading: UInt32
        var key: DocumentKey
        var text: String
    }

    private func item(_ item: Item, _ digester: DocumentDigester) -> ParityItem {
        Array(item.text.utf8).withUnsafeBufferPointer { text in
            item.key.id.withUnsafeBufferPointer { id in
                guard let routing = item.key.routing else {
                    return digester.item(text, entry: item.key.entry, id: id, routing: nil)
                }
                return routing.withUnsafeBufferPointer {
                    digester.item(text, entry: item.key.entry, id: id, routing: $0)
                }
            }
        }
    }

    /// Documents of which most are on both sides alike, and what is wrong about the rest.
    private func random(_ seed: inout Seeded) -> [Item] {
        var items: [Item] = []
        for number in 0..<seed.below(400) {
            let id = Array((seed.chance(20) ? "same" : "id \(number)").utf8)
            let routing = seed.chance(20) ? Array("r\(seed.below(3))".utf8) : nil
            let key = DocumentKey(entry: seed.below(2), id: id, routing: routing)
            let text = #"{"a":\#(seed.below(3))}"#
            for side in ParitySide.allCases where !seed.chance(4) {
                let own = seed.chance(4) ? #"{"b":1}"# : text
                items.append(Item(side: side, reading: UInt32(seed.below(10)), key: key, text: own))
                if seed.chance(4) { items.append(Item(side: side, reading: 1, key: key, text: text)) }
            }
        }
        return items.shuffled(using: &seed)
    }

    /// The documents that the sides do not have alike, the plain way.
    private func differing(_ items: [Item]) -> [DocumentKey: [Int]] {
        var found: [DocumentKey: [[String]]] = [:]
        for item in items { found[item.key, default: [[], []]][item.side == .source ? 0 : 1].append(item.text) }
        return found.filter { $0.value[0].sorted() != $0.value[1].sorted() }.mapValues { $0.map(\.count) }
    }

    @Test func differingDocumentsAreFoundAndNoOthers() throws {
        var seed = Seeded(newSeed("differingDocumentsAreFoundAndNoOthers"))
        let digester = DocumentDigester()
        for _ in 0..<40 {
            let unfinished: UInt32 = 9
            let items = random(&seed)
            let counted = items.filter { $0.reading != unfinished }
            let expected = differing(counted)
            var sums = [BucketSums(), BucketSums()]
            for item in counted { sums[item.side == .source ? 0 : 1].add([self.item(item, digester)]) }
            let buckets = DifferingBuckets(sums[0], sums[1])
            #expect((buckets.count == 0) == expected.isEmpty)
            let spilled = ByteBuffer()
            for item in items {
                let parity = self.item(item, digester)
                guard buckets.contains(parity.hash) else { continue }
                item.key.id.withUnsafeBufferPointer { id in
                    (item.key.routing ?? []).withUnsafeBufferPointer { routing in
                        SpilledItems.append(
                            parity, item.side, reading: item.reading, entry: item.key.entry, id: id,
                            routing: item.key.routing == nil ? nil : routing, to: spilled)
                    }
                }
            }
            var found: [DocumentKey: [Int]] = [:]
            let isWhole = SpilledItems.differing(in: spilled.bytes, counts: { $0 != unfinished }) { difference in
                #expect(found[difference.key] == nil)
                found[difference.key] = [difference.source, difference.target]
            }
            #expect(isWhole)
            #expect(found == expected)
            if spilled.count > 0 {
                let cut = Bytes(rebasing: spilled.bytes.dropLast())
                #expect(!SpilledItems.differing(in: cut, counts: { _ in true }, found: { _ in }))
            }
        }
    }

    @Test func sumsOfSlicesAreTheSumOfAll() {
        var seed = Seeded(newSeed("sumsOfSlicesAreTheSumOfAll"))
        let digester = DocumentDigester()
        let items = random(&seed).map { item($0, digester) }
        var all = BucketSums()
        var slices = [BucketSums(), BucketSums(), BucketSums()]
        for item in items {
            all.add([item])
            slices[seed.below(3)].add([item])
        }
        var sum = BucketSums()
        for slice in slices { sum.add(slice) }
        #expect(sum == all)
        #expect(sum.total == Int64(items.count))
        sum.removeAll()
        #expect(sum == BucketSums())
    }

    @Test func aRoutingThatIsTheIDIsNone() {
        let digester = DocumentDigester()
        let id = Array("a".utf8)
        Array("{}".utf8).withUnsafeBufferPointer { text in
            id.withUnsafeBufferPointer { id in
                let none = digester.item(text, entry: 0, id: id, routing: nil)
                #expect(digester.item(text, entry: 0, id: id, routing: id) == none)
                Array("b".utf8).withUnsafeBufferPointer { routing in
                    #expect(digester.item(text, entry: 0, id: id, routing: routing) != none)
                }
                #expect(digester.item(text, entry: 1, id: id, routing: nil) != none)
            }
        }
    }
}

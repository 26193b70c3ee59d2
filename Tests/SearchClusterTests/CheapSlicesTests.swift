import Testing

@testable import SearchCluster

@Suite struct CheapSlicesTests {
    private func index(shards: Int, documents: Int64) -> IndexInfo {
        IndexInfo(
            name: "a", answer: ["settings": ["index": ["number_of_shards": .string("\(shards)")]]], typed: false,
            documentCount: documents)
    }

    @Test(arguments: [0, 1, 5_000_000]) func oneForAShard(_ documents: Int64) {
        #expect(index(shards: 1, documents: documents).cheapSlices == 1)
        #expect(index(shards: 5, documents: documents).cheapSlices == 5)
    }

    /// Elasticsearch gives each shard the same number of slices only where it is a multiple.
    @Test func severalForALargeShard() {
        #expect(index(shards: 1, documents: 5_000_001).cheapSlices == 2)
        #expect(index(shards: 2, documents: 10_000_001).cheapSlices == 4)
        #expect(index(shards: 3, documents: 1_000_000_000).cheapSlices == 201)
    }

    @Test func aCountWithoutSenseIsNoCrash() {
        #expect(index(shards: .max, documents: .max).cheapSlices > 0)
        #expect(index(shards: -1, documents: -1).cheapSlices == 1)
    }
}

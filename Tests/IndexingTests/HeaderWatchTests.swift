import Indexing
import Testing

struct HeaderWatchTests {
    @Test func withoutHeadersFewRecordsAreAsked() {
        var watch = HeaderWatch(seed: 1)
        var asked = 0
        for _ in 0..<16_000 {
            _ = watch.bytes {
                asked += 1
                return 0
            }
        }
        #expect((900...1100).contains(asked))
    }

    /// A record of 1 MiB of headers counted as 300 bytes. Wherever headers are, those of most records are counted.
    @Test(arguments: [1, 2, 16, 100]) func whereThereAreHeadersTheyAreCounted(_ distance: Int) {
        var watch = HeaderWatch(seed: 2)
        let counted = (0..<100_000).reduce(0) { sum, number in
            sum + watch.bytes { number % distance == distance / 2 ? 1 : 0 }
        }
        #expect(counted > 90_000 / distance)
    }
}

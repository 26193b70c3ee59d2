import Indexing
import Seeds
import Testing

@Suite struct RefreshWaitTests {
    private let primary = ShardCopy(shard: "0", node: "a")
    private let replica = ShardCopy(shard: "0", node: "b")

    @Test func aRefreshThatWasUnderWayDoesNotCount() {
        let wait = RefreshWait(interval: 30_000, now: 0, counts: [primary: 5])
        #expect(!wait.isOver(now: 10, counts: [primary: 6]))
        #expect(wait.isOver(now: 10, counts: [primary: 7]))
    }

    @Test func everyCopyMustBeRefreshed() {
        let wait = RefreshWait(interval: 30_000, now: 0, counts: [primary: 5, replica: 0])
        #expect(!wait.isOver(now: 10, counts: [primary: 9, replica: 1]))
        #expect(wait.isOver(now: 10, counts: [primary: 9, replica: 2]))
    }

    @Test func aCopyThatHasMovedIsNotKnown() {
        let wait = RefreshWait(interval: 30_000, now: 0, counts: [primary: 5])
        #expect(!wait.isOver(now: 10, counts: [primary: 9, replica: 100]))
        #expect(!wait.isOver(now: 10, counts: [:]))
        #expect(!wait.isOver(now: 10, counts: nil))
    }

    @Test func twoIntervalsAreEnough() {
        let wait = RefreshWait(interval: 1000, now: 500, counts: nil)
        #expect(!wait.isOver(now: 2500, counts: nil))
        #expect(wait.isOver(now: 500 + 2000 + RefreshWait.slack, counts: nil))
        #expect(wait.left(now: 3500) == 0)
    }

    /// A model: copies are refreshed at random times, and a refresh shows what was written before it began.
    @Test func whatItLetsThroughIsVisible() {
        let seed = newSeed("refresh wait")
        for round in 0..<2000 {
            var random = Seeded(seed &+ UInt64(round))
            let interval = Int64(1 + random.below(50))
            let begin = Int64(random.below(100))
            // Each copy: when its refreshes begin and end, one after the other.
            let copies = (0..<(1 + random.below(3))).map { number -> [(began: Int64, ended: Int64)] in
                var at = Int64(random.below(Int(interval)))
                return (0..<(60 + 1500 / Int(interval))).map { _ in
                    let ended = at + Int64(random.below(Int(interval)))
                    defer { at = max(at + interval, ended) }
                    return (at, ended)
                }
            }
            func counts(_ now: Int64) -> [ShardCopy: Int64] {
                Dictionary(
                    uniqueKeysWithValues: copies.enumerated().map { number, refreshes in
                        (
                            ShardCopy(shard: "\(number)", node: "n"),
                            Int64(refreshes.filter { $0.ended <= now }.count)
                        )
                    })
            }
            let wait = RefreshWait(interval: interval, now: begin, counts: counts(begin))
            guard let over = (begin..<(begin + 4000)).first(where: { wait.isOver(now: $0, counts: counts($0)) }) else {
                Issue.record("it never ends, seed \(seed), round \(round)")
                return
            }
            for refreshes in copies {
                let sees = refreshes.contains { $0.began >= begin && $0.ended <= over }
                #expect(sees, "seed \(seed), round \(round)")
            }
        }
    }
}

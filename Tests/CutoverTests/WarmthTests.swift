import Cutover
import Seeds
import Testing

@Suite struct WarmthTests {
    private func warmth(_ times: [Int64], step: Int64 = 50) -> Warmth {
        var warmth = Warmth()
        for (number, time) in times.enumerated() { warmth.add(time, now: Int64(number) * step) }
        return warmth
    }

    @Test func fallingTimesAreNotSettledAndEqualOnesAre() {
        let cold = [Int64](repeating: 900, count: 20), cool = [Int64](repeating: 300, count: 20)
        let warm = [Int64](repeating: 40, count: 20)
        #expect(!warmth(cold).isSettled && !warmth(cold + cool).isSettled && !warmth(cold + cool + warm).isSettled)
        #expect(warmth(cold + warm + warm).isSettled)
        #expect(warmth(cold + warm + warm).words == "60 searches, 95 % within 40 ms, at first 900 ms")
        // what is slow and stays slow is as warm as it gets
        #expect(warmth(cold + cold).isSettled)
        // a few milliseconds more or less are nothing
        #expect(warmth([Int64](repeating: 1, count: 20) + [Int64](repeating: 11, count: 20)).isSettled)
    }

    @Test func slowSearchesMakeShorterRounds() {
        #expect(warmth([Int64](repeating: 2000, count: 4), step: 2000).rounds.isEmpty)
        #expect(warmth([Int64](repeating: 2000, count: 10), step: 2000).isSettled)
        #expect(!warmth([]).isSettled && warmth([]).words == "0 searches")
    }

    @Test func percentileLeavesOneInTwentyAbove() {
        let seed = newSeed("percentiles")
        var random = Seeded(seed)
        #expect(Warmth.percentile([]) == nil)
        for _ in 0..<500 {
            let values = (0..<1 + random.below(60)).map { _ in Int64(random.below(1000)) }
            let found = Warmth.percentile(values) ?? -1
            let within = values.filter { $0 <= found }.count
            let below = values.filter { $0 < found }.count
            #expect(within * 20 >= values.count * 19, "seed \(seed): \(values)")
            #expect(below * 20 < values.count * 19, "seed \(seed): \(values)")
        }
    }

    /// However times behave before, it settles two rounds after they have become steady, and never before that while
    /// they fall by more than a quarter from round to round.
    @Test func settlesWhenTimesAreSteady() {
        let seed = newSeed("times that settle")
        var random = Seeded(seed)
        for _ in 0..<300 {
            var warmth = Warmth()
            var now: Int64 = 0
            func feed(_ time: Int64, _ warmth: inout Warmth) {
                now += time + 50
                warmth.add(time, now: now)
            }
            var level = Int64(400 + random.below(100_000))
            while level > 200 {
                let rounds = warmth.rounds.count
                while warmth.rounds.count == rounds { feed(level - Int64(random.below(Int(level / 50))), &warmth) }
                #expect(!warmth.isSettled, "seed \(seed): \(warmth.rounds)")
                level /= 2
            }
            let falling = warmth.rounds.count
            while warmth.rounds.count < falling + 2 { feed(level, &warmth) }
            #expect(warmth.isSettled, "seed \(seed): \(warmth.rounds)")
        }
    }
}

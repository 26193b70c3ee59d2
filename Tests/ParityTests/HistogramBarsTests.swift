import Parity
import Seeds
import Testing

@Suite struct HistogramBarsTests {
    @Test func theBarsHoldTheWholeSpanOnce() {
        var seed = Seeded(newSeed("theBarsHoldTheWholeSpanOnce"))
        for _ in 0..<2000 {
            let first = Int64.random(in: -4_000_000_000_000...4_000_000_000_000, using: &seed)
            let last = first + Int64.random(in: 0...(1 << Int64.random(in: 0...50, using: &seed)), using: &seed)
            let bars = HistogramBars.between(first, last, atMost: 12)
            #expect(bars.count >= 1 && bars.count <= 12)
            #expect((bars.first?.from ?? .max) <= first)
            #expect((bars.last?.to ?? .min) > last)
            for (one, next) in zip(bars, bars.dropFirst()) { #expect(one.to == next.from) }
        }
    }

    @Test func noSpanHasNoBars() {
        #expect(HistogramBars.between(nil, nil, atMost: 12).isEmpty)
        #expect(HistogramBars.between(5, 4, atMost: 12).isEmpty)
        #expect(HistogramBars.between(.min, .max, atMost: 12).isEmpty)
        #expect(HistogramBars.between(.max - 1, .max, atMost: 12).isEmpty)
    }
}

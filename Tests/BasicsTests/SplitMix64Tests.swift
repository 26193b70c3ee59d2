import Basics
import Testing

@Suite struct SplitMix64Tests {
    /// The numbers that the authors' own program gives for this seed.
    @Test func theNumbersAreThoseOfTheAlgorithm() {
        var random = SplitMix64(seed: 1_234_567)
        #expect(
            (0..<3).map { _ in random.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            ])
    }

    @Test func aNumberIsBelowItsBound() {
        var random = SplitMix64(seed: 7)
        #expect(Set((0..<200).map { _ in random.below(5) }) == [0, 1, 2, 3, 4])
        #expect(random.below(0) == 0 && random.below(-1) == 0)
        #expect(!(0..<50).contains { _ in random.chance(0) } && (0..<50).allSatisfy { _ in random.chance(100) })
    }
}

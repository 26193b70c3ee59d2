import Seeds
import Testing

@testable import Basics

@Suite struct NearestWordTests {
    @Test(
        arguments: [
            ("keytovalue", "keyToValue"), ("tpoic", "topic"), ("in-flight", "in_flight"),
            ("applicationgroup", "application_group"), ("sesion.timeout.ms", "session.timeout.ms"),
            ("xyz", nil), ("", nil), (String(repeating: "topic", count: 13), nil),
        ] as [(String, String?)])
    func finds(_ word: String, _ expected: String?) {
        let words = ["keyToValue", "topic", "in_flight", "application_group", "to", "session.timeout.ms"]
        #expect(NearestWord.to(word, among: words) == expected)
    }

    @Test func theFirstOfEquallyNearWords() {
        #expect(NearestWord.to("cat", among: ["bat", "hat"]) == "bat")
        #expect(NearestWord.to("hat", among: ["bat", "hat"]) == "hat")
    }

    /// The distance as its definition says it, without a table.
    private func distance(_ one: ArraySlice<Character>, _ other: ArraySlice<Character>) -> Int {
        guard let left = one.last, let right = other.last else { return one.count + other.count }
        var best = min(
            distance(one.dropLast(), other) + 1, distance(one, other.dropLast()) + 1,
            distance(one.dropLast(), other.dropLast()) + (left == right ? 0 : 1))
        if one.count > 1, other.count > 1, one.dropLast().last == right, other.dropLast().last == left {
            best = min(best, distance(one.dropLast(2), other.dropLast(2)) + 1)
        }
        return best
    }

    @Test func distanceIsAsDefined() {
        var random = Seeded(newSeed("edit distance"))
        for _ in 0..<300 {
            let one = (0..<random.below(6)).map { _ in random.pick(Array("abc")) }
            let other = (0..<random.below(6)).map { _ in random.pick(Array("abc")) }
            let found = NearestWord.distance(one, other)
            #expect(found == distance(one[...], other[...]), "\(String(one)) \(String(other))")
            #expect(found == NearestWord.distance(other, one))
            #expect((found == 0) == (one == other))
        }
    }

    /// One slip of the finger in a word of six letters or more is understood.
    @Test func understandsOneSlip() {
        var random = Seeded(newSeed("one slip"))
        let words = ["bootstrap", "application_group", "documents_per_second", "tombstone_age"]
        for _ in 0..<200 {
            let meant = random.pick(words)
            var typed = Array(meant)
            let at = random.below(typed.count - 1)
            switch random.below(4) {
            case 0: typed.remove(at: at)
            case 1: typed.insert("x", at: at)
            case 2: typed[at] = "x"
            default: typed.swapAt(at, at + 1)
            }
            #expect(NearestWord.to(String(typed), among: words) == meant, "\(String(typed))")
        }
    }
}

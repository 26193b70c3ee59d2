import Planning
import Testing

@Suite struct AdoptTests {
    private func pairs(_ count: Int, _ pair: (Int) -> (ours: Int64, theirs: Int64, isSame: Bool?)) -> AdoptRail.Pairs {
        var pairs = AdoptRail.Pairs()
        for number in 0..<count {
            let (ours, theirs, isSame) = pair(number)
            pairs.add("\(number)", ours: ours, theirs: theirs, isSame: isSame)
        }
        return pairs
    }

    @Test func versionsThatTheApplicationGivesAreOfOneSpace() {
        let dual = pairs(100) { number in
            switch number % 10 {
            case 0: (9, 10, false)
            case 1: (11, 10, false)
            default: (10, 10, true)
            }
        }
        #expect(dual.doubt == nil && dual.newerThere == 10 && dual.newerHere == 10)
        #expect(pairs(100) { _ in (7, 7, nil) }.doubt == nil)
    }

    @Test func versionsThatEachSideCountsAreNot() throws {
        #expect(try #require(pairs(0) { _ in (1, 1, true) }.doubt).contains("nothing can be compared"))
        #expect(try #require(pairs(20) { _ in (2, 1, true) }.doubt).contains("no sampled document"))
        // Most were written once on both sides; one in fifty was updated before the dual writes began.
        #expect(try #require(pairs(100) { $0 % 50 == 0 ? (4, 1, true) : (1, 1, true) }.doubt).contains("contradict"))
        #expect(try #require(pairs(100) { $0 % 50 == 0 ? (1, 1, false) : (1, 1, true) }.doubt).contains("contradict"))
        #expect(try #require(pairs(100) { $0 % 3 == 0 ? (1, 1, nil) : (3, 1, nil) }.doubt).contains("only 34 of 100"))
    }
}

import Parity
import Testing

@Suite struct IgnoredSumsTests {
    private let alike = DifferingBuckets(BucketSums(), BucketSums())

    @Test func entriesAreCountedApart() {
        let columns = IgnoredSums.columns(paths: 2, entries: 3)
        #expect(columns == 6)
        var (one, other) = (IgnoredSums(columns: columns), IgnoredSums(columns: columns))
        // The same id in two entries, which differs in one of them.
        for entry in 0..<3 {
            for id in 0..<100 as Range<UInt64> {
                let hash = id &* 0x9E37_79B9_7F4A_7C15
                one.add(hash, [1, 1], entry: entry)
                other.add(hash, [1, entry == 1 && id < 5 ? 2 : 1], entry: entry)
            }
        }
        let found = IgnoredSums.differing(one, other, but: alike)
        #expect(found == [0, 0, 0, 5, 0, 0])
        let place = IgnoredSums.place(ofColumn: 3, paths: 2, entries: 3)
        #expect(place.path == 1 && place.entry == 1)
    }

    @Test func tooManyAreCountedTogether() {
        #expect(IgnoredSums.columns(paths: 3, entries: 3) == 3)
        #expect(IgnoredSums.columns(paths: 20, entries: 1) == 8)
        let place = IgnoredSums.place(ofColumn: 2, paths: 3, entries: 3)
        #expect(place.path == 2 && place.entry == nil)
        #expect(IgnoredSums.place(ofColumn: 7, paths: 20, entries: 1).path == 7)
        var (one, other) = (IgnoredSums(columns: 3), IgnoredSums(columns: 3))
        one.add(7, [1, 1, 1], entry: 2)
        other.add(7, [1, 1, 2], entry: 2)
        #expect(IgnoredSums.differing(one, other, but: alike) == [0, 0, 1])
    }
}

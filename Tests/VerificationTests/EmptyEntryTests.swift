import Parity
import Testing

@testable import Verification

/// One rightly empty index must not make the whole verdict `empty`.
@Suite struct EmptyEntryTests {
    private func judged(_ compared: [Int], _ judging: Receipt.Judging, wrong: Int = 0) -> Receipt {
        var receipt = Receipt(
            id: "r", migration: "m", version: "1", fingerprint: "f", basis: .source,
            target: .init(name: "t", uuid: "u"),
            topic: "", began: 0)
        receipt.indices = compared.enumerated().map { number, count in
            var index = Receipt.Index(name: "index-\(number)")
            (index.totals.compared, index.totals.equal) = (count, count)
            return index
        }
        if wrong > 0 { receipt.indices[0].totals.findings[.missing] = wrong }
        receipt.judge(judging)
        return receipt
    }

    private func judging(_ entries: Set<Int> = [], all: Bool = false) -> Receipt.Judging {
        var judging = Receipt.Judging(isWhole: true)
        (judging.emptyEntries, judging.acceptsEmpty) = (entries, all)
        return judging
    }

    @Test func theEmptyOnesAreNamed() {
        let receipt = judged([5, 0, 0], judging([1]))
        #expect(receipt.verdict == .empty)
        #expect(receipt.indices.map(\.verdict) == [.equal, .equal, .empty])
        #expect(receipt.remarks.contains { $0.contains("index-2") && !$0.contains("index-1") && $0.contains("entry") })
    }

    @Test func theVerdictIsThatOfTheOthers() {
        #expect(judged([5, 0, 0], judging([1, 2])).verdict == .equal)
        #expect(judged([5, 0], judging([1]), wrong: 1).verdict == .different)
        #expect(judged([5, 0], judging(all: true)).verdict == .equal)
        var incomplete = judging([1])
        incomplete.isWhole = false
        #expect(judged([5, 0], incomplete).verdict == .incomplete)
    }

    @Test func nothingAtAllIsNeverEqualByEntries() {
        let receipt = judged([0, 0], judging([0, 1]))
        #expect(receipt.verdict == .empty)
        #expect(receipt.remarks.contains { $0.contains("index-0, index-1 have") && $0.contains("verify.empty") })
        #expect(judged([0, 0], judging(all: true)).verdict == .equal)
    }

    /// That it may be empty says nothing against documents.
    @Test func anEntryThatMayBeEmptyNeedNotBe() {
        #expect(judged([5, 3], judging([0, 1])).verdict == .equal)
    }
}

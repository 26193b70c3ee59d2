import Parity
import Testing

@Suite struct RechecksTests {
    @Test func saysHowFastDocumentsHaveSettled() {
        var rechecks = Rechecks(candidates: 1204, began: 5000)
        rechecks.add(judged: 1174, now: 6040)
        rechecks.add(judged: 1174, now: 7000)
        rechecks.add(judged: 1204, now: 17_000)
        #expect(
            rechecks.words
                == "1204 documents were read one by one; still open: 1204 at first, 30 after 1.0 s, 0 after 12 s")
        #expect(Rechecks(json: rechecks.json) == rechecks)
        #expect(Rechecks(candidates: 0, began: 0).words == nil)
    }

    @Test func manyRoundsAreThinnedOut() {
        var rechecks = Rechecks(candidates: 10_000, began: 0)
        for round in 1...10_000 { rechecks.add(judged: round, now: Int64(round) * 1000) }
        #expect(rechecks.rounds.count <= Rechecks.most)
        #expect(rechecks.rounds.last?.open == 0)
        #expect(rechecks.rounds.map(\.at) == rechecks.rounds.map(\.at).sorted())
    }
}

import DeadLetters
import JSONText
import Testing

@testable import Migration
@testable import State

/// Letters that were taken out of the topic unresolved made the gate `dead_letters` pass.
@Suite struct LetterTallyTests {
    private typealias Present = LetterTally.Present

    private func tally(written: Int, settled: Int = 0) -> LetterTally {
        var tally = LetterTally()
        tally.topics["t-dead"] = LetterTally.Count(written: written, settled: settled)
        return tally
    }

    @Test func lettersInTheTopicAreNotGone() {
        #expect(tally(written: 3).gone(from: "t-dead", present: Present(deaths: 3, unresolved: 3)) == 0)
        #expect(tally(written: 3).gone(from: "t-dead", present: Present(deaths: 3, unresolved: 0)) == 0)
        // A process was killed before it told what it had written.
        #expect(tally(written: 2).gone(from: "t-dead", present: Present(deaths: 3, unresolved: 3)) == 0)
        #expect(LetterTally().gone(from: "t-dead", present: Present(deaths: 3, unresolved: 3)) == 0)
    }

    @Test func aDeletedTopicTakesItsUnresolvedLettersWithIt() {
        #expect(tally(written: 2).gone(from: "t-dead", present: Present()) == 2)
        // One of them was redriven before.
        #expect(tally(written: 2, settled: 1).gone(from: "t-dead", present: Present()) == 1)
        #expect(tally(written: 2, settled: 2).gone(from: "t-dead", present: Present()) == 0)
    }

    @Test func aTopicThatWasMadeAgainOrEmptiedLacksThoseOfBefore() {
        #expect(tally(written: 3).gone(from: "t-dead", present: Present(deaths: 1, unresolved: 1)) == 2)
        // Retention took a resolved one.
        #expect(tally(written: 3, settled: 1).gone(from: "t-dead", present: Present(deaths: 2, unresolved: 2)) == 0)
    }

    /// A discarded letter that dies again for the same reason stays resolved, and nobody tells the tally.
    @Test func aDiscardedLetterThatDiesAgainIsNotGone() {
        #expect(tally(written: 2, settled: 1).gone(from: "t-dead", present: Present(deaths: 2, unresolved: 0)) == 0)
    }

    @Test func whatIsResolvedIsKept() {
        var now = tally(written: 5)
        let before = now
        // One letter comes while the topic is read.
        now.wrote(1, to: "t-dead")
        now.settle("t-dead", before: before, present: Present(deaths: 5, unresolved: 2))
        #expect(now.topics["t-dead"] == LetterTally.Count(written: 6, settled: 3))
        // What was gone stays gone.
        var emptied = tally(written: 5)
        emptied.settle("t-dead", before: emptied, present: Present(deaths: 3, unresolved: 0))
        #expect(emptied.topics["t-dead"]?.settled == 3)
        #expect(emptied.gone(from: "t-dead", present: Present(deaths: 3, unresolved: 0)) == 2)
    }

    @Test func whoDiscardsAllForgivesThoseThatAreGone() {
        var now = tally(written: 5)
        now.topics["old-dead"] = LetterTally.Count(written: 2, settled: 1)
        #expect(now.left(besides: "t-dead") == ["old-dead": 1])
        let before = now
        #expect(now.forgive("t-dead", before: before, present: Present(deaths: 1, unresolved: 0)) == 5)
        #expect(now.gone(from: "t-dead", present: Present(deaths: 1, unresolved: 0)) == 0)
        #expect(now.left(besides: "t-dead").isEmpty)
    }

    @Test func figuresFromOutsideDoNotTrap() throws {
        let text = #"{"a":{"written":9223372036854775807,"settled":-9223372036854775808},"b":{"written":"x"},"c":3}"#
        var tally = LetterTally(json: try JSONValue(parsing: text))
        tally.wrote(.max, to: "a")
        #expect(tally.gone(from: "a", present: Present(deaths: .max, unresolved: .max)) == 0)
        #expect(tally.gone(from: "b", present: Present()) == 0)
        _ = tally.forgive("c", before: tally, present: Present())
        let kept = self.tally(written: 3, settled: 1)
        #expect(LetterTally(json: kept.json) == kept)
    }

    @Test func theGateFailsWithTheCountAndSaysWhatToDo() throws {
        var standing = Standing()
        (standing.phase, standing.copy, standing.replay, standing.verified) = (.following, .done, .done, .fresh)
        (standing.lag, standing.deadLetters, standing.running) = (0, [:], ["follow"])
        standing.lostLetters = Status.Letters([], topic: "t-dead", tally: tally(written: 2)).lost
        let gates = standing.gates(recipe: "r.yaml", fingerprint: "f").filter { $0.name == .deadLetters }
        #expect(gates.map(\.verdict) == [.failed])
        let gate = try #require(gates.first)
        #expect(gate.text.hasPrefix("2 dead letters gone from t-dead unresolved"))
        #expect(gate.mend?.contains("crossfade dead-letters discard r.yaml --why TEXT") == true)
        #expect(!standing.isReadyToSwitch)
        #expect(standing.attention.contains(gate.text))
        #expect(standing.next(recipe: "r.yaml", fingerprint: "f").contains("crossfade dead-letters list r.yaml"))
        standing.deadLetters = ["mapping": 1]
        #expect(standing.gates(recipe: "r.yaml", fingerprint: "f").count { $0.name == .deadLetters } == 2)
    }
}

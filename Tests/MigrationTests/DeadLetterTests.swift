import CommandLog
@testable import DeadLetters
import Foundation
import Testing
@testable import Migration

private func letter(
    _ offset: Int64, at place: Int64, of partition: Int32 = 0, in home: Int32 = 0, time: Int64 = 1000,
    version: Int64 = 7,
    reason: String = "mapping", key: String? = nil, ids: [String] = []
) -> DeadLetter {
    let origin = DeadLetter.Origin.record(topic: "t", partition: partition, offset: offset, epoch: 0)
    return DeadLetter(
        place: .init(partition: home, offset: place), origin: origin, reason: reason, detail: "why", version: version,
        epoch: 0,
        time: time, key: key.map { Array($0.utf8) }, size: 10, ids: ids)
}

@Suite struct DeadLetterBookTests {
    @Test func theLatestLetterCountsAndDeathsAreCounted() throws {
        var book = DeadLetterBook()
        book.add(letter(5, at: 1, reason: "first"))
        book.add(letter(5, at: 9, reason: "last"))
        book.add(letter(5, at: 4, reason: "between"))
        book.add(letter(6, at: 2))
        let five = try #require(book.letters.first { $0.origin.coordinates?.offset == 5 })
        #expect(five.reason == "last" && five.deaths == 3 && five.resolved == nil)
        #expect(book.letters.count == 2)
    }

    /// A letter that dies again after its resolution is unresolved again; the order of reading does not matter.
    @Test(arguments: [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
    func resolutionsHoldUntilTheNextDeath(order: [Int]) throws {
        let origin = letter(5, at: 0).origin
        func read(_ events: [Int]) throws -> DeadLetter {
            var book = DeadLetterBook()
            for event in events {
                switch event {
                case 0: book.add(letter(5, at: 1, time: 100))
                case 1: book.resolve(origin, .init(partition: 0, offset: 2), time: 200, outcome: "indexed")
                default: book.add(letter(5, at: 3, time: 300))
                }
            }
            return try #require(book.letters.first)
        }
        #expect(try read(order).resolved == nil)
        let resolved = try read(order.filter { $0 < 2 })
        #expect(resolved.resolved == "indexed" && resolved.resolvedAt == 200)
    }

    /// A second replay made what somebody had discarded unresolved again.
    @Test(arguments: [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
    func aDiscardedLetterStaysDiscardedWhenItDiesAgainForTheSameReason(order: [Int]) throws {
        func read(again reason: String) throws -> DeadLetter {
            var book = DeadLetterBook()
            for event in order {
                switch event {
                case 0: book.add(letter(5, at: 1, time: 100, reason: "no_operation"))
                case 1:
                    book.resolve(
                        letter(5, at: 0).origin, .init(partition: 0, offset: 2), time: 200, outcome: "discarded",
                        why: "w", reason: "no_operation")
                default: book.add(letter(5, at: 3, time: 300, reason: reason))
                }
            }
            return try #require(book.letters.first)
        }
        let same = try read(again: "no_operation")
        #expect(same.resolved == "discarded" && same.why == "w" && same.deaths == 2)
        #expect(try read(again: "mapping").resolved == nil)
        let headers = letter(5, at: 1, reason: "no_operation").resolution("discarded", migration: "m", time: 1)
        #expect(headers.contains { $0.0 == DeadLetterHeader.reason && $0.1 == Array("no_operation".utf8) })
    }

    @Test func theSameOffsetOfAnotherEpochIsAnotherRecord() {
        var book = DeadLetterBook()
        book.add(letter(5, at: 1))
        var other = letter(5, at: 2)
        other.origin = .record(topic: "t", partition: 0, offset: 5, epoch: 1)
        book.add(other)
        #expect(book.letters.count == 2)
    }
}

@Suite struct ReplayedLettersTests {
    private static func resolved(_ now: [DeadLetter], read: [Int64], settled: Int64) -> [Int64] {
        var letters = ReplayedLetters([letter(5, at: 1), letter(6, at: 2), letter(9, at: 3)], topic: "t", epoch: 0)
        #expect(letters.concerns(0) && !letters.concerns(1))
        for offset in read { letters.read(0, offset) }
        return letters.resolved(settled: [0: settled], now: now).compactMap(\.origin.coordinates?.offset).sorted()
    }

    private static let same = [letter(5, at: 1), letter(6, at: 2), letter(9, at: 3)]

    @Test func whatWasReadAndDidNotDieAgainIsResolved() {
        #expect(Self.resolved(Self.same, read: [4, 5, 6, 7], settled: 8) == [5, 6])
    }

    @Test func whatDiedAgainStays() {
        let now = [letter(5, at: 8), letter(6, at: 2), letter(9, at: 3)]
        #expect(Self.resolved(now, read: [5, 6], settled: 8) == [6])
    }

    /// A record that compaction has taken is read by nobody, although the replay went past it.
    @Test func whatWasNotReadStays() {
        #expect(Self.resolved(Self.same, read: [6], settled: 10) == [6])
    }

    @Test func whatHasNoOutcomeYetStays() {
        #expect(Self.resolved(Self.same, read: [5, 6], settled: 6) == [5])
    }

    @Test func whatSomebodyElseResolvedMeanwhileStaysAsItIs() {
        var other = letter(5, at: 1)
        other.resolved = "discarded"
        #expect(Self.resolved([other, letter(6, at: 2)], read: [5, 6], settled: 8) == [6])
    }

    @Test func anotherTopicOrEpochIsNotRead() {
        let letters = ReplayedLetters([letter(5, at: 1)], topic: "t", epoch: 1)
        #expect(!letters.concerns(0))
        #expect(!ReplayedLetters([letter(5, at: 1)], topic: "u", epoch: 0).concerns(0))
    }
}

@Suite struct DeadLetterFilterTests {
    let letters = [
        letter(1, at: 0, of: 0, time: 100, reason: "mapping", key: "a", ids: ["a"]),
        letter(2, at: 1, of: 1, time: 200, version: 0, reason: "json_invalid", key: "b"),
        letter(3, at: 2, of: 1, time: 300, reason: "mapping", key: nil, ids: ["c"]),
    ]

    private func offsets(_ set: (inout DeadLetterFilter) -> Void) -> [Int64] {
        var filter = DeadLetterFilter()
        set(&filter)
        return filter.select(letters).compactMap { $0.origin.coordinates?.offset }
    }

    @Test func takesWhatItNames() {
        #expect(offsets { _ in } == [1, 2, 3])
        #expect(offsets { $0.reasons = ["mapping"] } == [1, 3])
        #expect(offsets { $0.partition = 1 } == [2, 3])
        #expect(offsets { $0.since = 200 } == [2, 3])
        #expect(offsets { $0.until = 200 } == [1, 2])
        #expect(offsets { $0.offset = (1, 3) } == [3])
        #expect(offsets { $0.offset = (0, 3) } == [])
        #expect(offsets { $0.id = "a" } == [1] && offsets { $0.id = "b" } == [2] && offsets { $0.id = "c" } == [3])
        #expect(offsets { $0.limit = 2 } == [1, 2])
    }

    @Test func resolvedOnesOnlyWhenAskedFor() {
        var resolved = letters[0]
        resolved.resolved = "stale"
        var filter = DeadLetterFilter()
        #expect(filter.select([resolved]).isEmpty)
        filter.all = true
        #expect(filter.select([resolved]).count == 1)
    }
}

@Suite struct UnresolvedLettersTests {
    private func mayWrite(_ letters: [DeadLetter], _ id: String, now: Int64 = 10_000, age: Int64 = 1000) -> Bool {
        UnresolvedLetters(letters, now: now, tombstoneAge: age).hold(Array(id.utf8)) != nil
    }

    @Test func holdsIdsAndKeys() {
        let letters = [letter(1, at: 0, key: "k", ids: ["a", "b"])]
        for id in ["a", "b", "k"] { #expect(mayWrite(letters, id)) }
        #expect(!mayWrite(letters, "c") && !mayWrite([], "a"))
    }

    /// A redrive that was killed may have sent it too, and that request may be late.
    @Test func resolvedLettersHoldForAsLongAsATombstone() {
        var one = letter(1, at: 0, ids: ["a"])
        one.resolved = "indexed"
        one.resolvedAt = 9_500
        #expect(mayWrite([one], "a"))
        let held = UnresolvedLetters([one], now: 10_000, tombstoneAge: 1000)
        #expect(held.hold(Array("a".utf8)) == .redriven(until: 10_500), "none is unresolved, and it says until when")
        let both = UnresolvedLetters([one, letter(2, at: 1, ids: ["a"])], now: 10_000, tombstoneAge: 1000)
        #expect(both.hold(Array("a".utf8)) == .unresolved)
        one.resolvedAt = 8_999
        #expect(!mayWrite([one], "a"))
    }

    @Test func oneThatMayBeAnyHoldsAllAndOneThatWasNeverDecodedNone() {
        #expect(mayWrite([letter(1, at: 0, version: 9)], "any"))
        let undecoded = letter(1, at: 0, version: 0, key: "k")
        #expect(undecoded.isUndecoded && !mayWrite([undecoded], "any") && mayWrite([undecoded], "k"))
    }
}

@Suite struct LetterTextTests {
    @Test func timesBothWays() {
        #expect(DeadLetterTime.text(1_700_000_000_123) == "2023-11-14T22:13:20.123Z")
        let ago: Int64 = 2_800_000
        #expect(DeadLetterTime.parse("2h", now: 10_000_000) == ago)
        #expect(DeadLetterTime.parse("2023-11-14T22:13:20Z") == 1_700_000_000_000)
        for bad in ["", "h", "-2h", "2w", "yesterday", "99999999999999999999s", "9223372036854775807d"] {
            #expect(DeadLetterTime.parse(bad) == nil, "\(bad)")
        }
    }

    @Test func bytesThatAreNoTextAreBase64() {
        #expect(DeadLetterText.json([0xFF, 0x00]).text() == #"{"base64":"/wA="}"#)
        #expect(
            DeadLetterText.withoutValue("failed to parse. Preview of field's value: 'secret'") == "failed to parse.")
    }
}

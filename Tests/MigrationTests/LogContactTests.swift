import CommandLog
import Indexing
@testable import LogGuard
@testable import Pipeline
import Testing
@testable import Migration

@Suite struct LogContactTests {
    @Test func whoAsksAndGetsNoAnswerSaysSo() {
        var contact = LogContact()
        #expect(contact.ends(now: 0) == nil, "nothing was asked yet")
        contact.ask(now: 100)
        contact.answer([0: 7], now: 150)
        #expect(contact.ends(now: 200) == [0: 7])
        #expect(contact.trouble(now: 200) == nil)
        contact.ask(now: 1000)
        #expect(contact.trouble(now: 3999) == nil)
        #expect(contact.trouble(now: 4000) == "no broker answers (for 3 s)")
        #expect(contact.ends(now: 4000) == nil, "an end of before says nothing of now")
        contact.fail(LogError(.timedOut, "asking"), now: 11_000)
        contact.ask(now: 13_000)
        #expect(
            contact.trouble(now: 14_000) == "no broker answers (for 13 s)", "since the first question, not the last")
        contact.answer(now: 15_000)
        #expect(contact.trouble(now: 15_000) == nil)
        #expect(contact.ends(now: 15_000) == [0: 7], "an answer about something else, and the ends are young enough")
        #expect(contact.ends(now: 150 + LogContact.freshFor + 1) == nil)
    }

    @Test func aBrokerThatSaysNoIsNotSilent() {
        var contact = LogContact()
        contact.ask(now: 0)
        contact.fail(LogError(.authorization, "reading: not allowed"), now: 10)
        #expect(contact.trouble(now: 10) == "the brokers do not tell where the log ends: reading: not allowed")
        contact.fail(LogError(.missingTopic, "gone"), now: 20)
        #expect(contact.trouble(now: 20) == nil, "LogMonitor judges that")
        #expect(contact.ends(now: 20) == nil)
    }

    private func partition(_ number: Int32, committed: Int64?, position: Int64?, owned: Bool = true) -> PartitionCounts
    {
        var counts = PartitionCounts(partition: number)
        (counts.committed, counts.position, counts.owned) = (committed, position, owned)
        return counts
    }

    @Test func lagIsUnknownRatherThanZero() {
        let one = partition(0, committed: 5, position: 8)
        #expect(Lag.of([one], ends: [0: 9]) == 4)
        #expect(Lag.of([one], ends: [0: 7]) == 3, "the end was asked before the last records came")
        #expect(Lag.of([one], ends: nil) == nil)
        #expect(Lag.of([one], ends: [1: 9]) == nil)
        #expect(Lag.of([one, partition(1, committed: nil, position: nil)], ends: [0: 9, 1: 0]) == nil)
        let lost = partition(1, committed: 1, position: 1, owned: false)
        #expect(Lag.of([one, lost], ends: [0: 9]) == 4, "others read it now")
        #expect(Lag.of([lost], ends: [1: 1]) == nil, "none is ours")
    }
}

@Suite struct OpenTransactionTests {
    @Test func onlyWhatStaysIsHeld() {
        let first = OpenTransaction.pins([0: 5, 1: 5], ends: [0: 9, 1: 5], before: [:])
        #expect(first == [0: .init(stable: 5, end: 9, isHeld: false)])
        // Another transaction by now: producers that never cease are not waited for.
        let second = OpenTransaction.pins([0: 8], ends: [0: 12], before: first)
        #expect(second[0]?.isHeld == false)
        #expect(OpenTransaction.pins([0: 8], ends: [0: 20], before: second)[0]?.isHeld == true)
        #expect(OpenTransaction.pins([0: 20], ends: [0: 20], before: second) == [:])
    }
}

import Commands
import Indexing
import Seeds
import Testing

@Suite struct SliceRestartTests {
    private func failed(_ restart: inout SliceRestart, _ trouble: SliceRestart.Trouble) -> SliceRestart.Step {
        var random = Seeded(1)
        return restart.failed(trouble, using: &random)
    }

    @Test func anOutageIsWaitedOutWithoutLimit() {
        var restart = SliceRestart(pageSize: 500)
        for _ in 0..<1000 {
            guard case .readAgain(let wait) = failed(&restart, .away) else { return #expect(Bool(false)) }
            #expect((1...15_000).contains(wait) && restart.waits)
        }
        restart.gave(10)
        #expect(!restart.waits && restart.pageSize == 500 && !restart.readsByID)
    }

    @Test func aPageThatCannotBeReadIsReadByIDAndNotAgainAsItWas() {
        var restart = SliceRestart(pageSize: 500)
        var step = failed(&restart, .unreadable)
        #expect(step == .readAgain(afterMilliseconds: 0) && restart.readsByID && !restart.waits)
        // The names are unreadable, too: it is not a document that is at fault.
        step = failed(&restart, .unreadable)
        #expect(step != .readAgain(afterMilliseconds: 0) && restart.waits)
    }

    @Test func aPageThatIsTooLargeIsHalvedDownToOneDocument() {
        var restart = SliceRestart(pageSize: 1000)
        var sizes: [Int] = []
        while !restart.readsByID {
            sizes.append(restart.pageSize)
            #expect(failed(&restart, .tooLarge) == .readAgain(afterMilliseconds: 0))
        }
        #expect(sizes == [1000, 500, 250, 125, 62, 31, 15, 7, 3, 1])
        #expect(restart.pageSize == 16)
    }

    @Test func aRefusalIsWaitedOutOnlyWhereTheSourceHasAnsweredAndNotForEver() {
        var restart = SliceRestart(pageSize: 10)
        #expect(failed(&restart, .refused) == .stop)
        restart = SliceRestart(pageSize: 10)
        restart.gave(10)
        let steps = (0..<6).map { _ in failed(&restart, .refused) }
        #expect(steps.dropLast().allSatisfy { $0 != .stop } && steps.last == .stop)
        #expect(failed(&restart, .lasting) == .stop)
    }

    @Test func thePageIsAsSmallAsTheDocumentsAreLarge() {
        #expect(SliceRestart.pageSize(wanted: 1000, average: 1 << 20, room: 32 << 20) == 32)
        #expect(SliceRestart.pageSize(wanted: 1000, average: 100, room: 32 << 20) == 1000)
        #expect(SliceRestart.pageSize(wanted: 1000, average: 1 << 30, room: 1 << 20) == 1)
        #expect(SliceRestart.pageSize(wanted: 1000, average: 0, room: 1 << 20) == 1000)
    }

    /// A source that fails now and then, with documents that make a page unreadable or too large: every document comes
    /// exactly once in the reading that ends, and the counts are those of the whole copy.
    @Test func everyDocumentCountsOnceHoweverOftenTheSliceIsReadAgain() {
        var random = Seeded(newSeed("a slice that is read again"))
        for _ in 0..<300 {
            let count = 1 + random.below(40)
            let bad = Set((0..<random.below(3)).map { _ in random.below(count) })
            let sizes = (0..<count).map { _ in random.below(8) == 0 ? 50 + random.below(100) : 1 }
            var book = OutcomeBook()
            var copy = CopyProgress(recorded: [false])
            _ = copy.take()
            book.own(0)
            var restart = SliceRestart(pageSize: 1 + random.below(20))
            var written: Set<Int> = []
            var failures = 0
            reading: while true {
                var at = 0
                while at < count {
                    let page = at..<min(count, at + restart.pageSize)
                    var trouble: SliceRestart.Trouble?
                    if failures < 20, random.below(6) == 0 {
                        trouble = [.away, .expired, .partial].randomElement(using: &random)
                    } else if !restart.readsByID {
                        if page.contains(where: bad.contains) { trouble = .unreadable }
                        if page.reduce(0, { $0 + sizes[$1] }) > 120 { trouble = .tooLarge }
                    }
                    if let trouble {
                        failures += 1
                        #expect(restart.failed(trouble, using: &random) != .stop)
                        let isAgain = book.readAgain(0)
                        #expect(isAgain)
                        copy.readAgain(0)
                        continue reading
                    }
                    restart.gave(page.count)
                    guard let first = copy.returned(page.count, of: 0),
                        let run = book.open(
                            0, first: Int64(first), next: Int64(first + page.count), count: page.count)
                    else { return #expect(Bool(false)) }
                    for document in page {
                        let outcome: Outcome =
                            bad.contains(document) ? .deadLettered : written.contains(document) ? .stale : .indexed
                        if outcome == .indexed { written.insert(document) }
                        #expect(book.settle(run, outcome, 1) == .counted)
                    }
                    at = page.upperBound
                }
                break
            }
            book.markReadToEnd(0)
            let outcomes = book.outcomes
            #expect(outcomes[.indexed] == count - bad.count && outcomes[.stale] == 0)
            #expect(outcomes[.deadLettered] == bad.count && copy.returned == count)
            #expect(book.ownership(of: 0)?.isFinished == true)
        }
    }

    @Test func aSliceIsNotReadAgainWhileDocumentsOfItAreInFlight() {
        var book = OutcomeBook()
        book.own(0)
        let run = book.open(0, first: 0, next: 2, count: 2)
        let early = book.readAgain(0)
        #expect(!early && book.readAgain(7) == false)
        guard let run else { return #expect(Bool(false)) }
        let settled = [book.settle(run, .indexed, 1), book.settle(run, .stale, 1)]
        #expect(settled == [.counted, .counted])
        let isAgain = book.readAgain(0)
        #expect(isAgain && book.outcomes.total == 0)
        #expect(book.settle(run, .indexed, 1) == .late)
        guard let again = book.open(0, first: 0, next: 2, count: 2) else { return #expect(Bool(false)) }
        _ = book.settle(again, .stale, 2)
        // One of them was written by the first reading, the other was newer already.
        #expect(book.outcomes[.indexed] == 1 && book.outcomes[.stale] == 1)
    }
}

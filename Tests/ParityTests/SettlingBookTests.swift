import Parity
import Seeds
import Testing

@Suite struct SettlingBookTests {
    struct Switches {
        var waitsForPositions = true
        var checksWindow = true
        var refreshes = true
        var waitsAfterCommit = true
    }

    struct Result {
        var falseEqual = 0
        var falseDifferent = 0
        var found = 0
        var judged = 0
        var open = 0
    }

    private static func key(_ id: Int) -> DocumentKey { DocumentKey(entry: 0, id: Array("\(id)".utf8)) }
    private static func id(_ key: DocumentKey) -> Int { Int(String(decoding: key.id, as: UTF8.self)) ?? -1 }

    /// One verification from its first to its last step.
    private func verify(_ seed: UInt64, _ switches: Switches = Switches()) -> Result {
        var model = SettlingModel(seed)
        var result = Result()
        model.advance(3000 + Int64(model.seed.below(4000)))
        let first = model.positions.applied
        if switches.waitsAfterCommit { model.advance(1000) }
        if switches.refreshes { model.refresh() }
        var differing: Set<Int> = []
        for id in 0..<SettlingModel.ids {
            let old = model.source.shown[id]
            model.advance(Int64(model.seed.below(200)))
            if old != model.target.shown[id] { differing.insert(id) }
        }
        let ends = model.ends
        let tail = model.read(ends.reduce(into: [:]) { $0[$1.key] = (first[$1.key] ?? 0)..<$1.value })
        for id in 0..<SettlingModel.ids where !differing.contains(id) && !tail.ids.contains(id) {
            result.judged += 1
            if model.target.now[id] != model.truth(id), model.lastOffset(id) == model.lastOffset(id, before: ends) {
                result.falseEqual += 1
            }
        }
        settle(differing.union(tail.ids), first.merging(tail.ends) { $1 }, &model, switches, &result)
        return result
    }

    private func settle(
        _ ids: Set<Int>, _ line: [Int32: Int64], _ model: inout SettlingModel, _ switches: Switches,
        _ result: inout Result
    ) {
        var book = SettlingBook(line: line, now: model.time)
        book.waitsForPositions = switches.waitsForPositions
        book.checksWindow = switches.checksWindow
        for id in ids.sorted() { book.add(Self.key(id)) }
        let stop = model.time + Int64(model.seed.below(20_000))
        var named: [Int: Int64?] = [:]
        var wrong: Set<Int> = []
        steps: for _ in 0..<100_000 {
            if model.time >= stop { model.isWriting = false }
            switch book.next(now: model.time) {
            case .look(let pause):
                model.advance(max(pause, 40))
                book.stands(model.positions, now: model.time)
            case .read(let keys):
                var readings: [DocumentKey: SettlingBook.Reading] = [:]
                for key in keys.sorted(by: { Self.id($0) < Self.id($1) }) {
                    let id = Self.id(key)
                    let old = model.source.now[id]
                    model.advance(Int64(model.seed.below(60)))
                    let new = model.target.now[id]
                    named[id] = model.lastOffset(id)
                    if new != model.target.right[id] { wrong.insert(id) } else { wrong.remove(id) }
                    readings[key] =
                        old == new
                        ? (old == nil ? .absent : .equal)
                        : .differs(ContentDigest(high: UInt64(old ?? 9), low: UInt64(new ?? 9)))
                }
                book.read(readings, now: model.time)
            case .lookAgain: book.standsAfter(model.positions, now: model.time)
            case .readLog(let ranges):
                let read = model.read(ranges)
                model.advance(Int64(model.seed.below(100)))
                for id in read.ids { book.commanded(Self.key(id)) }
                for final in book.readLog(read.ends, now: model.time) {
                    let id = Self.id(final.key)
                    result.judged += 1
                    if case .differs = final.reading {
                        result.found += 1
                        if !wrong.contains(id) { result.falseDifferent += 1 }
                    } else if wrong.contains(id) || model.target.right[id] != model.truth(id) {
                        // Of an id that was named since the reading, nothing is said, also where the last of several
                        // commands brings back what was read.
                        if model.lastOffset(id) == named[id] { result.falseEqual += 1 }
                    }
                }
            case .idle, .over: break steps
            }
        }
        result.open = book.openCount
    }

    private func verify(_ runs: Int, _ switches: Switches = Switches(), seed: UInt64) -> Result {
        var seed = Seeded(seed)
        var sum = Result()
        for _ in 0..<runs {
            let one = verify(seed.next(), switches)
            sum.falseEqual += one.falseEqual
            sum.falseDifferent += one.falseDifferent
            sum.found += one.found
            sum.judged += one.judged
            sum.open += one.open
        }
        return sum
    }

    @Test func neverAFalseVerdict() {
        let result = verify(300, seed: newSeed("neverAFalseVerdict"))
        #expect(result.falseEqual == 0)
        #expect(result.falseDifferent == 0)
        #expect(result.found > 20)
        #expect(result.judged >= 300 * SettlingModel.ids * 9 / 10)
        // The writers have stopped, so everything settles.
        #expect(result.open == 0)
    }

    @Test func eachPartIsNeeded() {
        let seed = newSeed("eachPartIsNeeded")
        var switches = Switches()
        switches.waitsForPositions = false
        let unwaited = verify(300, switches, seed: seed)
        #expect(unwaited.falseDifferent > 0)
        #expect(unwaited.falseEqual > 0)
        switches = Switches()
        switches.checksWindow = false
        let unchecked = verify(300, switches, seed: seed)
        #expect(unchecked.falseEqual + unchecked.falseDifferent > 0)
        switches = Switches()
        switches.refreshes = false
        #expect(verify(1000, switches, seed: seed).falseEqual > 0)
    }

    @Test func whatNeverSettlesIsSaidToBeSettling() {
        var book = SettlingBook(line: [0: 10], now: 0)
        book.add(Self.key(1))
        let lags = GroupPositions(application: [0: 9], crossfade: [0: 10], starts: [0: 0], ends: [0: 10])
        for time in stride(from: 0, to: 59_000, by: 200) {
            guard case .look = book.next(now: Int64(time)) else {
                Issue.record("at \(time)")
                return
            }
            book.stands(lags, now: Int64(time))
        }
        #expect(book.next(now: 70_000) == .over)
        #expect(book.openKeys == [Self.key(1)])
        #expect(lags.behind([0: 10]).map(\.who) == [.application])
    }

    /// A group that was set back has perhaps written something older.
    @Test func aReadingBehindAGroupThatWentBackCountsForNothing() {
        var book = SettlingBook(line: [0: 10], now: 0)
        book.add(Self.key(1))
        let there = GroupPositions(application: nil, crossfade: [0: 10], starts: [0: 0], ends: [0: 10])
        book.stands(there, now: 0)
        #expect(book.next(now: 1000) == .read([Self.key(1)]))
        book.read([Self.key(1): .equal], now: 1000)
        book.standsAfter(
            GroupPositions(application: nil, crossfade: [0: 3], starts: [0: 0], ends: [0: 10]), now: 1001)
        #expect(book.next(now: 1002) == .look(pause: 200))
        book.stands(there, now: 1200)
        #expect(book.next(now: 2200) == .read([Self.key(1)]))
        book.read([Self.key(1): .equal], now: 2200)
        book.standsAfter(there, now: 2201)
        #expect(book.next(now: 2202) == .readLog([:]))
        #expect(book.readLog([:], now: 2202).map(\.reading) == [.equal])
        #expect(book.next(now: 2203) == .idle)
    }

    /// `42` under one routing is named by a command under another.
    @Test func aCommandConcernsTheIDUnderEveryRouting() {
        let routed = DocumentKey(entry: 0, id: [1], routing: [2])
        let there = GroupPositions(application: nil, crossfade: [0: 10], starts: [0: 0], ends: [0: 11])
        var book = SettlingBook(line: [0: 10], now: 0)
        book.add(routed)
        book.stands(there, now: 0)
        book.read([routed: .equal], now: 1000)
        book.standsAfter(there, now: 1000)
        #expect(book.next(now: 1000) == .readLog([0: 10..<11]))
        book.commanded(DocumentKey(entry: 0, id: [1]))
        #expect(book.readLog([0: 11], now: 1001) == [])
        #expect(book.openCount == 1)
        #expect(book.line == [0: 11])
    }

    @Test func positions() {
        let positions = GroupPositions(
            application: [0: 5], crossfade: [0: 9, 1: 3], starts: [0: 2, 1: 4, 2: 0], ends: [0: 10, 1: 4, 2: 0])
        #expect(positions.applied == [0: 5, 1: 4, 2: 0], "there is nothing before the start")
        #expect(positions.passed([0: 5, 1: 4]))
        #expect(positions.behind([0: 10]).map(\.records) == [5, 1])
        #expect(positions.whole == [0: 2..<10])
        #expect(positions.lost(since: [0: 2, 1: 3]).map { $0.partition } == 1)
        #expect(positions.lost(since: [0: 2, 1: 4, 2: 0]) == nil)
    }

    /// Where reading takes longer than the bound, it is still read twice.
    @Test func theTimeOfReadingDoesNotCount() {
        var book = SettlingBook(line: [0: 10], now: 0)
        book.add(Self.key(1))
        let there = GroupPositions(application: nil, crossfade: [0: 10], starts: [0: 0], ends: [0: 10])
        var now: Int64 = 0
        var finals: [SettlingBook.Final] = []
        for _ in 0..<2 {
            book.stands(there, now: now)
            now += 1000
            book.stands(there, now: now)
            #expect(book.next(now: now) == .read([Self.key(1)]))
            now += 100_000
            book.read([Self.key(1): .differs(ContentDigest(high: 1, low: 2))], now: now)
            book.standsAfter(there, now: now)
            finals = book.readLog([:], now: now)
        }
        #expect(finals.map(\.key) == [Self.key(1)])
        #expect(book.next(now: now) == .idle)
    }

    /// What does not run is not waited for as long as what does.
    @Test func itEndsEarlyWhereNobodyRuns() {
        var book = SettlingBook(line: [0: 5], now: 0)
        book.add(Self.key(1))
        var positions = GroupPositions(application: [0: 5], crossfade: [0: 3], starts: [0: 0], ends: [0: 5])
        book.stands(positions, now: 100)
        #expect(book.idlers(now: 19_000) == [])
        #expect(book.idlers(now: 20_100) == [.crossfade])
        book.waitsInVain(false)
        #expect(!book.isOver(now: 50_000), "somebody runs")
        book.waitsInVain(true)
        #expect(book.isOver(now: 20_100) && book.next(now: 20_100) == .over)
        #expect(!book.isOver(now: 20_099))
        // It was started, and gets on.
        positions.crossfade = [0: 4]
        book.stands(positions, now: 20_050)
        #expect(!book.isOver(now: 70_000))
        #expect(book.isOver(now: 80_050))
    }
}

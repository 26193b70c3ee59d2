import Commands
import Seeds
import Testing

@testable import Indexing

/// The book as an object, because `#expect` and `#require` take no call that changes a value.
private final class BookBox {
    private var book = OutcomeBook()

    var generation: Generation { book.generation }
    var alarm: StaleAlarm { book.alarm }
    var outcomes: OutcomeCounts { book.outcomes }
    var unsettled: Int { book.unsettled }

    @discardableResult func own(_ partition: Int32, start: Int64? = nil, unappliedFrom: Int64? = nil) -> Generation {
        book.own(partition, start: start, unappliedFrom: unappliedFrom)
    }
    func giveUp(_ partition: Int32) { book.giveUp(partition) }
    @discardableResult func abandonAll() -> Generation { book.abandonAll() }
    func open(_ partition: Int32, first: Int64, next: Int64, count: Int) -> RunID? {
        book.open(partition, first: first, next: next, count: count)
    }
    @discardableResult func settle(_ run: RunID, _ outcome: Outcome, _ count: Int) -> PartitionOwnership.Settlement {
        book.settle(run, outcome, count)
    }
    func advance(_ partition: Int32, to next: Int64) { book.advance(partition, to: next) }
    func markReadToEnd(_ partition: Int32) { book.markReadToEnd(partition) }
    func othersReach(_ offset: Int64, in partition: Int32) { book.othersReach(offset, in: partition) }
    func isOurs(_ generation: Generation) -> Bool { book.isOurs(generation) }
    func ownership(of partition: Int32) -> PartitionOwnership? { book.ownership(of: partition) }
    func committable() -> [Int32: Int64] { book.committable() }
    func unsettled(in partitions: [Int32]) -> Int { book.unsettled(in: partitions) }
    func counts() -> [PartitionCounts] { book.counts() }
}

@Suite struct OutcomeBookTests {
    /// What the book must come to, counted in the plainest way.
    private struct Model {
        struct Run {
            var id: RunID
            var first: Int64
            var next: Int64
            var left: Int
            var isOurs = true
        }
        var runs: [Run] = []
        var next: [Int32: Int64] = [:]
        var counted = 0
    }

    /// Any order of taking, giving up, reading and settling: the sums hold for every partition, the committable offset
    /// never passes a record in flight, and late outcomes change nothing.
    @Test func sumsHoldOverAnyOrder() throws {
        let seed = newSeed("sumsHoldOverAnyOrder")
        var random = Seeded(seed)
        for _ in 0..<40 {
            let book = BookBox()
            var model = Model()
            for _ in 0..<400 {
                act(book, &model, &random, "seed \(seed)")
                check(book, model, "seed \(seed)")
            }
        }
    }

    private func act(_ book: BookBox, _ model: inout Model, _ random: inout Seeded, _ seed: Comment) {
        let partition = Int32(random.below(4))
        func lose(_ partitions: [Int32]) {
            for at in model.runs.indices where partitions.contains(model.runs[at].id.partition) {
                model.runs[at].isOurs = false
            }
        }
        switch random.below(20) {
        case 0:
            let before = book.generation
            let generation = book.own(partition, start: model.next[partition] ?? 0)
            #expect(generation > before && book.isOurs(generation), seed)
            lose([partition])
        case 1:
            book.giveUp(partition)
            lose([partition])
        case 2 where random.below(4) == 0:
            book.abandonAll()
            lose([0, 1, 2, 3])
            for run in model.runs { #expect(!book.isOurs(run.id.generation), seed) }
        case 3...10:
            let count = 1 + random.below(5)
            let first = (model.next[partition] ?? 0) + Int64(random.below(3))
            let next = first + Int64(count + random.below(3))
            let isOwned = book.ownership(of: partition) != nil
            let run = book.open(partition, first: first, next: next, count: count)
            #expect((run != nil) == isOwned, seed)
            guard let run else { return }
            model.next[partition] = next
            model.runs.append(.init(id: run, first: first, next: next, left: count))
        default:
            guard let at = model.runs.indices.randomElement(using: &random) else { return }
            let run = model.runs[at]
            let count = 1 + random.below(run.left)
            let outcome = Outcome.allCases.randomElement(using: &random) ?? .indexed
            let before = book.counts()
            #expect(book.settle(run.id, outcome, count) == (run.isOurs ? .counted : .late), seed)
            if run.isOurs { model.counted += count } else { #expect(book.counts() == before, seed) }
            model.runs[at].left -= count
            if model.runs[at].left == 0 { model.runs.remove(at: at) }
        }
    }

    private func check(_ book: BookBox, _ model: Model, _ seed: Comment) {
        let ours = model.runs.filter(\.isOurs)
        #expect(book.unsettled == ours.reduce(0) { $0 + $1.left }, seed)
        #expect(book.outcomes.total == model.counted, seed)
        for counts in book.counts() {
            let inFlight = ours.filter { $0.id.partition == counts.partition }
            #expect(counts.read == counts.outcomes.total + counts.inFlight, seed)
            #expect(counts.inFlight == inFlight.reduce(0) { $0 + $1.left }, seed)
            #expect(book.unsettled(in: [counts.partition]) == counts.inFlight, seed)
            #expect(counts.owned == (book.ownership(of: counts.partition) != nil), seed)
        }
        for (partition, offset) in book.committable() {
            let oldest = ours.filter { $0.id.partition == partition }.map(\.first).min()
            #expect(offset <= oldest ?? .max, seed)
            if oldest == nil { #expect(offset == model.next[partition], seed) }
        }
    }

    @Test func lateOutcomesOfAFormerOwnershipCountNothing() throws {
        let book = BookBox()
        book.own(1)
        let old = try #require(book.open(1, first: 0, next: 10, count: 10))
        book.giveUp(1)
        #expect(book.open(1, first: 10, next: 11, count: 1) == nil)
        book.own(1)
        let new = try #require(book.open(1, first: 0, next: 10, count: 10))
        #expect(new.number == old.number && new.generation > old.generation)
        #expect(book.settle(old, .indexed, 10) == .late)
        #expect(book.committable()[1] == nil)
        #expect(book.unsettled == 10)
    }

    /// More outcomes than a run has records would break the sums.
    @Test func outcomesBeyondTheRunChangeNothing() throws {
        let book = BookBox()
        book.own(0)
        let run = try #require(book.open(0, first: 0, next: 3, count: 3))
        for count in [-1, 0, 4] { #expect(book.settle(run, .indexed, count) == .mistaken) }
        #expect(book.settle(RunID(partition: 0, generation: run.generation, number: 7), .indexed, 1) == .mistaken)
        #expect(book.outcomes.total == 0 && book.unsettled == 3)
        #expect(book.settle(run, .indexed, 3) == .counted)
        #expect(book.settle(run, .indexed, 1) == .mistaken)
        #expect(book.counts()[0].read == 3 && book.outcomes.total == 3)
    }

    /// A batch of an ownership that goes on beside others that were given up is still ours.
    @Test func onlyAbandoningMakesBatchesOld() {
        let book = BookBox()
        let first = book.own(0)
        let second = book.own(1)
        book.giveUp(0)
        #expect(book.isOurs(first) && book.isOurs(second))
        let next = book.abandonAll()
        #expect(book.isOurs(next) && !book.isOurs(next - 1))
        #expect(!book.isOurs(first) && !book.isOurs(second) && book.ownership(of: 1) == nil)
        #expect(book.isOurs(book.own(0)))
    }

    @Test func whatEndedStaysInTheFigures() throws {
        let book = BookBox()
        book.own(2, start: 5)
        let run = try #require(book.open(2, first: 5, next: 9, count: 4))
        book.settle(run, .merged, 3)
        book.giveUp(2)
        var counts = book.counts()[0]
        #expect(!counts.owned && counts.read == 3 && counts.inFlight == 0 && counts.outcomes[.merged] == 3)
        #expect(counts.start == 5 && counts.position == 9 && counts.committed == 5)
        book.own(2, start: 8)
        book.advance(2, to: 8)
        counts = book.counts()[0]
        #expect(counts.owned && counts.start == 5 && counts.position == 8 && counts.committed == 8)
    }

    @Test func aSliceIsFinishedWhenItIsReadToTheEndAndSettled() throws {
        let book = BookBox()
        book.own(0)
        let run = try #require(book.open(0, first: 0, next: 2, count: 2))
        book.markReadToEnd(0)
        book.markReadToEnd(1)
        #expect(book.ownership(of: 0)?.isFinished == false && book.ownership(of: 1) == nil)
        book.settle(run, .indexed, 2)
        #expect(book.ownership(of: 0)?.isFinished == true)
    }

    /// Only records that no process can have applied are judged, and only outcomes that say something about versions.
    @Test func theAlarmJudgesWhatNobodyCanHaveApplied() throws {
        let book = BookBox()
        book.own(0, start: 0, unappliedFrom: 10)
        func settled(_ book: BookBox, _ first: Int64, _ outcome: Outcome) throws -> Int {
            let before = book.alarm.told
            let run = try #require(book.open(0, first: first, next: first + 10, count: 10))
            #expect(book.settle(run, outcome, 10) == .counted)
            return book.alarm.told - before
        }
        #expect(try settled(book, 0, .stale) == 0)
        #expect(try settled(book, 10, .stale) == 10)
        #expect(try settled(book, 20, .skipped) == 0)
        #expect(try settled(book, 30, .deadLettered) == 0)
        #expect(try settled(book, 40, .indexed) == 10)
        // A replay beside us may have applied what lies before 60.
        book.othersReach(60, in: 0)
        book.othersReach(55, in: 0)
        #expect(try settled(book, 50, .stale) == 0)
        #expect(try settled(book, 60, .stale) == 10)
    }

    /// Records in flight may have been applied by the other process, too.
    @Test func theAlarmLeavesOutRunsInFlightThatOthersReach() throws {
        let book = BookBox()
        book.own(0, start: 0, unappliedFrom: 0)
        let run = try #require(book.open(0, first: 0, next: 100, count: 100))
        book.othersReach(50, in: 0)
        book.settle(run, .stale, 100)
        #expect(book.alarm.told == 0)
    }
}

@Suite struct HeldBytesTests {
    @Test func waitingRecordsCountTwice() {
        var held = HeldBytes(limit: 100, queueLimit: 30)
        held.enqueue(20)
        #expect(held.total == 40 && held.queued == 20 && !held.isFull)
        held.enqueue(10)
        #expect(held.isFull && !held.isAtLimit)
        held.dequeue(30)
        #expect(held == HeldBytes(limit: 100, queueLimit: 30))
        held.hold(100)
        #expect(held.isFull && held.isAtLimit)
        held.release(1)
        #expect(!held.isFull)
    }

    @Test func whatWasTakenAndGivenBackIsGone() {
        let seed = newSeed("whatWasTakenAndGivenBackIsGone")
        var random = Seeded(seed)
        var held = HeldBytes(limit: 1000, queueLimit: 500)
        var parts: [(bytes: Int, isQueued: Bool)] = []
        for _ in 0..<2000 {
            if parts.isEmpty || random.below(2) == 0 {
                let part = (bytes: random.below(100), isQueued: random.below(2) == 0)
                if part.isQueued { held.enqueue(part.bytes) } else { held.hold(part.bytes) }
                parts.append(part)
            } else {
                let part = parts.remove(at: random.below(parts.count))
                if part.isQueued { held.dequeue(part.bytes) } else { held.release(part.bytes) }
            }
            let queued = parts.filter(\.isQueued).reduce(0) { $0 + $1.bytes }
            let other = parts.filter { !$0.isQueued }.reduce(0) { $0 + $1.bytes }
            #expect(held.queued == queued && held.total == other + 2 * queued, "seed \(seed)")
            #expect(held.isFull == (held.total >= 1000 || queued >= 500), "seed \(seed)")
        }
    }
}

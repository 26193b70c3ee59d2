import Seeds
import Testing

@testable import Indexing

@Suite struct RunTrackerTests {
    @Test func prefixOnly() {
        var tracker = RunTracker()
        #expect(tracker.committable == nil)
        let a = tracker.open(first: 0, next: 10, count: 10)
        let b = tracker.open(first: 12, next: 20, count: 5)
        #expect(tracker.settle(b, 5) == false)
        #expect(tracker.committable == nil)
        #expect(tracker.settle(a, 9) == false)
        #expect(tracker.settle(a, 1) == true)
        #expect(tracker.committable == 20)
        #expect(tracker.openRuns == 0 && tracker.unsettled == 0 && tracker.read == 15)
    }

    /// A record that writes into several places is settled when all of them have it.
    @Test func companionsHoldTheirRun() {
        var tracker = RunTracker()
        let run = tracker.open(first: 0, next: 10, count: 10)
        tracker.expect(run, 2)
        #expect(tracker.settle(run, 10) == false && !tracker.isSettled(run))
        #expect(tracker.unsettled == 0 && tracker.companions == 2)
        #expect(tracker.conclude(run, 1) == false && tracker.committable == nil)
        #expect(tracker.conclude(run, 1) == true && tracker.committable == 10 && tracker.isSettled(run))
        #expect(tracker.conclude(run, 1) == false && tracker.mistakes == 1)
    }

    @Test func positionWithoutRecords() {
        var tracker = RunTracker()
        tracker.advance(to: 5)
        #expect(tracker.committable == 5)
        let run = tracker.open(first: 5, next: 8, count: 3)
        tracker.advance(to: 11)
        #expect(tracker.committable == 5)
        #expect(tracker.settle(run, 3) == true)
        #expect(tracker.committable == 11)
        tracker.advance(to: 9)
        #expect(tracker.committable == 11)
        #expect(tracker.open(first: 11, next: 12, count: 0) >= 0)
        #expect(tracker.committable == 12)
    }

    @Test func wrongCallsChangeNothing() {
        var tracker = RunTracker()
        #expect(tracker.settle(0, 1) == false)
        #expect(tracker.open(first: 5, next: 5, count: 1) == -1)
        #expect(tracker.open(first: 5, next: 6, count: 2) == -1)
        #expect(tracker.open(first: -1, next: 6, count: 2) == -1)
        let run = tracker.open(first: 5, next: 9, count: 4)
        #expect(tracker.open(first: 8, next: 12, count: 4) == -1)
        #expect(tracker.settle(run, 5) == false)
        #expect(tracker.settle(run, 0) == false)
        #expect(tracker.settle(run, -1) == false)
        #expect(tracker.settle(.max, 1) == false)
        #expect(tracker.settle(.min, 1) == false)
        #expect(tracker.settle(run, 4) == true)
        #expect(tracker.settle(run, 1) == false)
        #expect(tracker.mistakes == 11)
        #expect(tracker.committable == 9)
    }

    @Test func neverBeyondAnUnacknowledgedRecord() {
        let seed = newSeed("neverBeyondAnUnacknowledgedRecord")
        var random = Seeded(seed)
        for _ in 0..<200 {
            var tracker = RunTracker()
            var open: [(run: Int, first: Int64, left: Int)] = []
            var offset = Int64.random(in: 0...1_000, using: &random)
            for _ in 0..<200 {
                if Bool.random(using: &random) || open.isEmpty {
                    let first = offset + Int64.random(in: 0...3, using: &random)
                    let count = Int.random(in: 1...5, using: &random)
                    let next = first + Int64(count) + Int64.random(in: 0...2, using: &random)
                    open.append((tracker.open(first: first, next: next, count: count), first, count))
                    offset = next
                    if Int.random(in: 0..<5, using: &random) == 0 {
                        offset += 2
                        tracker.advance(to: offset)
                    }
                } else {
                    let at = Int.random(in: 0..<open.count, using: &random)
                    let count = Int.random(in: 1...open[at].left, using: &random)
                    let before = tracker.committable
                    let moved = tracker.settle(open[at].run, count)
                    #expect(moved == (before != tracker.committable))
                    open[at].left -= count
                    if open[at].left == 0 { open.remove(at: at) }
                }
                let oldest = open.first.map(\.first) ?? .max
                #expect((tracker.committable ?? 0) <= oldest, "seed \(seed)")
                if open.isEmpty { #expect(tracker.committable == offset, "seed \(seed)") }
                #expect(tracker.unsettled == open.reduce(0) { $0 + $1.left })
            }
            #expect(tracker.mistakes == 0)
        }
    }
}

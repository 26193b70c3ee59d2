import Testing

@testable import SearchCluster

@Suite struct NodeRingTests {
    private let second: UInt64 = 1_000_000_000

    @Test func nodesTakeTurns() {
        var ring = NodeRing(count: 3)
        #expect((0..<6).map { _ in ring.next(now: 0) } == [0, 1, 2, 0, 1, 2])
    }

    @Test func aFailedNodeIsSetAsideLongerEachTime() {
        var ring = NodeRing(count: 2)
        ring.failed(0, now: 10)
        #expect((0..<3).map { _ in ring.next(now: 10) } == [1, 1, 1])
        #expect(ring.healthy(now: 10) == 1)
        #expect(ring.healthy(now: 10 + second) == 2)
        ring.failed(0, now: 10)
        #expect(ring.healthy(now: 10 + second) == 1)
        #expect(ring.healthy(now: 10 + 2 * second) == 2)
        for _ in 0..<20 { ring.failed(0, now: 10) }
        #expect(ring.healthy(now: 10 + 30 * second) == 2)
        ring.succeeded(0)
        #expect(ring.healthy(now: 10) == 2)
    }

    @Test func aNodeThatHangsGetsNothingThatMustNotBeSentTwice() {
        var ring = NodeRing(count: 2)
        ring.failed(0, now: 0, hangs: true)
        #expect(ring.healthy(now: 29 * second) == 1)
        #expect((0..<3).map { _ in ring.next(now: 31 * second, isOnce: true) } == [1, 1, 1])
        #expect(Set((0..<2).map { _ in ring.next(now: 31 * second) }) == [0, 1])
        ring.succeeded(0)
        #expect(Set((0..<2).map { _ in ring.next(now: 31 * second, isOnce: true) }) == [0, 1])
        // Where all hang, one is tried.
        for node in 0..<2 { ring.failed(node, now: 0, hangs: true) }
        #expect(ring.next(now: 1, isOnce: true) == 0)
    }

    @Test func withAllSetAsideTheFirstToComeBackIsTried() {
        var ring = NodeRing(count: 3)
        ring.failed(0, now: 0)
        ring.failed(1, now: 0)
        ring.failed(1, now: 0)
        ring.failed(2, now: 5)
        #expect(ring.next(now: 6) == 0)
        #expect(ring.next(now: 6, excluding: [0]) == 2)
        #expect(ring.next(now: 6, excluding: [0, 1, 2]) == nil)
    }
}

import Seeds
import Testing

@testable import Basics

@Suite struct FIFOTests {
    @Test func firstInFirstOut() {
        var queue = FIFO<Int>()
        #expect(queue.isEmpty && queue.first == nil && queue.next() == nil)
        queue.append(1)
        queue.append(2)
        queue.putBack(0)
        queue.putBack([-2, -1])
        #expect(queue.first == -2 && queue.count == 5)
        #expect(Array(queue) == [-2, -1, 0, 1, 2])
        #expect((0..<6).map { _ in queue.next() } == [-2, -1, 0, 1, 2, nil])
    }

    /// Any order of calls gives what an array gives.
    @Test func isLikeAnArray() {
        var random = Seeded(newSeed("FIFO against an array"))
        for _ in 0..<200 {
            var queue = FIFO<Int>()
            var model: [Int] = []
            // How often something is put in, of 100 steps: some queues grow, some stay short.
            let growth = random.below(100)
            for step in 0..<400 {
                if random.chance(growth) {
                    let some = (0..<random.below(4)).map { step * 10 + $0 }
                    switch random.below(3) {
                    case 0:
                        queue.append(step)
                        model.append(step)
                    case 1:
                        queue.putBack(step)
                        model.insert(step, at: 0)
                    default:
                        queue.putBack(some)
                        model.insert(contentsOf: some, at: 0)
                    }
                } else if random.chance(1) {
                    queue.removeAll()
                    model.removeAll()
                } else {
                    #expect(queue.next() == (model.isEmpty ? nil : model.removeFirst()))
                }
                #expect(queue.count == model.count && queue.first == model.first && queue.isEmpty == model.isEmpty)
                #expect(queue.capacity <= max(16, model.count * 4 + 4), "memory that is not needed")
            }
            #expect(Array(queue) == model)
        }
    }

    /// A copy keeps what it has when the original goes on.
    @Test func isAValue() {
        var queue = FIFO<Int>()
        for number in 0..<20 { queue.append(number) }
        let copy = queue
        while queue.next() != nil {}
        queue.append(99)
        #expect(Array(copy) == Array(0..<20))
        #expect(Array(queue) == [99])
    }

    private final class Token {}

    /// An element that was taken is not kept by the queue.
    @Test func releasesWhatIsTaken() {
        var queue = FIFO<Token>()
        for _ in 0..<10 { queue.append(Token()) }
        weak let taken: Token? = queue.first
        #expect(taken != nil)
        _ = queue.next()
        #expect(taken == nil)
    }
}

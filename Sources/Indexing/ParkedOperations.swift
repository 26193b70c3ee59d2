import Basics
import Commands
import JSONText

/// Operations whose document may still be on its way into another entry, or out of it. Each id has a queue, in the
/// order of the log.
struct ParkedOperations {
    private struct Parked {
        var entry: Int
        var operation: LaneOperation
    }

    private var queues: [[UInt8]: FIFO<Parked>] = [:]
    private(set) var heldBytes = 0

    var isEmpty: Bool { queues.isEmpty }

    func holds(_ id: Bytes) -> Bool { !queues.isEmpty && queues[Array(id)] != nil }

    mutating func park(_ operation: LaneOperation, entry: Int, id: Bytes) {
        heldBytes += operation.heldBytes
        queues[Array(id), default: FIFO()].append(Parked(entry: entry, operation: operation))
    }

    /// Gives `take` what waits no longer; it answers whether it took the operation. True when it took any.
    mutating func release(_ take: (_ entry: Int, _ id: Bytes, _ operation: LaneOperation) -> Bool) -> Bool {
        var isAny = false
        for id in Array(queues.keys) {
            while let front = queues[id]?.first {
                guard id.withUnsafeBufferPointer({ take(front.entry, $0, front.operation) }) else { break }
                isAny = true
                heldBytes -= front.operation.heldBytes
                _ = queues[id]?.next()
            }
            if queues[id]?.isEmpty == true { queues[id] = nil }
        }
        return isAny
    }

    /// Gives the tokens that have no outcome.
    mutating func removeAll() -> [UInt64] {
        let tokens = queues.values.flatMap { queue in queue.map(\.operation.token) }
        self = ParkedOperations()
        return tokens
    }
}

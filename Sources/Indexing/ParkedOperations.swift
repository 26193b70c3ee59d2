import Basics
import Commands
import JSONText

/// Operations whose document may still be on its way into another entry, or out of it. Each id has a queue, in the
/// order of the log.
///
/// An id is looked at again only after something ended that it may wait for: ``wake(_:)``.
struct ParkedOperations {
    private struct Parked {
        var entry: Int
        var operation: LaneOperation
    }

    private struct Queue {
        var operations = FIFO<Parked>()
        var isAwake = false
    }

    private var queues: [[UInt8]: Queue] = [:]
    /// The ids whose operations wait, by the hash of each key that they may wait for: the id in every entry.
    private var names: [UInt64: [[UInt8]]] = [:]
    /// Ids of which something ended that they may have waited for, in the order in which it ended.
    private var awake: [[UInt8]] = []
    /// Entries between which documents move.
    private let entries: Int
    private(set) var heldBytes = 0

    init(entries: Int) { self.entries = entries }

    var isEmpty: Bool { queues.isEmpty }

    func holds(_ id: Bytes) -> Bool { !queues.isEmpty && queues[Array(id)] != nil }

    mutating func park(_ operation: LaneOperation, entry: Int, id: Bytes) {
        heldBytes += operation.heldBytes
        let name = Array(id)
        if queues[name] == nil {
            for entry in 0..<entries { names[KeyHash.hash(id, seed: entry), default: []].append(name) }
        }
        queues[name, default: Queue()].operations.append(Parked(entry: entry, operation: operation))
    }

    /// The lane of a key ended, or the batch that wrote it. `key`: the ``KeyHash`` of id and entry.
    mutating func wake(_ key: UInt64) {
        for id in names[key] ?? [] where queues[id]?.isAwake == false {
            queues[id]?.isAwake = true
            awake.append(id)
        }
    }

    /// Gives `take` what is awake; it answers whether it took the operation. True when it took any. An operation that
    /// it did not take sleeps again.
    mutating func release(_ take: (_ entry: Int, _ id: Bytes, _ operation: LaneOperation) -> Bool) -> Bool {
        var isAny = false
        for id in awake {
            while let front = queues[id]?.operations.first {
                guard id.withUnsafeBufferPointer({ take(front.entry, $0, front.operation) }) else { break }
                isAny = true
                heldBytes -= front.operation.heldBytes
                _ = queues[id]?.operations.next()
            }
            queues[id]?.isAwake = false
            if queues[id]?.operations.isEmpty == true { forget(id) }
        }
        awake = []
        return isAny
    }

    /// Nothing of the id waits any more.
    private mutating func forget(_ id: [UInt8]) {
        queues[id] = nil
        for entry in 0..<entries {
            let key = id.withUnsafeBufferPointer { KeyHash.hash($0, seed: entry) }
            names[key]?.removeAll { $0 == id }
            if names[key]?.isEmpty == true { names[key] = nil }
        }
    }

    /// Gives the tokens that have no outcome.
    mutating func removeAll() -> [UInt64] {
        let tokens = queues.values.flatMap { queue in queue.operations.map(\.operation.token) }
        self = ParkedOperations(entries: entries)
        return tokens
    }
}

/// Which keys have a write in a batch that is under way, and in which batch.
///
/// A key lane must not read its base while such a write is under way: the write could arrive after the read, and the
/// partial update would then be folded onto a document that is already old (P4 in docs/architecture.md).
struct KeysUnderWay {
    /// A batch that is open or on its way to the target, with the hashes of its keys.
    private struct Batch {
        var serial: Int
        var hashes: [UInt64]
        var isFinished = false
    }

    /// From the hash of a key to the serial of the last batch that writes it. Two keys of one hash only make a lane
    /// wait longer than it must.
    private let table: KeyTable
    /// In the order in which the batches were opened.
    private var batches: [Batch] = []
    /// Empty arrays whose room is used again.
    private var spare: [[UInt64]] = []

    init(capacity: Int) { table = KeyTable(capacity: capacity) }

    var isEmpty: Bool { batches.isEmpty }

    /// The batch writes the key.
    mutating func add(_ hash: UInt64, in serial: Int) {
        table.insert(hash, serial)
        // The batch that was opened last is nearly always the one.
        if let at = batches.lastIndex(where: { $0.serial == serial }) {
            batches[at].hashes.append(hash)
        } else {
            var hashes = spare.popLast() ?? []
            hashes.append(hash)
            batches.append(Batch(serial: serial, hashes: hashes))
        }
    }

    /// The last batch under way that writes the key; nil when there is none.
    func batch(of hash: UInt64) -> Int? { table.get(hash) }

    /// Every item of the batch has its outcome. Gives the batches that lanes need not wait for any more, the oldest
    /// first, and the hashes of the keys that are not under way any more. A batch counts only when all that were opened
    /// before it are finished, because an older one that is being repeated may write the same key.
    mutating func finish(_ serial: Int) -> (batches: [Int], keys: [UInt64]) {
        guard let at = batches.firstIndex(where: { $0.serial == serial }) else { return ([], []) }
        batches[at].isFinished = true
        let count = batches.prefix { $0.isFinished }.count
        var finished: [Int] = []
        var keys: [UInt64] = []
        for batch in batches.prefix(count) {
            for hash in batch.hashes where table.get(hash) == batch.serial {
                table.remove(hash)
                keys.append(hash)
            }
            finished.append(batch.serial)
            recycle(batch.hashes)
        }
        batches.removeFirst(count)
        return (finished, keys)
    }

    private mutating func recycle(_ hashes: [UInt64]) {
        guard spare.count < 8 else { return }
        var hashes = hashes
        hashes.removeAll(keepingCapacity: true)
        spare.append(hashes)
    }
}

import Basics
import Commands

/// The operations of one key, and where the lane stands.
final class Lane {
    enum Phase {
        /// The base is to be read, once no batch under way holds the key.
        case ready
        case fetching
        case needsSource
        case fetchingSource
        /// The base is known, operations are to be folded onto it.
        case based
        case writing
    }

    let key: LaneKey
    let entry: Int
    let id: [UInt8]
    let hash: UInt64
    /// Slot of the next lane whose key has the same hash; -1: none.
    var sameHash: Int
    var phase = Phase.ready
    /// Batches under way that hold the key.
    var waits = 0
    var queue = FIFO<LaneOperation>()
    /// Operations of the write under way.
    var folded: [LaneFolded] = []
    /// Whether the write under way stands on the source's own document.
    var isOnSource = false
    /// The operation at the front is tried without the source's document. The operations behind it must not take its
    /// result for their base.
    var isWithoutSource = false
    var base: LaneBase?
    /// The copy was unfinished when the base began to be read.
    var readDuringCopy = false
    /// The routing that the base was read with.
    var routing: [UInt8]?
    /// The number of operations, from the front, that get a write of their own.
    var alone = 0
    /// A delete was written over its own tombstone. If that write is refused, it is not tried again.
    var hasRenewed = false

    init(key: LaneKey, entry: Int, id: [UInt8], hash: UInt64, sameHash: Int) {
        (self.key, self.entry, self.id, self.hash, self.sameHash) = (key, entry, id, hash, sameHash)
    }

    var ownBytes: Int { id.count + 256 }
}

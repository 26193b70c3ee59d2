import Failures
import Indexing
import JSONText
import Synchronization

/// Finds an id whose commands lie in two partitions. Under `version: offset` that is an error, because offsets order
/// only the records of one partition (P1 in docs/architecture.md).
///
/// It remembers where ids were seen, in 1.5 MiB, so it finds most such ids but not all. During a backlog it looks up
/// one id in 32, which costs next to nothing. When records come a few at a time it looks up every id.
@usableFromInline package final class CrossPartitionIDDetector: Sendable {
    /// The two places of one id.
    package struct Clash: Equatable {
        package var one: (partition: Int32, offset: Int64)
        package var other: (partition: Int32, offset: Int64)

        package func refusal(id: String, topic: String, orderedByOthers: Bool) -> Refusal {
            .idInTwoPartitions(
                id, topic: topic, orderedByOthers: orderedByOthers, one: Refusal.Place(one.partition, one.offset),
                other: Refusal.Place(other.partition, other.offset))
        }

        package static func == (one: Clash, other: Clash) -> Bool { one.one == other.one && one.other == other.other }
    }

    private struct Seen {
        package var hash: UInt64 = 0
        package var offset: Int64 = -1
        package var partition: Int32 = -1
    }

    /// A run of at least so many records counts as a backlog.
    package static let backlog = 64
    @usableFromInline static var sample: UInt64 { 31 }
    private let slots: Mutex<[Seen]>
    private let mask: Int

    /// Room for `capacity` ids, a power of two. A newer id replaces an older one with the same slot.
    package init(capacity: Int = 1 << 16) {
        slots = Mutex(Array(repeating: Seen(), count: capacity))
        mask = capacity - 1
    }

    /// Whether an id of this hash is looked up in a backlog.
    @inlinable @inline(__always) package static func isSampled(_ hash: UInt64) -> Bool { hash >> 59 == sample }

    /// Remembers a record of the id. Returns the clash if the id was last seen in another partition.
    package func see(_ hash: UInt64, partition: Int32, offset: Int64) -> Clash? {
        slots.withLock { slots in
            let slot = Int(truncatingIfNeeded: hash) & mask
            let seen = slots[slot]
            slots[slot] = Seen(hash: hash, offset: offset, partition: partition)
            guard seen.hash == hash, seen.partition >= 0, seen.partition != partition else { return nil }
            return Clash(one: (seen.partition, seen.offset), other: (partition, offset))
        }
    }
}

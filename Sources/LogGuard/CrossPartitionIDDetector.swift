import Failures
import Indexing
import JSONText
import Synchronization

/// Remembers where ids were seen, as far as 1.5 MiB go, to find one whose commands lie in two partitions, which
/// `version: offset` cannot bear (P1 in docs/architecture.md).
///
/// While there is a backlog only ids of every thirty-second hash are looked up, so that it costs next to nothing; when
/// records come few at a time all are.
package final class CrossPartitionIDDetector: Sendable {
    /// The two places of one id.
    package struct Clash: Equatable {
        package var one: (partition: Int32, offset: Int64)
        package var other: (partition: Int32, offset: Int64)

        package func refusal(id: String, topic: String) -> Refusal {
            .idInTwoPartitions(
                id, topic: topic, one: Refusal.Place(one.partition, one.offset),
                other: Refusal.Place(other.partition, other.offset))
        }

        package static func == (one: Clash, other: Clash) -> Bool { one.one == other.one && one.other == other.other }
    }

    private struct Seen {
        package var hash: UInt64 = 0
        package var offset: Int64 = -1
        package var partition: Int32 = -1
    }

    /// Records handed over together from which on there is a backlog.
    package static let backlog = 64
    private static let sample: UInt64 = 31
    private let slots: Mutex<[Seen]>
    private let mask: Int

    /// Room for `capacity` ids, a power of two; a newer id takes the place of an older one that it meets.
    package init(capacity: Int = 1 << 16) {
        slots = Mutex(Array(repeating: Seen(), count: capacity))
        mask = capacity - 1
    }

    /// Whether an id of this hash is looked up in a backlog.
    @inline(__always) package static func isSampled(_ hash: UInt64) -> Bool { hash >> 59 == sample }

    /// A record of the id was read; says where else it was seen.
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

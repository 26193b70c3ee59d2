import Indexing

/// Records that are read, or to be read, and not yet done.
package enum Lag {
    /// Of the partitions that are ours; nil when one's end is unknown, or when none is ours: then others may be behind.
    package static func of(_ partitions: [PartitionCounts], ends: [Int32: Int64]?) -> Int64? {
        let owned = partitions.filter(\.owned)
        guard let ends, !owned.isEmpty else { return nil }
        var sum: Int64 = 0
        for partition in owned {
            guard let end = ends[partition.partition], let committed = partition.committed else { return nil }
            // What was read meanwhile lies before the end, however old the answer is.
            sum += max(0, max(end, partition.position ?? 0) - committed)
        }
        return sum
    }
}

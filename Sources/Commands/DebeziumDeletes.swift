import JSONText

/// The deletes that were decoded last. Debezium writes a record without a value after each of them, for the compaction
/// of the topic, and that one says nothing new.
struct DebeziumDeletes {
    private struct Seen {
        var hash: UInt64 = 0
        var partition: Int32 = -1
        var offset: Int64 = -1
    }

    private static let room = 64
    /// So many records may lie between the two. Debezium writes one behind the other.
    private static let reach: Int64 = 10_000
    private var seen: [Seen] = []
    private var next = 0

    mutating func note(_ record: Record) {
        guard let key = record.key, record.offset >= 0 else { return }
        let entry = Seen(hash: Self.hash(key), partition: record.partition, offset: record.offset)
        if seen.count < Self.room { seen.append(entry) } else { seen[next] = entry }
        next = (next &+ 1) % Self.room
    }

    /// Whether this record without a value follows a delete of its key.
    func precede(_ record: Record) -> Bool {
        guard let key = record.key, !seen.isEmpty else { return false }
        let hash = Self.hash(key)
        return seen.contains {
            $0.hash == hash && $0.partition == record.partition && $0.offset < record.offset
                && record.offset &- $0.offset <= Self.reach
        }
    }

    private static func hash(_ key: Bytes) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in key { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return hash
    }
}

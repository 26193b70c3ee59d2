/// By which records the log of each partition is known: what was applied, what was found again later, and what of that
/// is still to be kept in the state.
struct AppliedRecords: Sendable {
    struct Partition: Sendable {
        /// The offset after the last record taken.
        var position: Int64
        /// Applied records after `proven`, oldest first.
        var trail: [RecordFingerprint] = []
        /// The last applied record that was found again in the log.
        var proven: RecordFingerprint?
        var isKept = true

        /// The record by which the log is known: the last one found again, or else the first that was applied.
        var anchor: RecordFingerprint? { proven ?? trail.first }
        /// The last applied record.
        var last: RecordFingerprint? { trail.last ?? proven }
        /// All that are remembered, oldest first.
        var known: [RecordFingerprint] { (proven.map { [$0] } ?? []) + trail }
    }

    /// Records of one partition that are remembered at most.
    static let longestTrail = 16

    private(set) var partitions: [Int32: Partition] = [:]
    /// Anchors that still have to be kept, of partitions that were given up.
    private var left: [Int32: RecordFingerprint] = [:]

    /// Anchors that still have to be kept.
    var unkept: [Int32: RecordFingerprint] {
        left.merging(partitions.filter { !$0.value.isKept }.compactMapValues(\.anchor)) { _, new in new }
    }

    /// The partition is read from this position on. `known`: a record of it that was just found in the log.
    mutating func began(_ partition: Int32, at position: Int64, known: RecordFingerprint?) {
        partitions[partition] = Partition(position: position, proven: known)
    }

    mutating func ended(_ ended: [Int32]) {
        left = unkept
        for partition in ended { partitions[partition] = nil }
    }

    /// The partitions have been read up to these positions. `applied`: per partition the last settled record.
    mutating func moved(_ positions: [Int32: Int64], applied: [Int32: RecordFingerprint]) {
        for (partition, position) in positions { partitions[partition]?.position = position }
        for (partition, fingerprint) in applied {
            guard var seen = partitions[partition], seen.trail.last != fingerprint else { continue }
            // Every second one is enough: the place where another log begins lies between two of them.
            if seen.trail.count >= Self.longestTrail {
                seen.trail = seen.trail.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
            }
            if seen.anchor == nil { seen.isKept = false }
            seen.trail.append(fingerprint)
            partitions[partition] = seen
        }
    }

    /// The record was found again in the log.
    mutating func proved(_ partition: Int32, _ fingerprint: RecordFingerprint) {
        guard var seen = partitions[partition], seen.proven != fingerprint else { return }
        seen.proven = fingerprint
        seen.trail.removeAll { $0.offset <= fingerprint.offset }
        seen.isKept = false
        partitions[partition] = seen
    }

    /// The state holds these anchors.
    mutating func kept(_ kept: [Int32: RecordFingerprint]) {
        for (partition, fingerprint) in kept {
            if left[partition] == fingerprint { left[partition] = nil }
            if partitions[partition]?.anchor == fingerprint { partitions[partition]?.isKept = true }
        }
    }
}

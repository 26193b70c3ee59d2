import Commands

/// Records that came out stale, and what the log has at the places that made them so.
///
/// A record is stale because the target holds a newer version of its document. Where versions are offsets, that version
/// names an offset, but not its partition. If the record at that offset of another partition names the same document,
/// its commands lie in two partitions, and the stale one may well be the newer one (P1 in docs/architecture.md).
package struct StaleRecords {
    /// One of them.
    package struct Record: Sendable, Equatable {
        package var partition: Int32
        package var offset: Int64
        /// The offset that the version in the target names.
        package var newer: Int64

        package init(partition: Int32, offset: Int64, newer: Int64) {
            (self.partition, self.offset, self.newer) = (partition, offset, newer)
        }
    }

    /// What a command names.
    package struct Document: Hashable, Sendable {
        package var entry: Int
        package var id: [UInt8]

        package init(entry: Int, id: [UInt8]) { (self.entry, self.id) = (entry, id) }
    }

    /// Offsets of one partition with no more than so many between them are read in one go.
    private static let gap: Int64 = 256

    private let records: [Record]
    private let partitions: [Int32]
    private var wanted: [Int32: Set<Int64>] = [:]
    private var found: [Int32: [Int64: Document]] = [:]

    /// - Parameter partitions: all of the topic.
    package init(_ records: [Record], partitions: [Int32]) {
        (self.records, self.partitions) = (records, partitions)
        for record in records {
            wanted[record.partition, default: []].insert(record.offset)
            for other in partitions where other != record.partition {
                wanted[other, default: []].insert(record.newer)
            }
        }
    }

    /// What is to be read, in rounds of at most one range for each partition. `marks`: what there is.
    package func rounds(_ marks: [Int32: (low: Int64, high: Int64)]) -> [[Int32: Range<Int64>]] {
        var rounds: [[Int32: Range<Int64>]] = []
        for (partition, offsets) in wanted {
            guard let mark = marks[partition], mark.low < mark.high else { continue }
            var ranges: [Range<Int64>] = []
            for offset in offsets.sorted() where offset >= mark.low && offset < mark.high {
                if let last = ranges.last, offset - last.upperBound <= Self.gap {
                    ranges[ranges.count - 1] = last.lowerBound..<offset + 1
                } else {
                    ranges.append(offset..<offset + 1)
                }
            }
            for (round, range) in ranges.enumerated() {
                if round == rounds.count { rounds.append([:]) }
                rounds[round][partition] = range
            }
        }
        return rounds
    }

    /// Whether it matters what the record at this place names.
    package func wants(_ partition: Int32, _ offset: Int64) -> Bool { wanted[partition]?.contains(offset) == true }

    /// The record at this place names the document.
    package mutating func read(_ partition: Int32, _ offset: Int64, _ document: Document) {
        found[partition, default: [:]][offset] = document
    }

    /// The first document with commands in two partitions, the stale one last; nil: none is known.
    package var clash: (id: [UInt8], clash: CrossPartitionIDDetector.Clash)? {
        for record in records {
            guard let document = found[record.partition]?[record.offset] else { continue }
            for other in partitions where other != record.partition && found[other]?[record.newer] == document {
                return (
                    document.id,
                    CrossPartitionIDDetector.Clash(
                        one: (other, record.newer), other: (record.partition, record.offset))
                )
            }
        }
        return nil
    }
}

/// Which parts of the log a sample reads: for each partition the newest records, and the newest that the old index is
/// known to have.
package struct LogStretches: Sendable, Equatable {
    /// The records whose effect the old index holds: just before the offset that the application's group has
    /// committed. Without a group, just before the middle of the log.
    package private(set) var applied: [Int32: Range<Int64>] = [:]
    package private(set) var newest: [Int32: Range<Int64>] = [:]

    /// `unread`: the part of the log in which an id must stay in one partition. `application`: the offsets of the
    /// application's group; nil: no group is named, or it is not known where it stands.
    package init(
        watermarks: [Int32: (low: Int64, high: Int64)], unread: [Int32: (low: Int64, high: Int64)],
        application: [Int32: Int64]?, newestTotal: Int64 = 2400, appliedTotal: Int64 = 2400
    ) {
        let size = Self.share(of: appliedTotal, among: watermarks.count)
        let newestSize = Self.share(of: newestTotal, among: unread.count)
        for (partition, mark) in watermarks where mark.high > mark.low {
            let end: Int64
            if let application {
                end = min(mark.high, max(mark.low, application[partition] ?? mark.low))
            } else {
                end = mark.low + (mark.high - mark.low + 1) / 2
            }
            if end > mark.low { applied[partition] = max(mark.low, end - size)..<end }
        }
        for (partition, mark) in unread where mark.high > mark.low {
            newest[partition] = max(mark.low, mark.high - newestSize)..<mark.high
        }
    }

    /// Records of one partition. What a sample costs at every start is small beside the replay of a million records.
    private static func share(of total: Int64, among partitions: Int) -> Int64 {
        max(100, min(2000, total / Int64(max(1, partitions))))
    }

    /// The passes over the log: in each a partition has one range. Ranges that meet, or nearly, are read as one.
    package var passes: [[Int32: Range<Int64>]] {
        var first: [Int32: Range<Int64>] = newest
        var second: [Int32: Range<Int64>] = [:]
        for (partition, range) in applied {
            guard let other = newest[partition] else {
                first[partition] = range
                continue
            }
            if range.upperBound + 500 >= other.lowerBound, other.upperBound + 500 >= range.lowerBound {
                first[partition] =
                    min(range.lowerBound, other.lowerBound)..<max(range.upperBound, other.upperBound)
            } else {
                second[partition] = range
            }
        }
        return [first, second].filter { !$0.isEmpty }
    }
}

/// Where the two consumer groups stand, by partition: the application's own group, and Crossfade. A position is the
/// offset of the first record that is not applied yet.
package struct GroupPositions: Sendable, Equatable {
    /// nil: no group is named, or it is not known where it stands. Partitions in which it has committed nothing are
    /// left out.
    package var application: [Int32: Int64]?
    /// Partitions in which nothing was applied yet are left out.
    package var crossfade: [Int32: Int64]
    /// The first offset that the log still has.
    package var starts: [Int32: Int64]
    /// The end of the log, with the records of open transactions.
    package var ends: [Int32: Int64]

    package init(
        application: [Int32: Int64]?, crossfade: [Int32: Int64], starts: [Int32: Int64], ends: [Int32: Int64]
    ) {
        (self.application, self.crossfade, self.starts, self.ends) = (application, crossfade, starts, ends)
    }

    /// Commands before these offsets are applied on both sides, as far as is known.
    package var applied: [Int32: Int64] {
        ends.reduce(into: [:]) { applied, end in applied[end.key] = min(own(end.key), theirs(end.key)) }
    }

    /// Commands before these offsets are written on the new side.
    package var written: [Int32: Int64] {
        ends.keys.reduce(into: [:]) { written, partition in written[partition] = own(partition) }
    }

    /// All that the log holds.
    package var whole: [Int32: Range<Int64>] {
        ends.reduce(into: [:]) { ranges, end in
            let start = starts[end.key] ?? 0
            if end.value > start { ranges[end.key] = start..<end.value }
        }
    }

    /// The first partition in which records from `positions` on are not in the log any more.
    package func lost(since positions: [Int32: Int64]) -> (partition: Int32, from: Int64, start: Int64)? {
        for (partition, start) in starts.sorted(by: { $0.key < $1.key }) {
            if let from = positions[partition], from < start { return (partition, from, start) }
        }
        return nil
    }

    /// Whether both groups have applied all records before `ends`. `ends` must be the offsets behind records: a group
    /// commits nothing for the control records behind its last record.
    package func passed(_ ends: [Int32: Int64]) -> Bool { behind(ends).isEmpty }

    /// Who has records before `ends` still to apply, and how many, at most. Sorted by partition.
    package func behind(_ ends: [Int32: Int64]) -> [Behind] {
        ends.sorted { $0.key < $1.key }.flatMap { partition, end in
            [(Behind.Who.application, theirs(partition)), (.crossfade, own(partition))].compactMap { who, position in
                position < end ? Behind(who: who, partition: partition, position: position, end: end) : nil
            }
        }
    }

    /// Why it proves nothing that the old side lacks a document: its indexer may not have applied a command that the
    /// log does not hold any more. nil: it has applied all of these. What the log still holds does not matter here,
    /// because no document is judged before both groups have passed it.
    package var sourceDoubt: String? {
        for (partition, end) in ends.sorted(by: { $0.key < $1.key }) where end > 0 {
            guard let application else {
                return "it is not known how far the application's own indexer is (commands.application_group)"
            }
            guard let position = application[partition] else {
                return "the application's group has committed nothing in partition \(partition)"
            }
            let start = starts[partition] ?? 0
            guard position >= start else {
                return "the application's group stands at offset \(position) of partition \(partition), and the topic "
                    + "begins at \(start): it has never applied what lay between"
            }
        }
        return nil
    }

    /// Whether the application's group has records still to apply, and has got on in none of these partitions.
    package func applicationStandsStill(since before: GroupPositions) -> Bool {
        let behind = behind(ends).filter { $0.who == .application }
        return !behind.isEmpty && behind.allSatisfy { before.theirs($0.partition) == $0.position }
    }

    /// Commands that were not applied on both sides at `before`, and are in the log now.
    package func commands(since before: GroupPositions) -> Int64 {
        ends.reduce(0) { sum, end in sum &+ max(0, end.value &- (before.applied[end.key] ?? 0)) }
    }

    private func own(_ partition: Int32) -> Int64 {
        max(crossfade[partition] ?? 0, starts[partition] ?? 0)
    }

    private func theirs(_ partition: Int32) -> Int64 {
        guard let application else { return .max }
        return max(application[partition] ?? 0, starts[partition] ?? 0)
    }

    /// One of the groups has not applied everything of a partition.
    package struct Behind: Sendable, Equatable {
        package enum Who: String, Sendable { case application, crossfade }

        package var who: Who
        package var partition: Int32
        package var position: Int64
        package var end: Int64

        package var records: Int64 { end &- position }

        package var words: String {
            let name = who == .application ? "the application's group" : "Crossfade"
            return "\(name) stands at offset \(position) of partition \(partition), and the commands go on to \(end)"
        }
    }
}

import Failures
import Parity

/// Which documents the commands of the log name.
extension Settling {
    /// Adds every document that commands from `positions` on name: of this run's begin, or of an earlier receipt.
    /// Returns the line up to which it has read.
    package func addCommanded(since positions: [Int32: Int64], to candidates: KeyFile) throws -> [Int32: Int64] {
        let now = try groups.look()
        if let lost = now.lost(since: positions) {
            throw WorkError(
                .log,
                "partition \(lost.partition) of topic \(prepared.recipe.commands.topic) begins at offset \(lost.start) "
                    + "by now, so it is not known which documents the commands from offset \(lost.from) on named: "
                    + "verify everything again")
        }
        let ends = now.ends
        var ranges: [Int32: Range<Int64>] = [:]
        for (partition, end) in ends where end > positions[partition] ?? 0 {
            ranges[partition] = (positions[partition] ?? 0)..<end
        }
        let stretch = try named(in: ranges) { try candidates.append($0) }
        return positions.merging(stretch.ends) { max($0, $1) }
    }

    /// Tells of every document that commands in these ranges name, and of those that commands behind them name if the
    /// topic is compacted: compaction may have just taken a command of the ranges, and then a newer one of the same key
    /// is behind them.
    func named(
        in ranges: [Int32: Range<Int64>], _ told: (DocumentKey) throws -> Void
    ) throws -> LogTail.Stretch {
        let stretch = try log.keys(ranges, patience: 5000) { key, _, _ in try told(key) }
        guard stretch.isWhole, try isCompacted() else { return stretch }
        var behind: [Int32: Range<Int64>] = [:]
        for (partition, end) in try groups.look().ends {
            let from = ranges[partition]?.upperBound ?? end
            if end > from { behind[partition] = from..<end }
        }
        // What an open transaction hides is behind the ranges all the same.
        _ = try log.keys(behind, patience: 1000) { key, _, _ in try told(key) }
        return stretch
    }

    /// Whether compaction may take records. Where that is not known, it may.
    private func isCompacted() throws -> Bool {
        if let compacted { return compacted }
        let found = try groups.cleanupPolicy()?.contains("compact") ?? true
        compacted = found
        return found
    }
}

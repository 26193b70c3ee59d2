import Failures
import Parity
import Planning
import Telemetry

/// Which documents the commands of the log name.
package struct CommandedDocuments {
    private let topic: String
    private let log: LogTail
    private let groups: GroupReader

    package init(_ prepared: Preflight, groups: GroupReader, logger: Logger) {
        (topic, self.groups) = (prepared.recipe.commands.topic, groups)
        log = LogTail(prepared, logger: logger)
    }

    /// Adds every document that commands from `positions` on name: of this run's begin, or of an earlier receipt.
    /// Returns the line up to which it has read.
    package func add(since positions: [Int32: Int64], to candidates: KeyFile) throws -> [Int32: Int64] {
        let now = try groups.look()
        if let lost = now.lost(since: positions) {
            throw WorkError(
                .log,
                "partition \(lost.partition) of topic \(topic) begins at offset \(lost.start) by now, so it is not "
                    + "known which documents the commands from offset \(lost.from) on named: verify everything again")
        }
        var ranges: [Int32: Range<Int64>] = [:]
        for (partition, end) in now.ends where end > positions[partition] ?? 0 {
            ranges[partition] = (positions[partition] ?? 0)..<end
        }
        let stretch = try named(in: ranges) { try candidates.append($0) }
        return positions.merging(stretch.ends) { max($0, $1) }
    }

    /// Tells of every document that commands in these ranges name, and of those that commands behind them name if the
    /// topic is compacted: compaction may have just taken a command of the ranges, and then a newer one of the same key
    /// is behind them.
    package func named(
        in ranges: [Int32: Range<Int64>], _ told: (DocumentKey) throws -> Void
    ) throws -> LogTail.Stretch {
        let stretch = try log.keys(ranges, patience: 5000) { key, _, _ in try told(key) }
        // Where it is not known whether compaction may take records, it may.
        guard stretch.isWhole, try groups.cleanupPolicy()?.contains("compact") ?? true else { return stretch }
        var behind: [Int32: Range<Int64>] = [:]
        for (partition, end) in try groups.look().ends {
            let from = ranges[partition]?.upperBound ?? end
            if end > from { behind[partition] = from..<end }
        }
        // What an open transaction hides is behind the ranges all the same.
        _ = try log.keys(behind, patience: 1000) { key, _, _ in try told(key) }
        return stretch
    }
}

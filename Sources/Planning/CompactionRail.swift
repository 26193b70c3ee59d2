import CommandLog
import Failures
import Foundation
import Indexing
import LogGuard
import Recipe
import Runtime
import State
import Telemetry

/// Whether a compacted topic still has the deletes that were never read.
package enum CompactionRail {
    /// At most so many offsets are looked at, in all partitions together.
    private static let most: Int64 = 20_000

    static func look(
        _ recipe: Recipe, _ survey: Survey, start: [Int32: Int64], admin: LogAdmin, logger: Logger
    ) throws -> Rail {
        let topic = recipe.commands.topic
        let configuration = try Told.by { () throws(LogError) in try admin.configuration(of: topic) }
        guard let found = configuration.value else {
            return rail(
                .warn,
                "it is not known whether topic \(topic) is compacted: \(configuration.why ?? ""). If it is, a delete "
                    + "that nobody has read within its delete.retention.ms is lost")
        }
        guard let policy = found["cleanup.policy"], policy.contains("compact") else {
            return rail(.ok, "topic \(topic) is not compacted")
        }
        let retention = found["delete.retention.ms"].flatMap { Int64($0) } ?? 86_400_000
        let now = WallClock.now()
        var stretches = try unread(recipe, survey, start: start, admin: admin, logger: logger)
        let late = stretches.filter { $0.isLate(now: now, retention: retention) }
        if !late.isEmpty {
            stretches = try read(late, recipe, admin, olderThan: now - retention, logger: logger)
        }
        return judge(
            topic: topic, policy: policy, retention: retention, stretches, now: now,
            hasMerges: recipe.commands.format.hasMerges)
    }

    // MARK: What is not read yet

    private static func unread(
        _ recipe: Recipe, _ survey: Survey, start: [Int32: Int64], admin: LogAdmin, logger: Logger
    ) throws -> [ForgottenDeletes.Stretch] {
        let replay = survey.state?.replay.flatMap { $0.epoch == recipe.commands.format.epoch ? $0 : nil }
        let snapshot = survey.state?.copy?.snapshot
        var stretches: [ForgottenDeletes.Stretch] = []
        var copied: [Int32: Int64] = [:]
        for (partition, mark) in survey.watermarks.sorted(by: { $0.key < $1.key }) {
            let committed = survey.committed[partition]
            let position = replay?.position[partition]
            let since: ForgottenDeletes.Since
            let from: Int64
            if let position, position >= committed ?? 0 {
                since = .commit(replay?.keptAt ?? replay?.finished ?? replay?.started ?? 0)
                from = position
            } else if let committed {
                since = survey.history.committedAt[partition].map { .commit($0) } ?? .unknown
                from = committed
            } else if snapshot != nil {
                copied[partition] = start[partition] ?? mark.low
                continue
            } else {
                // Nothing was written to the target, so there is nothing that could live for ever.
                continue
            }
            if from < mark.high {
                stretches.append(
                    .init(partition: partition, offsets: max(from, mark.low)..<mark.high, since: since))
            }
        }
        guard let snapshot, !copied.isEmpty else { return stretches }
        for (partition, from) in try applied(copied, before: snapshot, recipe, survey, admin, logger) {
            guard let mark = survey.watermarks[partition], from < mark.high else { continue }
            stretches.append(
                .init(partition: partition, offsets: max(from, mark.low)..<mark.high, since: .snapshot(snapshot)))
        }
        return stretches.sorted { $0.partition < $1.partition }
    }

    /// Up to where the old index had applied the log when it was read: as the application's group says, else by time.
    private static func applied(
        _ starts: [Int32: Int64], before snapshot: Int64, _ recipe: Recipe, _ survey: Survey, _ admin: LogAdmin,
        _ logger: Logger
    ) throws -> [Int32: Int64] {
        if let recorded = survey.recorded(recipe), !recorded.isEmpty {
            return starts.reduce(into: [:]) { $0[$1.key] = max($1.value, recorded[$1.key] ?? $1.value) }
        }
        // Without a group, it is taken to have applied what was written before.
        let told = try Told.by { () throws(LogError) in
            try admin.offsets(recipe.commands.topic, forTimestamps: starts.mapValues { _ in snapshot })
        }
        guard let found = told.value else { return starts }
        // The gap before the first record of that time belongs to what came since.
        let first = found.compactMapValues { $0 }
        let probe = LogProbe(settings: recipe.kafkaSettings, topic: recipe.commands.topic, logger: logger)
        let last = try probe.last(before: first, marks: survey.watermarks)
        return starts.reduce(into: [:]) { from, start in
            let high = survey.watermarks[start.key]?.high ?? start.value
            let since = first[start.key] == nil ? high : last[start.key].map { $0.offset + 1 } ?? start.value
            from[start.key] = max(start.value, since)
        }
    }

    // MARK: Its gaps

    /// Looks for gaps before the first record that is younger than `time`: those after it are of no interest.
    private static func read(
        _ stretches: [ForgottenDeletes.Stretch], _ recipe: Recipe, _ admin: LogAdmin, olderThan time: Int64,
        logger: Logger
    ) throws -> [ForgottenDeletes.Stretch] {
        let told = try Told.by { () throws(LogError) in
            try admin.offsets(
                recipe.commands.topic,
                forTimestamps: Dictionary(uniqueKeysWithValues: stretches.map { ($0.partition, time) }))
        }
        let size = max(100, most / Int64(stretches.count))
        let probe = LogProbe(settings: recipe.kafkaSettings, topic: recipe.commands.topic, logger: logger)
        let end = MonotonicClock.milliseconds() + 6000
        var found: [Int32: ForgottenDeletes.Stretch] = [:]
        for var stretch in stretches {
            if let young = told.value?[stretch.partition] ?? nil {
                let upper = min(stretch.offsets.upperBound, max(stretch.offsets.lowerBound, young) + 1)
                stretch.offsets = stretch.offsets.lowerBound..<upper
            }
            found[stretch.partition] = stretch
        }
        // The beginning is compacted first. The end is looked at, too, where the stretch is long.
        for pass in 0..<2 {
            var ranges: [Int32: Range<Int64>] = [:]
            for (partition, stretch) in found {
                let all = stretch.offsets
                let first = all.lowerBound..<min(all.upperBound, all.lowerBound + size / 2)
                let second = max(first.upperBound, all.upperBound - size / 2)..<all.upperBound
                let range = pass == 0 ? first : second
                if !range.isEmpty { ranges[partition] = range }
            }
            var readers = ranges.mapValues { ForgottenDeletes.Reader(at: $0.lowerBound) }
            var reached: [Int32: Int64] = [:]
            // The second piece may begin within a gap, of which nothing is known then.
            var begun = Set(pass == 0 ? Array(ranges.keys) : [])
            try probe.each(in: ranges, until: end) { message in
                if begun.insert(message.partition).inserted {
                    readers[message.partition] = ForgottenDeletes.Reader(at: message.offset)
                }
                readers[message.partition]?.read(message.offset, timestamp: message.timestamp)
                reached[message.partition] = message.offset + 1
            }
            let isWhole = MonotonicClock.milliseconds() < end
            for (partition, range) in ranges {
                let upper = isWhole ? range.upperBound : min(range.upperBound, reached[partition] ?? range.lowerBound)
                found[partition]?.looked += upper - range.lowerBound
                found[partition]?.gaps += readers[partition]?.gaps ?? []
            }
        }
        return found.values.sorted { $0.partition < $1.partition }
    }

    // MARK: Judgement

    package static func judge(
        topic: String, policy: String, retention: Int64, _ stretches: [ForgottenDeletes.Stretch], now: Int64,
        hasMerges: Bool
    ) -> Rail {
        let kept = RecipeDuration.text(retention)
        let compacted =
            "topic \(topic) is compacted (cleanup.policy=\(policy)) and keeps deletes for \(kept) "
            + "(delete.retention.ms=\(retention))"
        switch ForgottenDeletes.judge(stretches, now: now, retention: retention) {
        case .refused(let stretch, let gap):
            return rail(
                .refused,
                Refusal.deletesForgotten(
                    compacted, partition: stretch.partition, from: stretch.offsets.lowerBound, gap: gap.offsets,
                    since: words(stretch.since, now: now)
                ).text)
        case .unknown(let stretch, let gap):
            return rail(
                .warn,
                "\(compacted). Partition \(stretch.partition) has not been read from offset "
                    + "\(stretch.offsets.lowerBound) on, there is no record at \(words(gap.offsets)), and an older "
                    + "version of Crossfade has not noted when it committed: if that is longer ago than \(kept), a "
                    + "delete may be lost")
        case .partly(let looked, let all):
            return rail(
                .warn,
                "\(compacted), and longer ago than that the log was last read. No record is missing at the \(looked) "
                    + "of \(all) offsets that were looked at, but not all were")
        case .fine where hasMerges:
            return rail(
                .warn,
                "\(compacted), and commands are partial updates: one that compaction removes before it is read is "
                    + "lost, although a later one does not replace it. Set cleanup.policy to delete")
        case .fine:
            return rail(
                .ok,
                "\(compacted). What was not read yet is younger or has no gap. Copy and replay must not take longer, "
                    + "unless `follow` runs beside the copy")
        }
    }

    private static func words(_ since: ForgottenDeletes.Since, now: Int64) -> String {
        func ago(_ time: Int64) -> String {
            let seconds = max(0, now - time) / 1000
            return seconds < 120 ? "\(seconds) s" : seconds < 7200 ? "\(seconds / 60) min" : "\(seconds / 3600) h"
        }
        return switch since {
        case .commit(let time): "Crossfade's last commit there was \(ago(time)) ago"
        case .snapshot(let time): "the source was copied \(ago(time)) ago"
        case .unknown: "it is not known when it was last read"
        }
    }

    private static func words(_ offsets: Range<Int64>) -> String {
        offsets.count == 1
            ? "offset \(offsets.lowerBound)" : "offsets \(offsets.lowerBound) to \(offsets.upperBound - 1)"
    }

    private static func rail(_ verdict: Rail.Verdict, _ detail: String) -> Rail {
        Rail(name: "compaction", verdict: verdict, detail: detail)
    }
}

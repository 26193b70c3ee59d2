import CommandLog
import Failures
import Foundation
import Indexing
import JSONText
import LogGuard
import Recipe
import Runtime
import State
import Telemetry

/// Whether a compacted topic still has the deletes that were never read.
package enum CompactionRail {
    /// What a reader must know to go on judging while it reads.
    package struct Outlook: Sendable {
        /// `cleanup.policy` and `delete.retention.ms`, in words.
        package var compacted: String
        /// Milliseconds.
        package var retention: Int64
        /// What was not read yet when the work began.
        package var unread: [Int32: ForgottenDeletes.Stretch]

        package init(compacted: String, retention: Int64, unread: [ForgottenDeletes.Stretch]) {
            (self.compacted, self.retention) = (compacted, retention)
            self.unread = Dictionary(unread.map { ($0.partition, $0) }) { first, _ in first }
        }
    }

    /// At most so many offsets are looked at, in all partitions together.
    private static let most: Int64 = 20_000
    /// So many offsets before what was not read are looked at, too.
    private static let lead: Int64 = 1000

    static func look(
        _ recipe: Recipe, _ survey: Survey, start: [Int32: Int64], admin: LogAdmin, logger: Logger
    ) throws -> (rail: Rail, outlook: Outlook?) {
        let topic = recipe.commands.topic
        let configuration = try Told.by { () throws(LogError) in try admin.configuration(of: topic) }
        guard let found = configuration.value else {
            let rail = rail(
                .warn,
                "it is not known whether topic \(topic) is compacted: \(configuration.why ?? ""). If it is, a delete "
                    + "that nobody has read within its delete.retention.ms is lost")
            return (rail, nil)
        }
        guard let policy = found["cleanup.policy"], policy.contains("compact") else {
            return (rail(.ok, "topic \(topic) is not compacted"), nil)
        }
        let retention = found["delete.retention.ms"].flatMap { OutsideNumber.time(text: $0) } ?? 86_400_000
        let compacted =
            "topic \(topic) is compacted (cleanup.policy=\(policy)) and keeps deletes for "
            + "\(RecipeDuration.text(retention)) (delete.retention.ms=\(retention))"
        // Redpanda says so; it may compact a log and remove no delete.
        guard retention >= 0 else { return (rail(.ok, "topic \(topic) is compacted and keeps deletes for ever"), nil) }
        let now = WallClock.now()
        var stretches = try unread(
            recipe, survey, start: start, late: now - retention, admin: admin, logger: logger)
        var outlook = Outlook(compacted: compacted, retention: retention, unread: stretches)
        let late = stretches.filter { $0.isLate(now: now, retention: retention) }
        if !late.isEmpty {
            stretches = try read(
                late, marks: survey.watermarks, recipe, admin, olderThan: now - retention, logger: logger)
            // Whatever compaction meets after this time, it keeps the deletes for a while.
            for stretch in stretches where stretch.isUncompacted {
                outlook.unread[stretch.partition]?.since = .commit(now)
            }
        }
        let rail = judge(
            compacted, retention: retention, stretches, now: now, hasMerges: recipe.commands.format.hasMerges)
        return (rail, outlook)
    }

    // MARK: What is not read yet

    /// `late`: what was last read before this time may have lost deletes since.
    private static func unread(
        _ recipe: Recipe, _ survey: Survey, start: [Int32: Int64], late: Int64, admin: LogAdmin, logger: Logger
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
            if let replay, let position, position >= committed ?? 0 {
                // One that was interrupted a moment ago is like one that begins there.
                if replay.finished == nil, snapshot != nil, replay.started > late {
                    copied[partition] = position
                    continue
                }
                // A finished one has read up to where the log ended when it began.
                let begun = ForgottenDeletes.Since.commit(replay.started)
                since = replay.finished == nil ? snapshot.map { .snapshot(min($0, replay.started)) } ?? begun : begun
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
            stretches.append(stretch(partition, from: from, mark, since))
        }
        guard let snapshot, !copied.isEmpty else { return stretches }
        for (partition, from) in try applied(copied, before: snapshot, recipe, survey, admin, logger) {
            guard let mark = survey.watermarks[partition] else { continue }
            stretches.append(stretch(partition, from: from, mark, .snapshot(snapshot)))
        }
        return stretches.sorted { $0.partition < $1.partition }
    }

    /// Empty where all of the log was read.
    private static func stretch(
        _ partition: Int32, from: Int64, _ mark: (low: Int64, high: Int64), _ since: ForgottenDeletes.Since
    ) -> ForgottenDeletes.Stretch {
        let lower = max(from, mark.low)
        return .init(partition: partition, offsets: lower..<max(lower, mark.high), since: since)
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
        _ stretches: [ForgottenDeletes.Stretch], marks: [Int32: (low: Int64, high: Int64)], _ recipe: Recipe,
        _ admin: LogAdmin, olderThan time: Int64, logger: Logger
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
        func from(_ partition: Int32) -> Int64 { found[partition]?.offsets.lowerBound ?? 0 }
        var uncompacted: [Int32: Bool] = [:]
        // The beginning is compacted first. The end is looked at, too, where the stretch is long.
        for pass in 0..<2 {
            var ranges: [Int32: Range<Int64>] = [:]
            for (partition, stretch) in found {
                let range = piece(pass, of: stretch.offsets, size: size, low: marks[partition]?.low)
                if !range.isEmpty { ranges[partition] = range }
            }
            var readers = ranges.reduce(into: [:]) {
                $0[$1.key] = ForgottenDeletes.Reader(
                    at: $1.value.lowerBound, from: from($1.key), isUncompacted: uncompacted[$1.key] ?? false)
            }
            var reached: [Int32: Int64] = [:]
            // The second piece may begin within a gap, of which nothing is known then.
            var begun = Set(pass == 0 ? Array(ranges.keys) : [])
            try probe.each(in: ranges, until: end) { message in
                if begun.insert(message.partition).inserted {
                    readers[message.partition] = ForgottenDeletes.Reader(
                        at: message.offset, isUncompacted: uncompacted[message.partition] ?? false)
                }
                readers[message.partition]?.read(
                    message.offset, timestamp: message.timestamp, key: message.key.map { KeyHash.hash($0) })
                reached[message.partition] = message.offset + 1
            }
            let isWhole = MonotonicClock.milliseconds() < end
            for (partition, range) in ranges {
                uncompacted[partition] = readers[partition]?.isUncompacted
                let upper = isWhole ? range.upperBound : min(range.upperBound, reached[partition] ?? range.lowerBound)
                let lower = max(range.lowerBound, from(partition))
                found[partition]?.looked += max(0, upper - lower)
                found[partition]?.gaps += readers[partition]?.gaps ?? []
                guard pass == 0 else { continue }
                let hasGaps = found[partition]?.gaps.isEmpty == false
                found[partition]?.isUncompacted = readers[partition]?.isUncompacted == true && !hasGaps
            }
        }
        return found.values.sorted { $0.partition < $1.partition }
    }

    /// The first piece of a stretch, with what lies before it, which may show that compaction did not come as far; or
    /// the last piece.
    private static func piece(_ pass: Int, of all: Range<Int64>, size: Int64, low: Int64?) -> Range<Int64> {
        let end = min(all.upperBound, all.lowerBound + size / 2)
        guard pass == 0 else { return max(end, all.upperBound - size / 2)..<all.upperBound }
        guard all.lowerBound < end else { return end..<end }
        return max(low ?? all.lowerBound, all.lowerBound - lead)..<end
    }

    // MARK: Judgement

    package static func judge(
        _ compacted: String, retention: Int64, _ stretches: [ForgottenDeletes.Stretch], now: Int64, hasMerges: Bool
    ) -> Rail {
        let kept = RecipeDuration.text(retention)
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

    package static func words(_ since: ForgottenDeletes.Since, now: Int64) -> String {
        func ago(_ time: Int64) -> String {
            let seconds = max(0, now - time) / 1000
            return seconds < 120 ? "\(seconds) s" : seconds < 7200 ? "\(seconds / 60) min" : "\(seconds / 3600) h"
        }
        return switch since {
        case .commit(let time): "Crossfade last had read all of it \(ago(time)) ago"
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

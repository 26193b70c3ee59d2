import CommandLog
import Failures
import Foundation
import Indexing
import LogGuard
import Pipeline
import Planning
import Runtime
import State
import Telemetry

/// Where `follow` begins on newly assigned partitions, and whether it may (P9 in docs/architecture.md). It begins at
/// the group's offset. Without one it begins where the replay ended, or else at the start that the recipe says.
package struct FollowStart {
    package let prepared: Preflight
    package let admin: LogAdmin
    package let logger: Logger
    package let live: LiveWork
    /// The present state; nil: it cannot be read now.
    package let state: () -> MigrationState?

    /// Waits for brokers that are away, as long as it takes. If that is longer than max.poll.interval.ms, the group
    /// takes the partitions away in the ordinary way and assigns them again.
    package func offsets(_ partitions: [Int32]) throws -> LogFeed.Start {
        while true {
            do {
                return try find(partitions)
            } catch let error as LogError {
                guard error.retriable, !StopSignal.isAsked else { throw error }
                live.beat()
                logger.warning("where to start cannot be asked now; asking again", ["error": "\(error)"])
                Thread.sleep(forTimeInterval: 0.5)
            }
        }
    }

    private func find(_ partitions: [Int32]) throws -> LogFeed.Start {
        let recipe = prepared.recipe
        let topic = recipe.commands.topic
        let before = prepared.survey.topic.partitions.count
        if recipe.commands.format.version == .offset {
            let now = try admin.describe(topic).partitions.count
            if now != before { throw Refusal.partitionsChanged(topic: topic, before: before, now: now).error() }
        }
        let committed = try admin.committedOffsets(group: recipe.commands.group, topic: topic, partitions: partitions)
        let marks = try admin.watermarks(topic, partitions: partitions)
        let state = state()
        try state?.check(isStill: prepared.fingerprint)
        tellForeign(committed, state)
        let history = try LogHistory.compare(recipe, now: committed, state: state, marks: marks, logger: logger)
        if let refusal = history.refusal { throw refusal.error() }
        let replay = state?.replay?.epoch == recipe.commands.format.epoch ? state?.replay : nil
        var start: [Int32: Int64] = [:]
        var unread: [Int32: ForgottenDeletes.Stretch] = [:]
        for partition in partitions {
            let replayed = replay?.finished == nil ? nil : replay?.end[partition]
            let offset = FollowOffset.choose(
                committed: history.committed[partition], replayedTo: replayed, recipeStart: prepared.start[partition])
            start[partition] = offset
            let before = prepared.compaction?.unread[partition]
            unread[partition] = before
            // Other members may have read since this process began.
            if history.committed[partition] != nil || replayed != nil {
                let noted = history.committed[partition] == nil ? replay?.started : history.committedAt[partition]
                let looked = before.flatMap { $0.offsets.lowerBound <= offset ? $0.since.time : nil }
                let time = [noted, looked].compactMap(\.self).max()
                unread[partition] = ForgottenDeletes.Stretch(
                    partition: partition, offsets: offset..<max(offset, marks[partition]?.high ?? offset),
                    since: time.map { .commit($0) } ?? .unknown)
            }
            guard let mark = marks[partition] else { continue }
            let log = LogExtent(low: mark.low, high: mark.high)
            guard let refusal = FollowOffset.refusal(offset, log: log) else { continue }
            throw words(refusal, partition, log).error()
        }
        // Other members cannot have read beyond the log's end.
        return LogFeed.Start(
            offsets: start, known: history.found, unappliedFrom: marks.mapValues(\.high), unread: unread)
    }

    /// Offsets that another work has committed, for other target indices, are left aside.
    private func tellForeign(_ committed: [Int32: CommittedOffset], _ state: MigrationState?) {
        let foreign = committed.filter { state?.holds(CommitNote(text: $0.value.note)) == false }
        guard let one = foreign.min(by: { $0.key < $1.key })?.value else { return }
        logger.warning(
            "the group's offsets are of other target indices and are left aside",
            [
                "partitions": foreign.keys.sorted(),
                "fingerprint": CommitNote(text: one.note)?.mark?.fingerprint ?? "unknown",
            ])
    }

    private func words(_ refusal: LogRefusal, _ partition: Int32, _ log: LogExtent) -> Refusal {
        let topic = prepared.recipe.commands.topic
        switch refusal {
        case .startLost(let wanted, _):
            return .retentionOvertook(
                topic: topic, partition: partition, reader: "group \(prepared.recipe.commands.group)", wanted: wanted,
                low: log.low, high: log.high)
        case .wentBackwards(let offset, _), .startBeyondEnd(let offset, _), .reachesTooLate(let offset, _),
            .skipsUnapplied(let offset, _):
            return .logWentBackwards(
                topic: topic, partition: partition, applied: offset, low: log.low, high: log.high)
        }
    }
}

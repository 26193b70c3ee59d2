import CommandLog
import Failures
import Foundation
import Indexing
import JSONText
import LogGuard
import Pipeline
import Planning
import Recipe
import Runtime
import SearchCluster
import State
import Telemetry

/// `replay`: reads the topic from its start to its present end, then stops (P8 in docs/architecture.md).
///
/// It assigns partitions by hand and is no member of the group. Its progress is kept in the state. So it can run beside
/// a follower, and can be run again from the start at any time.
package struct ReplayWork: WatchedWork {
    package static let (command, purpose, depth) = ("replay", Purpose.replay, Preflight.Depth.samples)
    package static let unneeded: Set<String> = ["command_deaths"]
    package static let refused = HistoryEvent.What.replayRefused
    package let live: LiveWork
    package let confirmation: String?

    package init(_ live: LiveWork, confirmation: String?) { (self.live, self.confirmation) = (live, confirmation) }

    package func run() throws -> Summary {
        let confirmed = try admitted()
        let store = prepared.store
        let claim = try WorkClaim("replay", prepared, logger: logger)
        let state = try begin(store, confirmed, claim)
        defer { claim.giveBack(store) }
        guard let replay = state.replay else {
            throw WorkError(.state, "the state lost its replay while it was written")
        }
        return try recorded(
            begun: .replayBegun, "replay \(replay.round): \(replay.left) records to read", finished: .replayFinished,
            stopped: .replayStopped
        ) { try run(store, state, replay) }
    }

    private func run(_ store: StateStore, _ state: MigrationState, _ replay: MigrationState.Replay) throws -> Summary {
        try TombstoneRestore(prepared: prepared, store: store, command: "replay", logger: logger).run(state)
        live.knows(state)
        let progress = Progress("replay", logger: logger)
        let pipeline = prepared.pipeline(state: state, writing: .log, live: live)
        let run = PipelineRun(prepared, pipeline, command: "replay", live: live)
        defer { run.close() }
        try checkGroup()
        let total = replay.left
        let letters = LettersInReplay(prepared.recipe, logger: logger)
        var options = LogFeed.Options(
            topic: prepared.recipe.commands.topic, ends: replay.end,
            start: { _ in
                LogFeed.Start(
                    offsets: replay.position, known: prepared.survey.history.found,
                    unread: prepared.compaction?.unread ?? [:])
            },
            commit: { _, offsets, _, _ in
                let isKept = try store.updateIfReachable {
                    try $0.checkIsPresent(replay)
                    _ = $0.replay?.progress.keep(offsets, of: replay.started)
                }
                return isKept ? .kept : .notKept
            },
            commitEvery: 3000, compaction: prepared.forgetting, watch: run.watch,
            onTick: { [sink = pipeline.sink, ledger = pipeline.ledger, watch = run.watch, live] in
                live.beat()
                progress.tell(
                    done: ledger.outcomes.total, total: total, trouble: sink.presentTrouble ?? watch?.waiting)
            })
        options.onRead = letters.read
        let feed = LogFeed(pipeline, options, logger: logger)
        let complete = try feed.run(from: replay.position, prepared.recipe.kafkaSettings)
        let seconds = progress.seconds
        progress.end()
        if letters.resolve(settled: pipeline.ledger.committable()) > 0 {
            run.settleLetters(prepared.recipe, store, logger: logger)
        }
        let ended = try finish(store, replay, complete: complete)
        var summary = summary(pipeline, ended.replay ?? replay, seconds: seconds, complete: complete)
        summary.next = prepared.next(after: ended, letters: summary.reasons, store: store)
        return summary
    }

    /// Throws where a follower that comes after this replay could not have the group for itself.
    private func checkGroup() throws {
        let admin = try LogAdmin(settings: prepared.recipe.kafkaSettings, log: logger.kafka)
        defer { admin.close() }
        try GroupCheck.wait(prepared, admin: admin, logger: logger, beat: live.beat)
    }

    /// Goes on with an interrupted replay of the same work, or begins a new one.
    private func begin(
        _ store: StateStore, _ state: MigrationState, _ claim: WorkClaim
    ) throws -> MigrationState {
        let ends = prepared.survey.watermarks.mapValues(\.high)
        let epoch = prepared.recipe.commands.format.epoch
        if let replay = state.replay, replay.finished == nil, replay.epoch == epoch {
            logger.info("going on with the replay that was interrupted")
            try checkPositions(replay)
            return try store.update {
                try claim.take(&$0)
                $0.phase = .replaying
            }
        }
        try checkJoins(state)
        return try store.update {
            try claim.take(&$0)
            $0.phase = .replaying
            $0.record(prepared.survey.application, epoch: epoch, at: WallClock.now())
            $0.replay = MigrationState.Replay(
                round: ($0.replay?.round ?? 0) + 1, epoch: epoch, started: WallClock.now(), finished: nil,
                start: prepared.start,
                end: ends, position: prepared.start)
        }
    }

    private func checkPositions(_ replay: MigrationState.Replay) throws(WorkError) {
        for (partition, mark) in prepared.survey.watermarks.sorted(by: { $0.key < $1.key }) {
            let log = LogExtent(low: mark.low, high: mark.high)
            guard let position = replay.position[partition], LogRails.start(position, log: log) != nil else { continue }
            throw Refusal.retentionOvertook(
                topic: prepared.recipe.commands.topic, partition: partition, reader: "the interrupted replay",
                wanted: position, low: mark.low, high: mark.high
            ).error()
        }
    }

    /// The log may have lost records that the group was still to apply. A replay that begins after them would hide
    /// that: it takes the group's offset forwards, and what the group has written would outrank a copied page.
    private func checkJoins(_ state: MigrationState) throws(WorkError) {
        for (partition, start) in prepared.start.sorted(by: { $0.key < $1.key }) {
            let committed = prepared.survey.committed[partition]
            guard LogRails.join(start, committed: committed, isTargetNew: state.replayDue) != nil else { continue }
            throw Refusal.replayLeavesOut(
                topic: prepared.recipe.commands.topic, partition: partition, group: prepared.recipe.commands.group,
                committed: committed ?? 0, start: start
            ).error()
        }
    }

    private func finish(
        _ store: StateStore, _ replay: MigrationState.Replay, complete: Bool
    ) throws -> MigrationState {
        guard complete else { return try store.update { _ in } }
        let ended = try store.update {
            guard $0.replay?.progress.finish(replay.started, now: WallClock.now()) == true else { return }
            $0.replayDue = false
        }
        live.knows(ended)
        handOver(replay.progress, ended)
        return ended
    }

    /// Sets the group's offsets to the end of the replay, unless the group is further or has members.
    private func handOver(_ replay: ReplayProgress, _ state: MigrationState) {
        let recipe = prepared.recipe
        do {
            let admin = try LogAdmin(settings: recipe.kafkaSettings, log: logger.kafka)
            defer { admin.close() }
            let committed = try admin.committedOffsets(
                group: recipe.commands.group, topic: recipe.commands.topic, partitions: Array(replay.end.keys)
            ).filter { state.holds(CommitNote(text: $0.value.note)) }.mapValues(\.offset)
            let ahead = replay.handOver(committed: committed)
            if !ahead.isEmpty {
                let note = CommitNote(
                    epoch: recipe.commands.format.epoch, fingerprint: nil, time: replay.started, mark: state.mark
                ).text
                try admin.commit(
                    group: recipe.commands.group, topic: recipe.commands.topic, offsets: ahead,
                    notes: ahead.mapValues { _ in note })
            }
        } catch {
            if error.code == .groupActive { return logger.info("the group has members; it keeps its own offsets") }
            logger.warning("the group's offsets could not be set; follow takes the replay's", ["error": "\(error)"])
        }
    }

    private func summary(
        _ pipeline: Pipeline, _ replay: MigrationState.Replay, seconds: Double, complete: Bool
    ) -> Summary {
        var summary = Summary(
            "replay", counts: pipeline.ledger.outcomes, seconds: seconds, complete: complete,
            accepted: prepared.recipe.accept)
        summary.take(pipeline, ends: replay.end)
        for at in summary.partitions.indices {
            // An interrupted replay began earlier than this process.
            let partition = summary.partitions[at].partition
            summary.partitions[at].start = replay.start[partition] ?? 0
            summary.partitions[at].committed = replay.position[partition] ?? 0
            summary.partitions[at].position = max(summary.partitions[at].position ?? 0, replay.position[partition] ?? 0)
        }
        return summary
    }
}

extension MigrationState.Replay {
    /// Records to read, at most.
    fileprivate var left: Int { end.reduce(0) { $0 + Int(max(0, $1.value - (position[$1.key] ?? 0))) } }
}

extension MigrationState {
    /// Throws if another process has ended this replay or begun another one. What this process would read from here on
    /// may be older than a delete whose tombstone was purged meanwhile.
    fileprivate func checkIsPresent(_ replay: Replay) throws(WorkError) {
        guard self.replay?.progress.endsWork(at: replay.started) != false else { return }
        throw Refusal.replayIsOver.error()
    }
}

import CommandLog
import Commands
import Failures
import Foundation
import Pipeline
import Planning
import Recipe
import Runtime
import SearchCluster
import State
import Telemetry

/// `follow`: stays in the consumer group and keeps the new cluster current until told to stop.
package struct FollowWork: WatchedWork {
    package static let (command, purpose, depth) = ("follow", Purpose.follow, Preflight.Depth.log)
    package static let refused = HistoryEvent.What.followRefused
    package let live: LiveWork
    package let confirmation: String?

    package init(_ live: LiveWork, confirmation: String?) { (self.live, self.confirmation) = (live, confirmation) }

    /// Rails that do not concern a follower: while the copy is unfinished, partial updates build on the source.
    package static let unneeded: Set<String> = ["copy_deaths", "command_deaths"]

    package func run() throws -> Summary {
        let confirmed = try admitted()
        let store = prepared.store
        try prepared.leaving(Self.refused, logger: logger) { try confirmed.checkReplayed(prepared.recipe.typed) }
        let state = try store.update {
            $0.phase = .following
            $0.record(
                prepared.survey.application, epoch: prepared.recipe.commands.format.epoch, at: WallClock.now())
        }
        return try recorded(
            begun: .followBegun, "group \(prepared.recipe.commands.group)", finished: .followStopped,
            stopped: .followStopped
        ) { try run(store, state) }
    }

    private func run(_ store: StateStore, _ state: MigrationState) throws -> Summary {
        live.knows(state)
        let progress = Progress("follow", logger: logger)
        let pipeline = prepared.pipeline(state: state, writing: .log, live: live)
        let run = PipelineRun(prepared, pipeline, isFollowing: true, command: "follow", live: live)
        defer { run.close() }
        let recipe = prepared.recipe
        let survey = prepared.survey
        let admin = try LogAdmin(settings: recipe.kafkaSettings, log: logger.kafka)
        defer { admin.close() }
        try GroupCheck.wait(prepared, admin: admin, logger: logger, beat: live.beat)
        let begin = FollowStart(
            prepared: prepared, admin: admin, logger: logger, live: live, state: { (try? store.load()) ?? state })
        let watch = StateWatch(pipeline, live, source: recipe.source)
        let feed = LogFeed(
            pipeline,
            LogFeed.Options(
                topic: recipe.commands.topic, ends: nil,
                start: { partitions in try begin.offsets(partitions) },
                commit: { consumer, offsets, notes, synchronously in
                    try consumer.commit(offsets, notes: notes, synchronously: synchronously)
                    return synchronously ? .kept : .underWay
                },
                compaction: prepared.forgetting, isMember: true, watch: run.watch, mark: state.mark,
                onTick: { [ledger = pipeline.ledger, logWatch = run.watch, live] in
                    live.beat()
                    watch.look()
                    progress.tell(
                        done: ledger.outcomes.total, total: nil,
                        lag: Lag.of(ledger.partitions(), ends: logWatch?.ends).map { "\($0)" } ?? "unknown",
                        trouble: live.waiting)
                }),
            logger: logger)
        let consumer = try LogConsumer(
            settings: recipe.kafkaSettings, topic: recipe.commands.topic, mode: .group, delegate: feed,
            log: logger.kafka)
        _ = try feed.run(consumer)
        let seconds = progress.seconds
        progress.end()
        var summary = Summary(
            "follow", counts: pipeline.ledger.outcomes, seconds: seconds, complete: feed.drained,
            accepted: prepared.recipe.accept)
        let marks = try? admin.watermarks(recipe.commands.topic, partitions: survey.topic.partitions, timeout: 3)
        summary.take(pipeline, ends: marks?.mapValues(\.high) ?? [:])
        return summary
    }
}

/// Takes over what the target monitor last read from the state, on the poll thread, which asks the target nothing
/// itself: a copy beside us may have ended or begun again, and a replay beside us may read what we have not read yet.
/// Says an alarm once.
private final class StateWatch {
    private let pipeline: Pipeline
    private let live: LiveWork
    private var unfinished: Bool
    private let source: ClusterEndpoint?
    private var isAlarmed = false
    private var isDying = false
    private var looks = Recurring(every: 1000, first: 0)

    package init(_ pipeline: Pipeline, _ live: LiveWork, source: ClusterEndpoint?) {
        (self.pipeline, self.live, self.source) = (pipeline, live, source)
        unfinished = pipeline.plan.copyUnfinished
    }

    package func look() {
        guard looks.isDue(MonotonicClock.milliseconds()) else { return }
        sayAlarm()
        guard let state = live.state else { return }
        for (partition, end) in state.replay?.end ?? [:] { pipeline.ledger.othersReach(end, in: partition) }
        guard let source, pipeline.plan.mergesPossible else { return }
        if state.sourceIsBase != unfinished {
            unfinished = state.sourceIsBase
            pipeline.copyIs(unfinished: unfinished)
        }
        guard unfinished, !pipeline.readsSource else { return }
        // This process began while no copy was under way. Until it is connected, partial updates wait.
        guard !pipeline.plan.lacksTypes else {
            return pipeline.failure.set(
                WorkError(
                    .cluster,
                    "another copy began, and this process does not know the types of the source, which the ids of the "
                        + "copy have in them: start it again, it goes on where it stood"))
        }
        guard let cluster = try? Cluster.connect(source, withinSeconds: 3) else { return }
        pipeline.reads(from: cluster)
        live.events.logger.info("a copy began: partial updates read what they lack from the source")
    }

    private func sayAlarm() {
        let stale = pipeline.ledger.alarm
        if stale.isRaised, !isAlarmed, let alarm = Alarm(stale) {
            live.events.alarmRaised(alarm.name, alarm.text)
        }
        isAlarmed = stale.isRaised
        let deaths = pipeline.ledger.deaths
        if deaths.isRaised, !isDying, let alarm = Alarm(deaths.alarm, isRaised: true) {
            live.events.alarmRaised(alarm.name, alarm.text)
        }
        isDying = deaths.isRaised
    }
}

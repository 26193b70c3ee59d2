import CommandLog
import Foundation
import Telemetry

/// `follow`: stays in the consumer group and keeps the new cluster current until told to stop.
public struct FollowWork {
    let prepared: Preparation
    let confirmation: String?
    let logger: Logger

    public init(_ prepared: Preparation, confirmation: String?, logger: Logger) {
        self.prepared = prepared
        self.confirmation = confirmation
        self.logger = logger
    }

    public func run() throws -> Summary {
        try prepared.passRails()
        let store = StateStore(target: prepared.survey.target, name: prepared.recipe.name)
        _ = try prepared.confirmed(confirmation, logger: logger)
        let state = try store.update { $0.phase = .following }
        let progress = Progress("follow", logger: logger)
        let pipeline = prepared.pipeline(state: state, logger: logger)
        pipeline.start()
        defer { pipeline.close() }
        let recipe = prepared.recipe
        let survey = prepared.survey
        let admin = try LogAdmin(settings: recipe.kafkaSettings, log: logger.kafka)
        defer { admin.close() }
        let begin = FollowStart(
            prepared: prepared, admin: admin, logger: logger, state: { (try? store.load()) ?? state })
        let logWatch = prepared.watch(store, pipeline, logger: logger)
        logWatch.start()
        defer { logWatch.stop() }
        let watch = CopyWatch(store, pipeline, unfinished: survey.source != nil && state.copyUnfinished)
        let feed = LogFeed(
            pipeline,
            LogFeed.Options(
                topic: recipe.commands.topic, ends: nil,
                start: { partitions, seconds in try begin.offsets(partitions, seconds: seconds) },
                commit: { consumer, offsets, notes, synchronously in
                    try consumer.commit(offsets, notes: notes, synchronously: synchronously)
                    return true
                },
                isMember: true, watch: logWatch,
                onTick: { [sink = pipeline.sink, ledger = pipeline.ledger] in
                    watch.look()
                    progress.tell(
                        done: ledger.outcomes.total, total: nil, lag: ledger.unsettled,
                        trouble: sink.presentTrouble ?? logWatch.waiting)
                }),
            logger: logger)
        let consumer = try LogConsumer(
            settings: recipe.kafkaSettings, topic: recipe.commands.topic, mode: .group, delegate: feed,
            log: logger.kafka)
        _ = try feed.run(consumer)
        let seconds = progress.seconds
        progress.end()
        var summary = Summary("follow", counts: pipeline.ledger.outcomes, seconds: seconds, complete: feed.drained)
        summary.reasons = pipeline.deadLetters.reasons
        return summary
    }
}

/// Looks into the state every 10 s, on the poll thread: a copy beside us may have been finished or begun again.
private final class CopyWatch {
    private let store: StateStore
    private let pipeline: Pipeline
    private var unfinished: Bool
    private let hasSource: Bool
    private var next = Monotonic.milliseconds() + 10_000

    init(_ store: StateStore, _ pipeline: Pipeline, unfinished: Bool) {
        self.store = store
        self.pipeline = pipeline
        self.unfinished = unfinished
        hasSource = pipeline.plan.entries.contains { !$0.from.isEmpty }
    }

    func look() {
        guard hasSource, pipeline.plan.mergesPossible, Monotonic.milliseconds() >= next else { return }
        guard pipeline.sink.presentTrouble == nil else { return }
        next = Monotonic.milliseconds() + 10_000
        // A target that is away is nothing new: the sink waits for it, too.
        guard let state = try? store.load(), state.copyUnfinished != unfinished else { return }
        unfinished = state.copyUnfinished
        pipeline.copyIs(unfinished: unfinished)
    }
}

/// `status`: where the migration stands.
public struct Status: Sendable {
    public struct Partition: Sendable {
        public var partition: Int32
        public var committed: Int64?
        public var end: Int64
        /// Records the group has still to acknowledge; nil while it has committed nothing.
        public var lag: Int64?
    }

    public let prepared: Preparation
    public let partitions: [Partition]

    public init(_ prepared: Preparation) {
        self.prepared = prepared
        let survey = prepared.survey
        partitions = survey.watermarks.sorted { $0.key < $1.key }.map { partition, mark in
            let committed = survey.committed[partition]
            return Partition(
                partition: partition, committed: committed, end: mark.high,
                lag: committed.map { max(0, mark.high - max($0, mark.low)) } ?? (mark.high == mark.low ? 0 : nil))
        }
    }

    /// Sum over the partitions; nil when one is unknown.
    public var lag: Int64? {
        var sum: Int64 = 0
        for partition in partitions {
            guard let lag = partition.lag else { return nil }
            sum += lag
        }
        return sum
    }
}

import CommandLog
import Commands
import Embedded
import Failures
import Foundation
import Indexing
import JSONText
import Runtime
import SearchCluster
import Synchronization
import Telemetry
import Testing

@testable import Pipeline

/// The log feed between librdkafka's own broker and the embedded search node.
@Suite(.serialized) struct LogFeedTests {
    /// Everything a member of the group needs to follow the topic.
    private final class Following {
        let mock: MockLog
        let server: EmbeddedSearchServer
        let pipeline: Pipeline
        let settings: KafkaSettings
        let admin: LogAdmin
        /// Offsets of the commits that were asked for, in their order.
        let asked = Mutex<[Int64]>([])
        private let producer: DeadLetterProducer
        private let cluster: Cluster
        private var thread: JoinableThread?
        private static let topic = "commands"

        init() throws {
            mock = try MockLog()
            try mock.createTopic(Self.topic, partitions: 1)
            settings = mock.settings(group: "followers")
            server = try EmbeddedSearchServer(
                SearchNode(ServerPersona(.elasticsearch, ServerVersion(7, 17, 0))))
            cluster = try Cluster.connect(ClusterEndpoint(urls: [server.url]))
            try cluster.writer.createIndex("new", body: [:])
            admin = try LogAdmin(settings: settings)
            producer = try DeadLetterProducer(settings: settings) { _, _ in }
            let entry = PipelinePlan.Entry(
                index: "new", alias: "new", transform: [], merge: .deep, missing: .create, from: [])
            let plan = PipelinePlan(
                name: "test", topic: Self.topic, format: CommandFormat(shape: .document, version: .offset),
                entries: [entry], copyUnfinished: false, memory: MemoryBudget(limit: 64 << 20),
                deadLetterTopic: "dead", workers: 1, longestStop: .max)
            let logger = Logger(level: .error)
            pipeline = Pipeline(
                plan, target: cluster, source: nil,
                deadLetters: .init(
                    settings: settings, topic: "dead", sourceTopic: Self.topic, migration: "test", epoch: 0),
                events: WorkEvents(logger, indices: ["new"]))
            pipeline.start()
        }

        func start() throws {
            let feed = LogFeed(
                pipeline,
                .init(
                    topic: Self.topic,
                    start: { partitions in
                        LogFeed.Start(offsets: Dictionary(uniqueKeysWithValues: partitions.map { ($0, 0) }), known: [:])
                    },
                    commit: { [self] consumer, offsets, notes, synchronously in
                        asked.withLock { $0.append(offsets[0] ?? -1) }
                        try consumer.commit(offsets, notes: notes, synchronously: synchronously)
                        return synchronously ? .kept : .underWay
                    },
                    commitEvery: 50, isMember: true, onTick: {}),
                logger: Logger(level: .error))
            let consumer = try LogConsumer(settings: settings, topic: Self.topic, mode: .group, delegate: feed)
            thread = JoinableThread("feed") { _ = try? feed.run(consumer) }
        }

        func write(_ count: Int) throws {
            for number in 0..<count {
                let (key, value) = (Array("k\(number)".utf8), Array("{\"n\":\(number)}".utf8))
                try key.withUnsafeBufferPointer { key in
                    try value.withUnsafeBufferPointer { value in
                        _ = try producer.send(
                            topic: Self.topic, key: key, value: value, headers: [], token: 0, partition: 0)
                    }
                }
            }
            #expect(producer.flush(seconds: 10))
        }

        var committed: Int64? {
            get throws { try admin.committed(group: "followers", topic: Self.topic, partitions: [0])[0] }
        }

        /// The next commits are refused by the broker.
        func refuseCommits(_ count: Int) { mock.fail(apiKey: 8, error: 29, count: count) }

        /// Ends the reading as an ordinary stop does, with the last commit.
        func stop() {
            pipeline.failure.set(WorkError(.interrupted, "the test is over"))
            thread?.join(seconds: 20)
            pipeline.close()
            producer.close()
            admin.close()
            cluster.close()
            server.stop()
            mock.close()
        }
    }

    private func eventually(_ what: String, _ condition: () throws -> Bool) throws {
        let end = MonotonicClock.milliseconds() + 30_000
        while try !condition() {
            try #require(MonotonicClock.milliseconds() < end, "not in 30 s: \(what)")
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    /// An asynchronous commit that failed was never sent again when nothing more came: its offset counted as committed.
    @Test func anIdlePartitionIsCommittedAgainAfterAFailedCommit() throws {
        let following = try Following()
        defer { following.stop() }
        try following.start()
        try eventually("the commit of the start") { try following.committed == 0 }
        following.refuseCommits(1)
        try following.write(3)
        // Nothing more is written: only the failed commit can bring it about.
        try eventually("the commit of what was applied") { try following.committed == 3 }
        #expect(following.asked.withLock { $0.filter { $0 == 3 }.count } >= 2)
        #expect(following.pipeline.ledger.outcomes[.indexed] == 3)
    }
}

import Foundation
import Synchronization
import Testing

@testable import CommandLog

/// Who is a member of the group, and what a commit says beside its offset.
@Suite(.serialized, .enabled(if: Stack.isThere, "no stack program: set CROSSFADE_STACK")) struct MembershipTests {
    /// A member that polls on a thread of its own.
    final class Polling: @unchecked Sendable {
        let follower = Follower()
        let consumer: LogConsumer
        let error = Mutex<LogError?>(nil)
        private let stop = Atomic<Bool>(false)
        private let ended = DispatchSemaphore(value: 0)

        init(_ settings: KafkaSettings, _ topic: String) throws {
            consumer = try LogConsumer(settings: settings, topic: topic, mode: .group, delegate: follower)
            follower.consumer = consumer
            Thread.detachNewThread { [self] in
                let batch = RecordBatch()
                while !stop.load(ordering: .relaxed) {
                    do throws(LogError) { try consumer.poll(into: batch, timeoutMs: 50) } catch {
                        self.error.withLock { $0 = error }
                        break
                    }
                    batch.releaseAll()
                }
                consumer.close()
                ended.signal()
            }
        }

        var assigned: [[Int32]] { follower.seen.withLock { $0.assigned } }
        var revoked: [[Int32]] { follower.seen.withLock { $0.revoked } }
        /// What it has now, of assignments that add up.
        var holds: Set<Int32> {
            follower.seen.withLock { Set($0.assigned.flatMap { $0 }).subtracting($0.revoked.flatMap { $0 }) }
        }

        func leave() {
            stop.store(true, ordering: .relaxed)
            consumer.wake()
            ended.wait()
        }
    }

    let topic = unique("membership")
    let settings: KafkaSettings
    let admin: LogAdmin

    init() throws {
        settings = KafkaSettings(
            bootstrap: try Stack.kafka(), group: topic,
            passthrough: ["session.timeout.ms": "40000", "heartbeat.interval.ms": "300"])
        admin = try LogAdmin(settings: settings)
        try admin.createTopic(topic, partitions: 4)
        let writer = try Writer(settings.bootstrap)
        for partition in 0..<Int32(4) { try writer.fill(topic, partition, count: 20) }
        try writer.flush()
    }

    func named(_ instance: String) -> KafkaSettings {
        var settings = settings
        settings.passthrough["group.instance.id"] = instance
        return settings
    }

    @Test func notesComeBackWithTheOffsets() throws {
        let member = try Polling(settings, topic)
        try eventually("an assignment") { !member.assigned.isEmpty }
        member.leave()
        try admin.commit(group: topic, topic: topic, offsets: [0: 7, 1: 9], notes: [0: "crossfade1 ä"])
        let found = try admin.committedOffsets(group: topic, topic: topic, partitions: [0, 1, 2])
        #expect(found == [0: CommittedOffset(offset: 7, note: "crossfade1 ä"), 1: CommittedOffset(offset: 9)])
        let follower = Follower()
        let consumer = try LogConsumer(settings: settings, topic: topic, mode: .group, delegate: follower)
        follower.consumer = consumer
        let batch = RecordBatch()
        try eventually("an assignment") {
            try consumer.poll(into: batch)
            batch.releaseAll()
            return !follower.seen.withLock { $0.assigned.isEmpty }
        }
        try consumer.commit([2: 5], notes: [2: "mine"], synchronously: true)
        #expect(
            try consumer.committed([1, 2]) == [
                1: CommittedOffset(offset: 9), 2: CommittedOffset(offset: 5, note: "mine"),
            ])
        #expect(consumer.close())
        admin.close()
    }

    @Test func timeoutsAreThoseInUse() throws {
        let plain = try LogConsumer(
            settings: KafkaSettings(bootstrap: settings.bootstrap, group: topic), topic: topic, mode: .assigned([0: 0]))
        #expect(plain.timeouts == (45_000, 3000, 300_000))
        plain.close()
        var short = settings
        short.passthrough["max.poll.interval.ms"] = "42000"
        let other = try LogConsumer(settings: short, topic: topic, mode: .assigned([0: 0]))
        #expect(other.timeouts == (40_000, 300, 42_000))
        other.close()
        admin.close()
    }

    /// A member that comes back within the session under its instance id gets what it had; nobody else notices.
    @Test func staticMemberComesBackWithoutARebalance() throws {
        let one = try Polling(named("one"), topic)
        try eventually("all partitions") { one.assigned.last?.count == 4 }
        var two = try Polling(named("two"), topic)
        try eventually(seconds: 20, "both to share the partitions") {
            (one.assigned.last ?? []).count == 2 && (two.assigned.last ?? []).count == 2
        }
        let had = two.assigned.last
        let changes = one.assigned.count
        two.leave()
        two = try Polling(named("two"), topic)
        try eventually("its assignment") { !two.assigned.isEmpty }
        #expect(two.assigned == [had])
        #expect(one.assigned.count == changes && one.revoked.count == changes - 1)
        one.leave()
        two.leave()
        admin.close()
    }

    @Test func secondProcessOfOneInstanceFencesTheFirst() throws {
        let first = try Polling(named("same"), topic)
        try eventually("an assignment") { !first.assigned.isEmpty }
        let second = try Polling(named("same"), topic)
        try eventually("the first to be fenced") { first.error.withLock { $0 } != nil }
        let error = first.error.withLock { $0 }
        #expect(error?.code == .fenced)
        #expect(error?.message.contains("group.instance.id") == true)
        try eventually("the second's assignment") { second.assigned.last?.count == 4 }
        #expect(second.error.withLock { $0 } == nil)
        first.leave()
        second.leave()
        admin.close()
    }

    /// Partitions change hands a few at a time: the one that stays keeps what it keeps.
    @Test func cooperativeAssignmentMovesOnlyWhatMustMove() throws {
        var settings = settings
        // This librdkafka may be one on which recipes cannot ask for it.
        settings.allowsCooperative = true
        settings.passthrough["partition.assignment.strategy"] = "cooperative-sticky"
        let one = try Polling(settings, topic)
        try eventually("all partitions") { one.holds.count == 4 }
        let two = try Polling(settings, topic)
        try eventually(seconds: 60, "both to share them") { two.holds.count == 2 && one.holds.count == 2 }
        #expect(one.holds.isDisjoint(with: two.holds))
        #expect(one.revoked.flatMap { $0 }.count == 2)
        #expect(one.consumer.owned == one.holds)
        two.leave()
        one.leave()
        #expect(one.error.withLock { $0 } == nil && two.error.withLock { $0 } == nil)
        admin.close()
    }
}

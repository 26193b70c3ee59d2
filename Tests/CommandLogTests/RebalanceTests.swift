import Foundation
import Synchronization
import Testing

@testable import CommandLog

/// Members that come and go while records flow: none is skipped, none comes twice without need, and no commit
/// is ahead of what was settled.
@Suite(.serialized, .enabled(if: Stack.isThere, "no stack program: set CROSSFADE_STACK")) struct RebalanceTests {
    /// What all members together saw.
    final class Ledger: Sendable {
        struct Content {
            var times: [Int32: [UInt8]] = [:]
            var settled: [Int32: Int64] = [:]
            var faults: [String] = []
            var seen = 0
            var lost = 0
            var changes = 0
        }
        let content = Mutex(Content())
        let perPartition: Int

        init(partitions: Int32, perPartition: Int) {
            self.perPartition = perPartition
            content.withLock {
                for partition in 0..<partitions {
                    $0.times[partition] = Array(repeating: 0, count: perPartition)
                    $0.settled[partition] = 0
                }
            }
        }
    }

    /// One member on its own thread, which settles records two batches after it took them.
    final class Member: LogConsumerDelegate, @unchecked Sendable {
        let name: String
        private let ledger: Ledger
        private let consumer: LogConsumer
        private var expected: [Int32: Int64] = [:]
        private var unsettled: [MessageList] = []
        private var settled: [Int32: Int64] = [:]
        private let stop = Atomic<Bool>(false)
        private let ended = DispatchSemaphore(value: 0)
        let assignments = Atomic<Int>(0)

        init(_ name: String, settings: KafkaSettings, topic: String, ledger: Ledger) throws {
            self.name = name
            self.ledger = ledger
            consumer = try LogConsumer(settings: settings, topic: topic, mode: .group, delegate: nil)
            consumer.target.delegate = self
            Thread.detachNewThread { self.run() }
        }

        func leave() {
            stop.store(true, ordering: .relaxed)
            consumer.wake()
            ended.wait()
        }

        func assigned(_ partitions: [Int32]) throws -> [Int32: Int64] {
            assignments.add(1, ordering: .relaxed)
            let committed = try consumer.committed(partitions)
            expected = Dictionary(uniqueKeysWithValues: partitions.map { ($0, committed[$0]?.offset ?? 0) })
            settled = expected
            return expected
        }

        func revoked(_ partitions: [Int32], lost: Bool) {
            if lost {
                ledger.content.withLock { $0.lost += 1 }
                unsettled = []
            } else {
                settle(keeping: 0)
                do { try consumer.commit(settled, synchronously: true) } catch { fault("commit on revoke: \(error)") }
            }
            expected = [:]
            settled = [:]
        }

        private func fault(_ text: String) { ledger.content.withLock { $0.faults.append("\(name): \(text)") } }

        private func run() {
            let batch = RecordBatch(capacity: 500)
            var rounds = 0
            while !stop.load(ordering: .relaxed) {
                do { try consumer.poll(into: batch, timeoutMs: 50, paused: rounds % 17 == 0) } catch {
                    fault("poll: \(error)")
                    break
                }
                for at in 0..<batch.count { see(batch[at]) }
                unsettled.append(batch.take(0..<batch.count))
                batch.releaseAll()
                settle(keeping: 2)
                rounds += 1
                if rounds % 5 == 0 {
                    do { try consumer.commit(settled, synchronously: false) } catch { fault("commit: \(error)") }
                }
            }
            if !consumer.close() { fault("close took too long") }
            unsettled = []
            ended.signal()
        }

        private func see(_ message: LogMessage) {
            let (partition, offset) = (message.partition, message.offset)
            if expected[partition] != offset {
                fault("[\(partition)] got \(offset), expected \(expected[partition].map(String.init) ?? "none")")
            }
            expected[partition] = offset + 1
            ledger.content.withLock {
                $0.times[partition]?[Int(offset)] += 1
                $0.seen += 1
            }
        }

        private func settle(keeping: Int) {
            while unsettled.count > keeping {
                let messages = unsettled.removeFirst()
                while let owned = messages.takeFirst() {
                    let (partition, next) = (owned.message.partition, owned.message.offset + 1)
                    settled[partition] = next
                    ledger.content.withLock { $0.settled[partition] = max($0.settled[partition] ?? 0, next) }
                }
            }
        }
    }

    @Test func everyRecordOnceWhileMembersComeAndGo() throws {
        let topic = unique("rebalance")
        let settings = KafkaSettings(
            bootstrap: try Stack.kafka(), group: topic,
            passthrough: ["heartbeat.interval.ms": "500"])
        let admin = try LogAdmin(settings: settings)
        let (partitions, each) = (Int32(4), 25_000)
        try admin.createTopic(topic, partitions: Int(partitions))
        let ledger = Ledger(partitions: partitions, perPartition: each)
        let writing = Thread {
            do {
                let writer = try Writer(settings.bootstrap)
                for round in 0..<25 {
                    for partition in 0..<partitions { try writer.fill(topic, partition, count: each / 25) }
                    try writer.flush()
                    // Records go on coming while members change: each twenty-fifth needs the last to be half read.
                    let goal = round * each / 25 * Int(partitions) / 2
                    // And on a slow machine, too, they do not run out before the members have changed four times.
                    try eventually(seconds: 60, "members to read \(goal)") {
                        ledger.content.withLock { $0.seen >= goal && $0.changes >= round / 6 }
                    }
                }
            } catch { ledger.content.withLock { $0.faults.append("writer: \(error)") } }
        }
        writing.start()
        let total = each * Int(partitions)
        var members = [try Member("m0", settings: settings, topic: topic, ledger: ledger)]
        var changes = 0
        while ledger.content.withLock({ $0.seen }) < total, ledger.content.withLock({ $0.faults.isEmpty }) {
            changes += 1
            ledger.content.withLock { $0.changes = changes }
            let goal = min(total, ledger.content.withLock { $0.seen } + total / 12)
            if members.count < 3 {
                let member = try Member("m\(changes)", settings: settings, topic: topic, ledger: ledger)
                members.append(member)
                try eventually("an assignment of \(member.name)") { member.assignments.load(ordering: .relaxed) > 0 }
            } else {
                members.removeFirst().leave()
            }
            try eventually(seconds: 60, "\(goal) records") {
                ledger.content.withLock { $0.seen >= goal || !$0.faults.isEmpty }
            }
            let committed = try admin.committed(group: topic, topic: topic, partitions: [0, 1, 2, 3])
            ledger.content.withLock { content in
                for (partition, offset) in committed {
                    #expect(offset <= content.settled[partition] ?? 0, "commit ahead of what was settled")
                }
            }
        }
        for member in members { member.leave() }
        let committed = try admin.committed(group: topic, topic: topic, partitions: [0, 1, 2, 3])
        ledger.content.withLock { content in
            #expect(content.faults == [])
            for partition in 0..<partitions {
                let times = content.times[partition] ?? []
                #expect(!times.contains(0), "records of [\(partition)] never came")
                // Every revocation was drained and committed, so none needs to come again.
                if content.lost == 0 { #expect(times.allSatisfy { $0 == 1 }, "records of [\(partition)] came again") }
                #expect(committed[partition] == Int64(each))
            }
        }
        #expect(changes > 3)
        admin.close()
    }

    /// A member that stopped polling is out; what it commits then may not move another member's offsets.
    @Test func lostPartitionsAreNotCommitted() throws {
        final class Hanging: LogConsumerDelegate {
            weak var consumer: LogConsumer?
            var lost: [Bool] = []
            var left: [Int32]?

            func assigned(_ partitions: [Int32]) throws -> [Int32: Int64] {
                Dictionary(uniqueKeysWithValues: partitions.map { ($0, 0) })
            }

            func revoked(_ partitions: [Int32], lost: Bool) {
                self.lost.append(lost)
                if lost { left = try? consumer?.commit([0: 99], synchronously: true) }
            }
        }
        let topic = unique("lost")
        var settings = KafkaSettings(bootstrap: try Stack.kafka(), group: topic)
        settings.passthrough = ["heartbeat.interval.ms": "300"]
        var impatient = settings
        impatient.passthrough["session.timeout.ms"] = "6000"
        impatient.passthrough["max.poll.interval.ms"] = "6000"
        let admin = try LogAdmin(settings: settings)
        try admin.createTopic(topic, partitions: 1)
        let writer = try Writer(settings.bootstrap)
        try writer.fill(topic, 0, count: 100)
        try writer.flush()

        let hanging = Hanging()
        let first = try LogConsumer(settings: impatient, topic: topic, mode: .group, delegate: hanging)
        hanging.consumer = first
        let batch = RecordBatch()
        try eventually("records") {
            try first.poll(into: batch)
            defer { batch.releaseAll() }
            return batch.count > 0
        }
        // Only when it is out, the second comes: were it there before, the revocation would come first and not be a
        // loss.
        try eventually("the first to be out") { try !admin.groupHasMembers(topic) }
        let follower = Follower()
        let second = try LogConsumer(settings: settings, topic: topic, mode: .group, delegate: follower)
        follower.consumer = second
        let other = RecordBatch()
        var read = 0
        try eventually("the second to get the partition") {
            try second.poll(into: other)
            read += other.count
            other.releaseAll()
            return read == 100
        }
        try second.commit([0: 40], synchronously: true)
        // The first does not know yet.
        let late = failure { try first.commit([0: 80], synchronously: true) }
        #expect(late?.code == .groupActive, "\(String(describing: late))")
        try eventually("the loss to be told") {
            try first.poll(into: batch, timeoutMs: 10, paused: true)
            return !hanging.lost.isEmpty
        }
        #expect(hanging.lost == [true])
        #expect(hanging.left == [0])
        #expect(try admin.committed(group: topic, topic: topic, partitions: [0]) == [0: 40])
        #expect(second.close())
        #expect(first.close())
        #expect(try admin.committed(group: topic, topic: topic, partitions: [0]) == [0: 40])
        admin.close()
    }
}

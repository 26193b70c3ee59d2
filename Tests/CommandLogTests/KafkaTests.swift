import Foundation
import Synchronization
import Testing

@testable import CommandLog

/// Against a real Kafka.
@Suite(.serialized, .enabled(if: Stack.isThere, "no stack program: set CROSSFADE_STACK")) struct KafkaTests {
    let settings: KafkaSettings
    let admin: LogAdmin
    let topic = unique("log")

    init() throws {
        settings = KafkaSettings(bootstrap: try Stack.kafka(), group: unique("group"))
        admin = try LogAdmin(settings: settings)
    }

    @Test func describesAndRefuses() throws {
        #expect(try admin.createTopic(topic, partitions: 3))
        #expect(try admin.createTopic(topic, partitions: 3) == false)
        let found = try admin.describe(topic)
        #expect(found.partitions == [0, 1, 2])
        #expect(found.brokers.count == 1)
        #expect(found.clusterID?.isEmpty == false)
        let start = ContinuousClock.now
        #expect(failure { _ = try admin.describe(unique("nowhere")) }?.code == .missingTopic)
        #expect(start.duration(to: .now) < .seconds(15))
        let missing = failure { try admin.deleteRecords(unique("nowhere"), before: [0: 1], timeout: 3) }
        #expect(missing != nil)
        #expect(
            failure { _ = try admin.createTopic("bad name!", partitions: 1) }?.message.contains("bad name!") == true)
        admin.close()
    }

    @Test func endIsReachedAcrossTransactions() throws {
        try admin.createTopic(topic, partitions: 2)
        let writer = try Writer(settings.bootstrap, transactional: unique("tx"))
        try writer.begin()
        try writer.fill(topic, 0, count: 10)
        try writer.commit()
        try writer.begin()
        try writer.fill(topic, 0, count: 5)
        try writer.fill(topic, 1, count: 5)
        try writer.abort()
        try writer.begin()
        try writer.fill(topic, 0, count: 3)
        try writer.commit()
        // Partition 0: 10 records, marker, 5 aborted, marker, 3 records, marker. Partition 1: 5 aborted and a marker.
        // A transaction's end is acknowledged before its markers are written.
        try eventually("the markers") {
            let marks = try admin.watermarks(topic, partitions: [0, 1])
            return marks[0]?.high == 21 && marks[1]?.high == 6
        }
        let read = try readToEnd(settings, topic, from: [0: 0, 1: 0])
        #expect(read.offsets == [0: Array(0..<10) + Array(17..<20)])
        #expect(read.ends == [0: 21, 1: 6])

        // An open transaction pins the end.
        try writer.begin()
        try writer.fill(topic, 0, count: 4)
        try writer.flush()
        let other = try Writer(settings.bootstrap)
        try other.fill(topic, 0, count: 7)
        try other.flush()
        #expect(try admin.watermarks(topic, partitions: [0])[0]?.high == 21)
        #expect(try readToEnd(settings, topic, from: [0: 0]).ends == [0: 21])
        var loose = settings
        loose.passthrough["isolation.level"] = "read_uncommitted"
        let seeing = try LogAdmin(settings: loose)
        #expect(try seeing.watermarks(topic, partitions: [0])[0]?.high == 32)
        try writer.commit()
        try eventually("the marker") { try admin.watermarks(topic, partitions: [0])[0]?.high == 33 }
        #expect(try readToEnd(settings, topic, from: [0: 20]).offsets == [0: Array(21..<32)])
        seeing.close()
        admin.close()
    }

    @Test func compactionGapsAreNoObstacle() throws {
        let config = [
            "cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01",
            "segment.bytes": "1048576", "delete.retention.ms": "100",
        ]
        try admin.createTopic(topic, partitions: 1, config: config)
        let writer = try Writer(settings.bootstrap)
        for number in 0..<2000 { try writer.write(topic, 0, key: "k\(number % 10)", value: "\(number)") }
        try writer.write(topic, 0, key: "k3", value: nil)
        try writer.flush()
        var count: Int64 = 2001
        try eventually(seconds: 60, "compaction") {
            // A write rolls the segment, so that what is before can be compacted.
            try writer.write(topic, 0, key: "roll", value: "x")
            try writer.flush()
            count += 1
            let read = try readToEnd(settings, topic, from: [0: 0])
            #expect(read.ends == [0: count])
            return (read.offsets[0]?.count ?? 0) < 500
        }
        admin.close()
    }

    @Test func deletedRecordsAreStartDeleted() throws {
        try admin.createTopic(topic, partitions: 2)
        let writer = try Writer(settings.bootstrap)
        try writer.fill(topic, 0, count: 100)
        try writer.fill(topic, 1, count: 100)
        try writer.flush()
        try admin.deleteRecords(topic, before: [0: 60])
        #expect(try admin.watermarks(topic, partitions: [0, 1])[0]?.low == 60)
        let error = failure { _ = try readToEnd(settings, topic, from: [0: 59, 1: 0]) }
        #expect(error?.code == .startDeleted)
        #expect(error?.coordinates == .init(topic: topic, partition: 0, asked: 59, first: 60, end: 100))
        #expect(try readToEnd(settings, topic, from: [0: 60, 1: 0]).ends == [0: 100, 1: 100])
        // A start beyond the end is no start either: the log went backwards.
        let beyond = failure { _ = try readToEnd(settings, topic, from: [0: 500]) }
        #expect(beyond?.code == .startDeleted)
        #expect(beyond?.coordinates?.asked == 500)
        admin.close()
    }

    @Test func offsetsOfGroupsAndTimes() throws {
        try admin.createTopic(topic, partitions: 2)
        #expect(try admin.committed(group: settings.group, topic: topic, partitions: [0, 1]).isEmpty)
        try admin.commit(group: settings.group, topic: topic, offsets: [0: 7, 1: 9])
        #expect(try admin.committed(group: settings.group, topic: topic, partitions: [0, 1]) == [0: 7, 1: 9])
        try admin.commit(group: settings.group, topic: topic, offsets: [0: 3])
        #expect(try admin.committed(group: settings.group, topic: topic, partitions: [0, 1]) == [0: 3, 1: 9])
        #expect(try admin.groupHasMembers(settings.group) == false)
        #expect(try admin.groupHasMembers(unique("nobody")) == false)

        let writer = try Writer(settings.bootstrap)
        let base: Int64 = 1_700_000_000_000
        for number in 0..<10 {
            try writer.write(topic, 0, key: nil, value: "x", time: base + Int64(number) * 1000)
        }
        try writer.flush()
        let found = try admin.offsets(topic, partitions: [0, 1], forTimestamp: base + 3500)
        #expect(found == [0: 4, 1: nil])
        #expect(try admin.offsets(topic, partitions: [0], forTimestamp: 0) == [0: 0])
        #expect(try admin.offsets(topic, partitions: [0], forTimestamp: base + 99_000) == [0: nil])

        // With a member the offsets are its own.
        let follower = Follower()
        let consumer = try LogConsumer(settings: settings, topic: topic, mode: .group, delegate: follower)
        follower.consumer = consumer
        follower.onAssign = { #expect($0 == [0: 3, 1: 9]) }
        let batch = RecordBatch()
        try eventually("an assignment") {
            try consumer.poll(into: batch, timeoutMs: 10, paused: true)
            return follower.seen.withLock { !$0.assigned.isEmpty }
        }
        #expect(try admin.groupHasMembers(settings.group))
        #expect(
            failure { try admin.commit(group: settings.group, topic: topic, offsets: [0: 1]) }?.code == .groupActive)
        #expect(consumer.close())
        #expect(try admin.groupHasMembers(settings.group) == false)
        admin.close()
    }

    @Test func topicThatIsNotThereOrGoes() throws {
        let consumer = try LogConsumer(settings: settings, topic: unique("nowhere"), mode: .group, delegate: Follower())
        let batch = RecordBatch()
        var error: LogError?
        try eventually("missing topic") {
            error = failure { try consumer.poll(into: batch, timeoutMs: 20) }
            return error != nil
        }
        #expect(error?.code == .missingTopic)
        #expect(consumer.close())

        // A topic that is deleted and made again under the reader: its offsets are not there any more.
        try admin.createTopic(topic, partitions: 1)
        let writer = try Writer(settings.bootstrap)
        try writer.fill(topic, 0, count: 50)
        try writer.flush()
        let reader = try LogConsumer(settings: settings, topic: topic, mode: .assigned([0: 0]))
        var read = 0
        try eventually("records") {
            try reader.poll(into: batch)
            read += batch.count
            batch.releaseAll()
            return read == 50
        }
        _ = try Stack.run(
            "tool", "kafka-4.1", "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", settings.bootstrap,
            "--delete", "--topic", topic)
        try eventually("the topic made again") {
            try admin.createTopic(topic, partitions: 1)
            return try admin.describe(topic).partitions == [0] && admin.watermarks(topic, partitions: [0])[0]?.high == 0
        }
        try eventually("the loss to be told") {
            error = failure { try reader.poll(into: batch, timeoutMs: 20) }
            return error != nil
        }
        #expect(error?.code == .startDeleted || error?.code == .missingTopic, "\(String(describing: error))")
        #expect(reader.close())
        admin.close()
    }

    @Test func guardedListenerAndWrongPassword() throws {
        let guarded = try Stack.run("start", "kafka-4.1", "--as", "ksec", "--security", "sasl_tls", "--heap", "256m")
        var good = KafkaSettings(bootstrap: guarded, group: "g")
        good.passthrough = [
            "security.protocol": "SASL_SSL", "sasl.mechanisms": "PLAIN", "sasl.username": "crossfade",
            "sasl.password": "secret", "ssl.ca.location": try Stack.run("cert", "ksec"),
        ]
        let inside = try LogAdmin(settings: good)
        try inside.createTopic(topic, partitions: 1)
        #expect(try inside.describe(topic).partitions == [0])
        #expect(try readToEnd(good, topic, from: [0: 0]).ends == [0: 0])
        inside.close()

        func outcome(_ change: [String: String?]) throws -> (LogError?, Duration) {
            var settings = good
            for (key, value) in change { settings.passthrough[key] = value }
            let admin = try LogAdmin(settings: settings)
            defer { admin.close() }
            let start = ContinuousClock.now
            let error = failure { _ = try admin.describe(topic) }
            return (error, start.duration(to: .now))
        }
        let (password, time) = try outcome(["sasl.password": "hunter2hunter2"])
        #expect(password?.code == .authentication)
        #expect(time < .seconds(15))
        #expect(password?.description.contains("hunter2") == false)
        let (certificate, _) = try outcome(["ssl.ca.location": nil])
        #expect(certificate?.code == .tls, "\(String(describing: certificate))")
        let (plain, _) = try outcome(["security.protocol": "PLAINTEXT"])
        #expect(plain?.code == .unreachable, "\(String(describing: plain))")
        #expect(plain?.description.contains("security.protocol is what that port expects") == true)

        var wrong = good
        wrong.passthrough["sasl.password"] = "wrong"
        let consumer = try LogConsumer(settings: wrong, topic: topic, mode: .group, delegate: Follower())
        let batch = RecordBatch()
        var error: LogError?
        try eventually("refused credentials") {
            error = failure { try consumer.poll(into: batch, timeoutMs: 20) }
            return error != nil
        }
        #expect(error?.code == .authentication)
        #expect(consumer.close())
        admin.close()
    }

    @Test func deadLettersOfEveryShape() throws {
        try admin.createTopic(topic, partitions: 1)
        let answers = Mutex<[UInt64: Bool]>([:])
        let producer = try DeadLetterProducer(settings: settings) { token, error in
            answers.withLock { $0[token] = error == nil }
        }
        for token in 0..<5000 as Range<UInt64> {
            #expect(try producer.send(topic: topic, key: nil, value: nil, headers: [("why", [7])], token: token))
        }
        #expect(producer.flush(seconds: 20))
        #expect(answers.withLock { $0.count == 5000 && $0.values.allSatisfy { $0 } })
        var seen = 0
        let read = try readToEnd(settings, topic, from: [0: 0]) {
            seen += $0.key == nil && $0.value == nil && $0.headers?.value(of: "why").map { Array($0) } == [7] ? 1 : 0
        }
        #expect(seen == 5000 && read.ends == [0: 5000])
        #expect(producer.close())
        admin.close()
    }
}

import Foundation
import JSONText
import Synchronization
import Testing

@testable import CommandLog

/// A delegate that starts where the group committed, else at the first offset, and remembers.
final class Follower: LogConsumerDelegate, @unchecked Sendable {
    weak var consumer: LogConsumer?
    let seen = Mutex<(assigned: [[Int32]], revoked: [[Int32]])>(([], []))
    var onRevoke: ([Int32], Bool) -> Void = { _, _ in }
    var onAssign: ([Int32: Int64]) -> Void = { _ in }

    func assigned(_ partitions: [Int32]) throws -> [Int32: Int64] {
        seen.withLock { $0.assigned.append(partitions) }
        guard let consumer else { throw LogError(.closed, "no consumer") }
        let committed = try consumer.committed(partitions)
        let low = try consumer.watermarks(partitions)
        let starts = Dictionary(
            uniqueKeysWithValues: partitions.map { ($0, committed[$0]?.offset ?? low[$0]?.low ?? 0) })
        onAssign(starts)
        return starts
    }

    func revoked(_ partitions: [Int32], lost: Bool) {
        onRevoke(partitions, lost)
        seen.withLock { $0.revoked.append(partitions) }
    }
}

@Suite(.serialized) struct MockTests {
    @Test func everyRecordAsItWasWritten() throws {
        let mock = try MockLog()
        try mock.createTopic("t", partitions: 3)
        let settings = KafkaSettings(bootstrap: mock.bootstrap, group: "g")
        let answers = Mutex<[UInt64]>([])
        let producer = try DeadLetterProducer(settings: settings) { token, error in
            #expect(error == nil)
            answers.withLock { $0.append(token) }
        }
        func send(_ token: UInt64, _ key: [UInt8]?, _ value: [UInt8]?, partition: Int32 = 0, full: Bool = false) throws
        {
            // Static bytes: what an optional array lends would end with its closure.
            let keys = key.map { UnsafeMutableBufferPointer<UInt8>.allocate(capacity: $0.count) }
            let values = value.map { UnsafeMutableBufferPointer<UInt8>.allocate(capacity: $0.count) }
            _ = keys?.initialize(from: key ?? [])
            _ = values?.initialize(from: value ?? [])
            let taken = try producer.send(
                topic: "t", key: keys.map { Bytes($0) }, value: values.map { Bytes($0) },
                headers: full ? [("a", [1]), ("a", [2]), ("empty", [])] : [], token: token, partition: partition,
                timestamp: full ? 1_700_000_000_123 : nil)
            #expect(taken)
            // The producer copied them.
            keys?.deallocate()
            values?.deallocate()
        }
        let (key, value) = (Array("key".utf8), Array("value".utf8))
        try send(1, key, value, full: true)
        try send(2, nil, value)
        try send(3, key, nil)
        try send(4, [], [])
        try send(.max, key, value, partition: 2)
        #expect(producer.flush(seconds: 10))
        #expect(answers.withLock { $0.sorted() } == [1, 2, 3, 4, .max])
        #expect(producer.close())

        var seen: [String] = []
        let read = try readToEnd(settings, "t", from: [0: 0, 1: 0, 2: 0]) { message in
            var headers = ""
            message.headers?.forEachHeader { headers += "\(String(repairing: $0))=\($1.map { Array($0) } ?? [])" }
            if message.offset == 0, message.partition == 0 {
                #expect(message.headers?.value(of: "a").map { Array($0) } == [2])
                #expect(message.headers?.value(of: "empty")?.count == 0)
                #expect(message.headers?.value(of: "b") == nil)
                // A record of 1 MiB of headers counted as 300 bytes.
                #expect(message.headerBytes == 1 + 1 + 1 + 1 + 5 + 3 * 64)
                #expect(message.timestamp == 1_700_000_000_123)
            }
            if message.partition == 2 { #expect(message.headerBytes == 0) }
            seen.append("\(text(message.key) ?? "nil") \(text(message.value) ?? "nil") \(headers)")
        }
        #expect(read.ends == [0: 4, 1: 0, 2: 1])
        #expect(read.offsets == [0: [0, 1, 2, 3], 2: [0]])
        #expect(Set(seen) == ["key value a=[1]a=[2]empty=[]", "nil value ", "key nil ", "  ", "key value "])
    }

    @Test func groupGoesOnWhereItCommitted() throws {
        let mock = try MockLog()
        try mock.createTopic("t", partitions: 2)
        let writer = try Writer(mock.bootstrap)
        for partition in 0..<2 { try writer.fill("t", Int32(partition), count: 1000) }
        try writer.flush()
        let settings = mock.settings(group: "g")
        var total = 0
        for round in 0..<2 {
            let follower = Follower()
            let consumer = try LogConsumer(settings: settings, topic: "t", mode: .group, delegate: follower)
            follower.consumer = consumer
            let batch = RecordBatch(capacity: 100)
            var next: [Int32: Int64] = [:]
            let goal = round == 0 ? 700 : 1300
            var got = 0
            try eventually("records") {
                try consumer.poll(into: batch, maximum: min(100, goal - got), paused: got == goal)
                for at in 0..<batch.count {
                    let message = batch[at]
                    if let expected = next[message.partition] { #expect(message.offset == expected) }
                    next[message.partition] = message.offset + 1
                }
                got += batch.count
                batch.releaseAll()
                return got >= goal
            }
            total += got
            if round == 0 {
                try consumer.commit(next.mapValues { $0 - 1 }, synchronously: false)
                var answer: [Int32: Int64] = [:]
                try eventually("the commit's answer") {
                    try consumer.poll(into: batch, timeoutMs: 10, paused: true)
                    for case .committed(let offsets, let error) in batch.events {
                        #expect(error == nil)
                        answer = offsets
                    }
                    return answer == next.mapValues { $0 - 1 }
                }
                #expect(try consumer.commit(next.merging([7: 5]) { one, _ in one }, synchronously: true) == [7])
            } else {
                #expect(consumer.position() == [0: 1000, 1: 1000])
                try consumer.commit(next, synchronously: true)
            }
            #expect(consumer.close())
            #expect(follower.seen.withLock { $0.revoked } == [[0, 1]])
        }
        #expect(total == 2000)
        let admin = try LogAdmin(settings: settings)
        #expect(try admin.committed(group: "g", topic: "t", partitions: [0, 1]) == [0: 1000, 1: 1000])
        #expect(try admin.committed(group: "other", topic: "t", partitions: [0, 1]).isEmpty)
        #expect(try admin.describe("t").partitions == [0, 1])
        let marks = try admin.watermarks("t", partitions: [0, 1])
        #expect(marks[0]?.low == 0 && marks[1]?.high == 1000)
        admin.close()
    }

    @Test func aGroupIsAskedByOneClientAsLongAsItAnswers() throws {
        let mock = try MockLog()
        try mock.createTopic("t", partitions: 1)
        let admin = try LogAdmin(settings: mock.settings(group: "g"))
        defer { admin.close() }
        try admin.commit(group: "g", topic: "t", offsets: [0: 7])
        let first = admin.groups.withLock { $0["g"] }
        #expect(first != nil)
        #expect(try admin.committed(group: "g", topic: "t", partitions: [0]) == [0: 7])
        #expect(admin.groups.withLock { $0["g"] } === first)
        // OffsetFetch is refused: GROUP_AUTHORIZATION_FAILED
        mock.fail(apiKey: 9, error: 30, count: 1)
        #expect(throws: LogError.self) { try admin.committed(group: "g", topic: "t", partitions: [0]) }
        #expect(admin.groups.withLock { $0.isEmpty })
        #expect(try admin.committed(group: "g", topic: "t", partitions: [0]) == [0: 7])
    }

    @Test func deletedStartIsSaidWithItsOffsets() throws {
        let mock = try MockLog()
        try mock.createTopic("t", partitions: 1)
        let writer = try Writer(mock.bootstrap)
        // The mock keeps 5 MiB.
        try writer.fill("t", 0, count: 20_000, size: 1000)
        try writer.flush()
        let settings = KafkaSettings(bootstrap: mock.bootstrap, group: "g")
        let admin = try LogAdmin(settings: settings)
        let low = try #require(try admin.watermarks("t", partitions: [0])[0]?.low)
        #expect(low > 0)
        let error = failure { _ = try readToEnd(settings, "t", from: [0: 5]) }
        #expect(error?.code == .startDeleted)
        #expect(error?.coordinates == .init(topic: "t", partition: 0, asked: 5, first: low, end: 20_000))
        #expect(error?.message.contains("offset 5 ") == true && error?.message.contains("\(low)") == true)
    }

    @Test func pausedTakesNothingAndWakeEndsTheWait() throws {
        let mock = try MockLog()
        try mock.createTopic("t", partitions: 1)
        let writer = try Writer(mock.bootstrap)
        try writer.fill("t", 0, count: 100)
        try writer.flush()
        let settings = KafkaSettings(bootstrap: mock.bootstrap, group: "g")
        let consumer = try LogConsumer(settings: settings, topic: "t", mode: .assigned([0: 0]))
        let batch = RecordBatch()
        var got = 0
        try eventually("records") {
            try consumer.poll(into: batch, maximum: 10)
            got = batch.count
            batch.releaseAll()
            return got > 0
        }
        for _ in 0..<10 {
            try consumer.poll(into: batch, timeoutMs: 20, paused: true)
            #expect(batch.count == 0)
        }
        try eventually("the rest") {
            try consumer.poll(into: batch)
            got += batch.count
            batch.releaseAll()
            return got == 100
        }
        for paused in [true, false] {
            let start = ContinuousClock.now
            Thread.detachNewThread { consumer.wake() }
            try eventually("end of the wait") {
                try consumer.poll(into: batch, timeoutMs: 20_000, paused: paused)
                return true
            }
            #expect(start.duration(to: .now) < .seconds(15))
        }
        #expect(consumer.close())
        #expect(failure { try consumer.poll(into: batch) }?.code == .closed)
    }

    @Test func brokerThatComesBackIsReadOn() throws {
        let mock = try MockLog()
        try mock.createTopic("t", partitions: 1)
        let settings = KafkaSettings(bootstrap: mock.bootstrap, group: "g")
        let writer = try Writer(mock.bootstrap)
        try writer.fill("t", 0, count: 100)
        try writer.flush()
        let consumer = try LogConsumer(settings: settings, topic: "t", mode: .assigned([0: 0]))
        let batch = RecordBatch()
        var got = 0
        func readUntil(_ goal: Int) throws {
            try eventually("\(goal) records") {
                try consumer.poll(into: batch)
                got += batch.count
                batch.releaseAll()
                return got == goal
            }
        }
        try readUntil(100)
        mock.setBroker(1, up: false)
        for _ in 0..<5 { try consumer.poll(into: batch) }
        mock.setBroker(1, up: true)
        try writer.fill("t", 0, count: 50)
        try readUntil(150)
        #expect(consumer.close())
    }

    @Test func unreachableBrokerIsToldInTime() throws {
        let settings = KafkaSettings(bootstrap: "127.0.0.1:1", group: "g")
        let admin = try LogAdmin(settings: settings)
        let start = ContinuousClock.now
        let error = failure { _ = try admin.describe("t") }
        #expect(start.duration(to: .now) < .seconds(15))
        #expect(error?.code == .unreachable)
        #expect(error?.description.contains("Connection refused") == true, "\(String(describing: error))")
        admin.close()
    }

    @Test func assignedThatThrowsEndsThePoll() throws {
        final class Refuser: LogConsumerDelegate {
            func assigned(_ partitions: [Int32]) throws -> [Int32: Int64] { throw LogError(.startDeleted, "gone") }
            func revoked(_ partitions: [Int32], lost: Bool) {}
        }
        let mock = try MockLog()
        try mock.createTopic("t", partitions: 1)
        let refuser = Refuser()
        let consumer = try LogConsumer(
            settings: KafkaSettings(bootstrap: mock.bootstrap, group: "g"), topic: "t", mode: .group, delegate: refuser)
        let batch = RecordBatch()
        var error: LogError?
        try eventually("the refusal") {
            error = failure { try consumer.poll(into: batch) }
            return error != nil
        }
        #expect(error?.code == .startDeleted)
        #expect(consumer.close())
    }

    @Test func closeIsBoundedAndRecordsOutliveIt() throws {
        let mock = try MockLog()
        try mock.createTopic("t", partitions: 1)
        let settings = mock.settings(group: "g")
        let writer = try Writer(mock.bootstrap)
        try writer.fill("t", 0, count: 100)
        try writer.flush()
        let consumer = try LogConsumer(settings: settings, topic: "t", mode: .assigned([0: 0]))
        let batch = RecordBatch()
        try eventually("records") {
            try consumer.poll(into: batch)
            return batch.count > 0
        }
        let start = ContinuousClock.now
        #expect(!consumer.close(seconds: 2), "the client waits for its records, in the background")
        #expect(start.duration(to: .now) < .seconds(20))
        #expect(text(batch[0].key) == "k0")
        batch.releaseAll()
        // Nothing answers any more: closing still ends.
        let other = try LogConsumer(settings: settings, topic: "t", mode: .group, delegate: Follower())
        mock.setBroker(1, up: false)
        let again = ContinuousClock.now
        #expect(other.close(seconds: 10))
        #expect(again.duration(to: .now) < .seconds(20))
    }
}

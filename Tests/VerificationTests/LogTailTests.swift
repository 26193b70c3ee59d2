import CommandLog
import Parity
import Recipe
import Runtime
import Synchronization
import Telemetry
import Testing
@testable import Verification

/// What the commands of a stretch of the log concern, on librdkafka's own broker.
@Suite(.serialized) struct LogTailTests {
    private final class Topic: Sendable {
        let mock: MockLog
        let recipe: Recipe
        let written = Mutex(0)

        init(_ indices: String, partitions: Int = 2) throws {
            mock = try MockLog()
            try mock.createTopic("orders", partitions: partitions)
            let text = """
                name: small
                commands:
                  bootstrap: \(mock.bootstrap)
                  topic: orders
                  format: envelope
                  envelope:
                    id: id
                    operation: op
                    index: put
                    merge: part
                    delete: del
                    document: doc
                target: { url: "http://127.0.0.1:1" }
                indices: \(indices)
                dead_letters: { topic: orders-dead }
                """
            recipe = try RecipeLoader.load(text: Array(text.utf8), path: "small.yaml", environment: [:])
        }

        /// Returns when the broker has them all.
        func write(_ records: [(partition: Int32, value: String)]) throws {
            let producer = try DeadLetterProducer(settings: recipe.kafkaSettings) { [self] _, error in
                if error == nil { written.withLock { $0 += 1 } }
            }
            for record in records {
                let isSent = try Array(record.value.utf8).withUnsafeBufferPointer {
                    try producer.send(
                        topic: "orders", key: nil, value: $0, token: 0, partition: record.partition, waitMs: 10_000)
                }
                #expect(isSent)
            }
            #expect(producer.flush(seconds: 10))
            #expect(written.withLock { $0 } == records.count)
        }

        func tail(entries: Int = 1) -> LogTail { LogTail(recipe, entries: entries, logger: Logger(level: .error)) }
    }

    private static func key(_ id: String, _ entry: Int = 0) -> DocumentKey {
        DocumentKey(entry: entry, id: Array(id.utf8))
    }

    @Test func whatTheCommandsOfAStretchConcern() throws {
        let topic = try Topic("[{ to: orders-v2, mapping: { properties: { a: { type: keyword } } } }]")
        try topic.write([
            (0, #"{"op":"put","id":"1","doc":{"a":1}}"#), (0, #"{"op":"part","id":"2","doc":{"a":1}}"#),
            (0, "no command"), (0, #"{"op":"del","id":"3"}"#), (1, #"{"op":"put","id":"4","doc":{}}"#),
        ])
        var keys: [String: Set<DocumentKey>] = [:]
        let whole = try topic.tail().keys([0: 0..<4, 1: 0..<1]) { key, partition, offset in
            keys["\(partition)/\(offset)", default: []].insert(key)
        }
        #expect(
            keys == [
                "0/0": [Self.key("1")], "0/1": [Self.key("2")], "0/3": [Self.key("3")], "1/0": [Self.key("4")],
            ])
        #expect(whole == LogTail.Stretch(records: 5, rejects: 1, ends: [0: 4, 1: 1], isWhole: true))

        var few: [DocumentKey] = []
        let part = try topic.tail().keys([0: 1..<3, 1: 1..<1]) { key, _, _ in few.append(key) }
        #expect(few == [Self.key("2")])
        #expect(part == LogTail.Stretch(records: 2, rejects: 1, ends: [0: 3], isWhole: true))
    }

    /// The end that was asked for is not there: an open transaction, or a broker that is away.
    @Test func anEndThatIsNotReached() throws {
        let topic = try Topic("[{ to: orders-v2, mapping: { properties: { a: { type: keyword } } } }]")
        try topic.write([(0, #"{"op":"put","id":"1","doc":{"a":1}}"#)])
        let stretch = try topic.tail().keys([0: 0..<2], patience: 300) { _, _, _ in }
        #expect(stretch == LogTail.Stretch(records: 1, rejects: 0, ends: [0: 1], isWhole: false))
    }

    /// A document that may have been in another entry is named in all.
    @Test func aMoveConcernsAllEntries() throws {
        let topic = try Topic(
            """
            [{ to: new-a, mapping: { properties: { a: { type: keyword } } }, select: { field: doc.kind, equals: a } },
             { to: new-b, mapping: { properties: { a: { type: keyword } } }, select: { field: doc.kind, equals: b } }]
            """)
        try topic.write([(0, #"{"op":"put","id":"1","doc":{"kind":"b"}}"#)])
        var keys: Set<DocumentKey> = []
        _ = try topic.tail(entries: 2).keys([0: 0..<1]) { key, _, _ in keys.insert(key) }
        #expect(keys == [Self.key("1", 0), Self.key("1", 1)])
    }
}

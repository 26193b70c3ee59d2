import CommandLog
@testable import LogGuard
@testable import Planning
@testable import Recipe
import Telemetry
import Testing
@testable import Migration

/// What the brokers cannot or may not tell is a warning of the plan; what they could have told is never passed over.
@Suite(.serialized) struct UnanswerableRailTests {
    private static let logger = Logger(format: .text, level: .error)

    private func recipe(_ mock: MockLog, replay: String = "beginning") throws -> Recipe {
        let text = """
            name: small
            commands:
              bootstrap: \(mock.bootstrap)
              topic: orders
              format: document
            target: { url: "http://127.0.0.1:1" }
            indices: [{ to: orders-v2, mapping: { properties: { a: { type: keyword } } } }]
            replay: { from: \(replay) }
            dead_letters: { topic: orders-dead }
            """
        return try RecipeLoader.load(text: Array(text.utf8), path: "small.yaml", environment: [:])
    }

    @Test func aTopicWhoseConfigurationNobodyTells() throws {
        let mock = try MockLog()
        try mock.createTopic("orders-dead", partitions: 1)
        let recipe = try recipe(mock)
        let admin = try LogAdmin(settings: recipe.kafkaSettings)
        defer { admin.close() }
        let rail = try DeadLetterRail.look(recipe, admin: admin)
        #expect(rail.name == "dead_letters" && rail.verdict == .warn)
        #expect(rail.detail.contains("not known") && rail.detail.contains("orders-dead"))
    }

    @Test func aBrokerThatIsAwayIsAnError() throws {
        let mock = try MockLog()
        let recipe = try recipe(mock)
        let admin = try LogAdmin(settings: recipe.kafkaSettings)
        defer { admin.close() }
        try mock.createTopic("orders-dead", partitions: 1)
        _ = try admin.describe("orders-dead")
        mock.setBroker(1, up: false)
        #expect(throws: LogError.self) {
            try Told.by { () throws(LogError) in try admin.describe("orders-dead", timeout: 2) }
        }
    }

    @Test func configurationsThatAreKnown() {
        let judged = [
            ["cleanup.policy": "delete", "retention.ms": "-1"],
            ["cleanup.policy": "delete", "retention.ms": "3600000"],
            ["cleanup.policy": "compact,delete"],
        ].map { DeadLetterRail.judge("d", .known($0)).verdict }
        #expect(judged == [.ok, .warn, .refused])
    }

    /// The mock cannot look for a time, and answers as if all records were older: the last record contradicts it.
    @Test func aTimeThatTheBrokersCannotLookFor() throws {
        let mock = try MockLog()
        try mock.createTopic("orders", partitions: 2)
        let recipe = try recipe(mock)
        let producer = try DeadLetterProducer(settings: recipe.kafkaSettings) { _, error in #expect(error == nil) }
        for (partition, time) in [(Int32(0), Int64(1_000)), (1, 3_000)] {
            let taken = try producer.send(
                topic: "orders", key: nil, value: nil, headers: [], token: 1, partition: partition, timestamp: time)
            #expect(taken)
        }
        #expect(producer.flush(seconds: 10) && producer.close())
        let admin = try LogAdmin(settings: recipe.kafkaSettings)
        defer { admin.close() }
        let told = try Told.by { () throws(LogError) in
            try admin.offsets("orders", partitions: [0, 1], forTimestamp: 2_000)
        }
        let probe = LogProbe(settings: recipe.kafkaSettings, topic: "orders", logger: Self.logger)
        let start = try ReplayStart.at(2_000, told, marks: [0: (0, 1), 1: (0, 1)]) { offsets throws(LogError) in
            try probe.timestamps(at: offsets)
        }
        #expect(start.offsets == [0: 1, 1: 0])
        #expect(start.unknown?.partitions == [1])
    }

    @Test func timesThatAreTold() throws {
        let marks: [Int32: (low: Int64, high: Int64)] = [0: (5, 9), 1: (5, 9), 2: (7, 7)]
        let known = try ReplayStart.at(50, .known([0: 6, 1: nil, 2: nil]), marks: marks) { offsets throws(LogError) in
            #expect(offsets == [1: 8])
            return [1: 49]
        }
        #expect(known.offsets == [0: 6, 1: 9, 2: 7] && known.unknown == nil)
        let unknown = try ReplayStart.at(50, .unknown("too old"), marks: marks) { _ throws(LogError) in [:] }
        #expect(unknown.offsets == [0: 5, 1: 5, 2: 7])
        #expect(unknown.unknown?.partitions == [0, 1, 2] && unknown.unknown?.why == "too old")
    }
}

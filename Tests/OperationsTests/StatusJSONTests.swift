import Commands
import JSONText

import State
import Telemetry
import Testing
@testable import Migration
@testable import Operations

/// The object of `/statusz`.
@Suite struct StatusJSONTests {
    @Test func theStatusHasEveryNameAndNullForWhatIsUnknown() throws {
        var snapshot = WorkSnapshot(
            migration: "m", command: "follow", version: "1", started: 1, now: 10_000, phase: "following",
            fingerprint: "f", topic: "t", topicPartitions: 3, group: "g",
            deadLetters: WorkSnapshot.DeadLetterFigures(topic: "dead"))
        var member = MemberReport(member: "a", command: "follow", host: "h", pid: 1, started: 1, updated: 9000)
        member.partitions = [
            PartitionReport(partition: 0, outcomes: []),
            PartitionReport(partition: 2, outcomes: [], isOwned: false),
        ]
        snapshot.members = [member]
        snapshot.partitions = [WorkSnapshot.Partition(partition: 1)]
        snapshot.ready.reasons = ["it is starting"]
        snapshot.bulk.latency = HistogramFigures(bounds: [1, 2], counts: [1, 1, 0], sum: 2.5)
        let json = try JSONValue(parsing: snapshot.json(rate: nil).text())
        let names = [
            "migration", "command", "version", "started", "now", "phase", "fingerprint", "ready", "switch", "source",
            "target", "topic", "lag", "lag_seconds", "read", "in_flight", "outcomes", "rate", "partitions", "copy",
            "replay", "receipt", "verification", "bulk", "memory", "dead_letters", "members", "indices", "alarms",
            "waiting",
            "next", "readers", "log", "last_stop",
        ]
        #expect(json.object?.map(\.key).sorted() == names.sorted())
        for name in ["lag", "lag_seconds", "copy", "replay", "source", "target", "waiting", "receipt", "verification"]
            + ["log", "last_stop"]
        {
            #expect(json[name] == .null, "\(name)")
        }
        #expect(json["readers"]?["position"] == "before" && json["readers"]?["rollback"] == .null)
        #expect(json["rate"]?["records_per_second"] == .null)
        #expect(json["ready"] == ["ready": false, "reasons": ["it is starting"]])
        #expect(json["switch"]?["ready"]?.bool == true)
        #expect(json["outcomes"]?.object?.map(\.key) == Outcome.allCases.map(\.name))
        #expect(json["partitions"]?[0]?["end"] == .null)
        #expect(json["members"]?[0]?["partitions"] == [.number(0)])
        #expect(json["members"]?[0]?["age_seconds"]?.double == 1 && json["members"]?[0]?["stale"]?.bool == false)
        #expect(json["bulk"]?["latency"]?["buckets"] == [[.number(1), .number(1)], [.number(2), .number(2)]])
        #expect(json["bulk"]?["latency"]?["p50"]?.double == 1)
        #expect(json["dead_letters"]?["unresolved"] == .null && json["dead_letters"]?["unresolved_by_reason"] == .null)
        snapshot.deadLetters.unresolved = ["a": 2, "b": 1]
        #expect(snapshot.json(rate: nil)["dead_letters"]?["unresolved"] == .number(3))
    }

    /// The page showed neither that the topic cannot be looked at nor why nobody follows.
    @Test func theTopicThatIsAwayAndTheLastStopAreTold() {
        var snapshot = WorkSnapshot(
            migration: "m", command: "verify", version: "1", started: 1, now: 10_000, phase: "stopped",
            fingerprint: "f", topic: "t", topicPartitions: 3, group: "g",
            deadLetters: WorkSnapshot.DeadLetterFigures(topic: "dead"))
        var log = WorkSnapshot.Log()
        snapshot.log = log
        #expect(snapshot.json(rate: nil)["log"] == ["answers": .null, "trouble": .null])
        (log.answers, log.trouble) = (false, "no broker answers")
        snapshot.log = log
        snapshot.lastStop = HistoryEvent(
            .followRefused, "rail a", fingerprint: "f", time: 5_000, by: Operator(host: "h", user: "u"))
        let json = snapshot.json(rate: nil)
        #expect(json["log"] == ["answers": false, "trouble": "no broker answers"])
        #expect(json["last_stop"]?["what"] == "follow_refused" && json["last_stop"]?["host"] == "h")
        #expect(json["last_stop"]?["detail"] == "rail a")
    }
}

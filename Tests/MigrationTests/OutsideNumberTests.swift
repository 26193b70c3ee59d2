import Basics
import JSONText
import LogGuard
import Migration
import Pipeline
import SearchCluster
import Seeds
import Testing

@testable import DeadLetters
@testable import State

/// What others can write must not trap the process: it is brought into bounds where it is read. Every input that was
/// found has its test here.
@Suite struct OutsideNumberTests {
    private static let extremes = ["9223372036854775807", "-9223372036854775808", "0", "-1"]
    private static let now: Int64 = 1_800_000_000_000

    @Test func boundsAreKept() {
        #expect(OutsideNumber.count(.max) == 1 << 46 && OutsideNumber.count(.min) == -1)
        #expect(OutsideNumber.offset(.max) == nil && OutsideNumber.offset(-1) == nil && OutsideNumber.offset(7) == 7)
        #expect(OutsideNumber.time(.max) + 35_000 > 0 && OutsideNumber.time(.min) - 35_000 < 0)
        #expect(OutsideNumber.count(text: "9223372036854775807") == 1 << 46 && OutsideNumber.count(text: "1x") == nil)
        #expect(OutsideNumber.time(text: "-5") == -5 && OutsideNumber.size(text: "99999999999999999999") == nil)
        let number: JSONValue = 9_223_372_036_854_775_807
        #expect(number.count == 1 << 46 && number.size == 1 << 46 && number.time == 1 << 50)
        #expect(number.compared == .max && JSONValue.number("1.5").count == nil && JSONValue.string("1").count == nil)
        // However many there are.
        #expect(OutsideNumber.sum(Array(repeating: Int.max, count: 300_000)) == 1 << 46)
        #expect(OutsideNumber.sum([3, 4, -1]) == 6)
    }

    @Test(arguments: ["9223372036854775807", "70368744177664", "-1"])
    func aRedriveTakesNoLetterWithAnOffsetThatNoLogHas(_ offset: String) {
        #expect(OutsideNumber.offset(text: offset) == nil)
        let origins = LetterOrigins(topic: "t", epoch: 0, ends: [0: 10])
        #expect(!origins.has(.record(topic: "t", partition: 0, offset: .max, epoch: 0)))
    }

    /// A letter of a later epoch would be written with a version that bars every command to come.
    @Test func aRedriveTakesOnlyWhatTheTopicCanHaveHad() {
        let origins = LetterOrigins(topic: "t", epoch: 2, ends: [0: 10, 1: 0])
        func has(_ topic: String, _ partition: Int32, _ offset: Int64, _ epoch: Int64) -> Bool {
            origins.has(.record(topic: topic, partition: partition, offset: offset, epoch: epoch))
        }
        #expect(has("t", 0, 9, 2) && !has("t", 0, 10, 2), "behind the end")
        #expect(!has("t", 1, 0, 2) && !has("t", 2, 0, 2), "of a partition that is empty or not there")
        #expect(!has("t", 0, 9, 3) && !has("t", 0, 9, 1 << 46), "of an epoch that never was")
        #expect(has("t", 5, 1 << 40, 1), "of the log of an earlier epoch nobody knows the end any more")
        #expect(!has("u", 0, 9, 2) && origins.has(.document(index: "i", type: nil, id: [])))
    }

    @Test func noHeadersOfADeadLetterTrap() {
        let seed = newSeed("noHeadersOfADeadLetterTrap")
        defer { Mutation.forget("letter") }
        var random = Seeded(seed)
        let texts =
            Self.extremes + [
                "", "x", "copy", "7", "4294967296", "99999999999999999999", "1.5", "é", " 7", "70368744177663",
            ]
        let names = [
            DeadLetterHeader.source, DeadLetterHeader.topic, DeadLetterHeader.partition, DeadLetterHeader.offset,
            DeadLetterHeader.epoch, DeadLetterHeader.index, DeadLetterHeader.type,
        ]
        let origins = LetterOrigins(topic: "7", epoch: 7, ends: [7: 100, 0: .max])
        for _ in 0..<3000 {
            var headers: [String: String] = [:]
            for name in names where random.chance(80) { headers[name] = random.pick(texts) }
            Mutation.note("letter", headers.sorted { $0.key < $1.key }.map { .name("\($0.key)=\($0.value)") }, nil)
            guard let origin = DeadLetter.Origin(key: [1], header: { headers[$0] }) else { continue }
            _ = (origin.headers, origins.has(origin))
            // The next offset and the version that it is written with.
            if let at = origin.coordinates { #expect(at.partition >= 0 && at.offset >= 0 && at.offset + 1 > 0) }
        }
    }

    @Test(arguments: extremes) func aMemberThatSaysItReportedAtTheEndOfTimeIsShown(_ updated: String) throws {
        let report = try member(#""updated":\#(updated),"started":\#(updated),"pid":\#(updated)"#)
        #expect(report.age(now: Self.now) >= 0)
        _ = report.isStale(now: Self.now)
        _ = report.json.text()
    }

    @Test(arguments: extremes) func partitionsWhoseReadsAddUpBeyondInt64AreShown(_ number: String) throws {
        let partition = """
            {"partition":\(number),"read":\(number),"in_flight":\(number),"start":\(number),"position":\(number),\
            "outcomes":{"indexed":\(number)},"owned":true}
            """
        let report = try member(
            #""updated":1,"started":1,"pid":1,"partitions":[\#(partition),\#(partition),\#(partition)]"#)
        #expect(report.read <= OutsideNumber.most && report.inFlight <= OutsideNumber.most)
        #expect(report.outcomes.allSatisfy { $0 <= OutsideNumber.most })
        _ = report.json.text()
    }

    @Test(arguments: extremes) func theLagOfAPartitionWithAnOddCommittedOffsetIsShown(_ number: String) throws {
        for end in Self.extremes {
            let part = #"{"partition":0,"read":1,"in_flight":1,"committed":\#(number),"end":\#(end)}"#
            let report = try member(#""updated":1,"started":1,"pid":1,"partitions":[\#(part)]"#)
            #expect(report.partitions.compactMap(\.lag).allSatisfy { $0 >= 0 })
        }
    }

    private func member(_ more: String) throws -> MemberReport {
        let text = #"{"member":"m","command":"follow","host":"h",\#(more)}"#
        return try #require(MemberReport(json: JSONValue(parsing: text)))
    }

    @Test(arguments: extremes) func slicesThatReturnedMoreThanInt64AreSummed(_ number: String) throws {
        let slice = """
            {"entry":\(number),"index":"i","spec":"whole 0/1","done":true,"returned":\(number),\
            "outcomes":{"indexed":\(number),"created":\(number),"stale":\(number)}}
            """
        let copy = """
            {"round":\(number),"expected":\(number),"started":\(number),"slices":[\(slice),\(slice),\(slice)]}
            """
        let read = try #require(MigrationState.Copy(json: JSONValue(parsing: copy)))
        #expect(read.slices.count == 3 && read.totals.returned <= OutsideNumber.most)
        _ = read.totals.others
    }

    @Test(arguments: ["slice 9223372036854775807/9223372036854775807", "slice -1/2", "slice 2/2", "slice 0/0", "x 0/1"])
    func aSliceThatIsNoneIsNotAsked(_ text: String) {
        #expect(SliceSpec(index: "i", text: text) == nil)
        #expect(SliceSpec(index: "i", text: "slice 1/2") != nil && SliceSpec(index: "i", text: "whole 0/1") != nil)
    }

    /// A slice that names another index or entry would be left out, and the copy count as whole.
    @Test func slicesThatAreNotAllPartsAreDamage() {
        func trouble(_ slices: [(Int, String, String)]) -> String? {
            MigrationState.Copy(
                round: 1, expected: 1, started: 1,
                slices: slices.map {
                    MigrationState.Slice(
                        entry: $0.0, index: $0.1, spec: $0.2, done: false, returned: 0, outcomes: [:])
                }
            ).sliceTrouble(entries: 2, names: ["a", "b"], shards: ["a": 2, "b": 2])
        }
        #expect(trouble([(0, "a", "whole 0/1"), (1, "b", "slice 1/2"), (1, "b", "slice 0/2")]) == nil)
        #expect(trouble([]) == nil && trouble([(0, "a", "shard 0/2"), (0, "a", "shard 1/2")]) == nil)
        #expect(trouble([(0, "a", "whole 0/1"), (1, "a", "whole 0/1")]) == nil)
        // One shard of two would count as the whole index.
        #expect(trouble([(0, "a", "shard 0/1")])?.hasSuffix("are 1 shards, and it has 2") == true)
        #expect(trouble([(99, "a", "whole 0/1")]) == "slice 0 of the copy names entry 99, and the recipe has 2")
        #expect(trouble([(99, "of an entry that is gone", "whole 0/1"), (0, "a", "whole 0/1")]) == nil)
        // Then nothing would be read, and the copy count as whole.
        #expect(trouble([(99, "secret", "whole 0/1")])?.contains("none of the indices") == true)
        #expect(trouble([(-1, "a", "whole 0/1")]) != nil && trouble([(0, "a", "slice 2/2")]) != nil)
        for wrong in [
            [(1, "b", "slice 1/2"), (1, "secret", "slice 0/2")], [(1, "b", "slice 1/2"), (0, "b", "slice 0/2")],
            [(1, "b", "slice 1/2"), (1, "b", "slice 1/2")], [(1, "b", "slice 1/2"), (1, "b", "shard 0/2")],
            [(1, "b", "slice 0/2")],
        ] {
            #expect(trouble(wrong)?.contains("are not all its parts") == true)
        }
    }

    @Test(arguments: extremes) func theNoteOfACommitWithTheGreatestOffsetIsRead(_ number: String) {
        let note = CommitNote(text: "crossfade \(number) \(number):\(number):ff @\(number)")
        #expect(note != nil)
        if let fingerprint = note?.fingerprint { #expect(fingerprint.offset + 1 > 0 && fingerprint.words != "") }
    }

    /// Two indices, each of which says that it has as many documents as a number can count.
    @Test(arguments: extremes) func twoCountsAreAddedUp(_ number: String) throws {
        let answer = try JSONValue(parsing: #"{"count":\#(number)}"#)
        let count = try #require(answer["count"]?.count)
        #expect(count + count <= 2 * OutsideNumber.most && count + count >= -2)
    }

    @Test(arguments: [Int64.min, .min + 1, -1, 0, .max - 1, .max]) func everyTimeIsWritten(_ time: Int64) {
        #expect(ISOTime.text(time).hasSuffix("Z"))
        #expect(DeadLetterTime.text(OutsideNumber.time(time)).hasSuffix("Z"))
        #expect(DeadLetterTime.text(time).hasSuffix("Z"))
    }

    @Test(arguments: ["9223372036854775807d", "9223372036854775807s", "70368744177664d", "99999999999999999999s"])
    func aTimeLongAgoIsRead(_ text: String) {
        if let time = DeadLetterTime.parse(text, now: Self.now) { #expect(time < Self.now) }
    }
}

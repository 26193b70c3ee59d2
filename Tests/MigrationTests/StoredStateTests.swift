import Failures
import JSONText
import LogGuard
import Pipeline
import Runtime
import SearchCluster
import Seeds
import Testing

@testable import Migration
@testable import State

/// The state document is checked as a whole before anything of it is believed. Whoever can write the state index can
/// write anything there; what is wrong is named, and nothing traps.
@Suite struct StoredStateTests {
    /// A state with every kind of entry, as it is stored.
    static let whole = #"""
        {"form":1,"name":"m","phase":"following","fingerprint":"abcd","created":1764435600000,"indices":["new"],
         "work":"{\"recipe\":{\"commands\":{\"epoch\":1}},\"topic\":{\"partitions\":2},
            \"indices\":[{\"index\":\"new\"}]}",
         "recorded":"0:12,1:7","recorded_epoch":1,"recorded_at":1764435600001,
         "log":"1 0=5:1764435600000:ff 1=7:-1:a0",
         "copy":"{\"round\":2,\"expected\":40,\"started\":5,\"finished\":9,\"refreshed\":4,\"stopped\":\"why\",
            \"conflicts_from\":3,\"slices\":[{\"entry\":0,\"index\":\"old\",\"spec\":\"slice 1/2\",\"done\":true,
            \"returned\":20,\"outcomes\":{\"indexed\":18,\"created\":9,\"stale\":2}},{\"entry\":1,\"index\":\"old\",
            \"spec\":\"whole 0/1\",\"done\":false,\"returned\":0,\"outcomes\":{}}],
            \"source_written\":[{\"index\":\"old\",\"uuid\":\"u\",\"shards\":{\"0\":{\"sequence\":8},
            \"1\":{\"written\":3,\"node\":\"n\"}}}],
            \"part\":{\"words\":\"at>=1\",\"query\":{\"range\":{\"at\":{\"gte\":1}}},\"before\":3,\"chained\":true}}",
         "replay":"{\"round\":1,\"epoch\":1,\"started\":6,\"start\":\"0:1\",\"end\":\"0:9\",\"position\":\"0:4\",
            \"finished\":7}",
         "copy_gate":"closed","replay_due":true,"uuids":"{\"new\":\"u1\"}","adopted":["new"],
         "purge":"{\"first\":1,\"last\":2,\"purged\":3,\"away\":true,\"under_way\":7}",
         "repair":"{\"started\":1,\"finished\":2}",
         "fence":"{\"confirmed_by\":{\"host\":\"h\",\"user\":\"u\"},\"confirmed_at\":5,\"term\":6,
            \"forms\":{\"new\":{}},
            \"holders\":{\"copy\":{\"member\":\"x\",\"by\":{\"host\":\"h\",\"user\":\"u\"},\"since\":8,
            \"process\":{\"machine\":\"k\",\"pid\":4,\"began\":\"b\"}}}}",
         "receipts":"[{\"receipt\":\"20261129-a\",\"digest\":\"d\",\"verdict\":\"equal\",\"basis\":\"source\",
            \"since\":\"20261128-b\",\"fingerprint\":\"abcd\",\"ended\":9,\"oldest_read\":8,
            \"source_total\":4,\"target_total\":4,
            \"totals\":{\"compared\":4,\"equal\":2,\"settling\":1,\"missing\":1,\"extra\":0,\"different\":0,\"stale\":0,
            \"two_routings\":0,\"twin\":0},\"verified_up_to\":{\"0\":9},\"void\":\"why\",
            \"old_side_differs\":1}]",
         "letters":"{\"t-dead\":{\"written\":3,\"settled\":1}}",
         "cutover":"{\"turn\":2,\"mark\":{\"turn\":2,\"home\":\"new\"},\"intent\":{\"kind\":\"rollback\",\"turn\":2,
            \"moves\":[{\"alias\":\"a\",\"from\":[{\"index\":\"new\",\"uuid\":\"u\",\"definition\":{}}],
            \"to\":[{\"index\":\"old\",\"uuid\":null,\"definition\":{\"filter\":{}}},
            {\"index\":\"older\",\"uuid\":\"w\",\"definition\":{}}]}],\"home\":\"new\",\"by\":\"ann\",\"began\":4,
            \"process\":{\"pid\":1}},\"moved\":[{\"alias\":\"a\",
            \"from\":[{\"index\":\"old\",\"uuid\":\"u\",\"definition\":{}}],
            \"to\":[{\"index\":\"new\",\"uuid\":\"v\",\"definition\":{}}]}],
            \"aliases\":[\"a\"],\"left_behind\":[\"a\"],\"rolled_over_at\":3,
            \"readers_due\":{\"kind\":\"rollover\",\"since\":3,\"failure\":\"f\"},
            \"end\":\"finished\",\"ending\":{\"by\":\"ann\",\"began\":5,\"archive\":\"/x\",\"offsets\":{\"0\":5},
            \"done\":[\"members\"]}}"}
        """#

    static func document() throws -> JSONValue {
        try JSONValue(parsing: whole.split(separator: "\n").map { $0.drop { $0 == " " } }.joined())
    }

    static func stored(_ json: JSONValue) throws(WorkError) -> MigrationState {
        try MigrationState.stored(json, document: "migration", index: ".crossfade-m")
    }

    @Test func everyMemberIsRead() throws {
        let document = try Self.document()
        let state = try Self.stored(document)
        #expect(state.copy?.slices.count == 2 && state.replay != nil && state.receipts.count == 1)
        #expect(state.cutover.intent != nil && state.cutover.ending != nil && state.purge != nil && state.log != nil)
        // Nothing of it is lost when it is written again.
        for name in try #require(document.object).keys {
            let (before, after) = (document[name], state.json[name])
            let parsed = [before, after].map { $0?.string.flatMap { try? JSONValue(parsing: $0) } }
            #expect(before == after || parsed[0] == parsed[1] && parsed[0] != nil, "\(name)")
        }
    }

    // MARK: What is wrong is named

    static let wrong: [(String, String, String)] = [
        (#"\"returned\":20"#, #"\"returned\":-9223372036854775808"#, "copy.slices[0].returned is -9223372036854775808"),
        (#"\"entry\":0"#, #"\"entry\":9223372036854775807"#, "copy.slices[0].entry is 9223372036854775807"),
        (#""phase":"following""#, #""phase":"dancing""#, "phase is \"dancing\", and should be one of created"),
        (#""recorded":"0:12"#, #""recorded":"0:x"#, "recorded is \"0:x,1:7\", and should be offsets as"),
        (#""log":"1 0="#, #""log":"x 0="#, "log is "),
        (#"\"verdict\":\"equal\""#, #"\"verdict\":\"fine\""#, "receipts[0].verdict is \"fine\""),
        (#"\"turn\":2,\"mark\""#, #"\"turn\":\"2\",\"mark\""#, "cutover.turn is \"2\""),
        (#"\"done\":[\"members\"]"#, #"\"done\":[\"dinner\"]"#, "cutover.ending.done[0] is \"dinner\""),
        (#""created":1764435600000"#, #""created":9223372036854775807"#, "created is 9223372036854775807"),
        (#"\"started\":6"#, #"\"begun\":6"#, "replay.started is missing, and should be there"),
        (#""name":"m""#, #""name":17"#, "name is 17, and should be a text"),
    ]

    @Test(arguments: wrong) func damageIsNamed(_ from: String, _ to: String, _ words: String) throws {
        let text = Self.whole.split(separator: "\n").map { $0.drop { $0 == " " } }.joined()
        let changed = text.replacing(from, with: to, maxReplacements: 1)
        #expect(changed != text)
        let error = #expect(throws: WorkError.self) { try Self.stored(try JSONValue(parsing: changed)) }
        let said = error?.description ?? ""
        #expect(said.contains("the state in .crossfade-m is damaged: ") && said.contains(words), "\(said)")
        #expect(said.contains("Nothing was changed. Restore the document migration of that index"), "\(said)")
    }

    /// Lists that are longer than any migration's were worked off one by one, for minutes.
    @Test(arguments: [
        (#"\"new\":\"u1\""#, #"\"i%\":\"u\""#, 16_385, "uuids is an object of 16385", 16_384),
        (#"\"indexed\":18,"#, #"\"k%\":1,"#, 1_025, "copy.slices[0].outcomes is an object of 1027", 1_024),
        (#"\"a\"],\"left"#, #"\"a%\","#, 16_384, "cutover.aliases is a list of 16385", 16_384),
    ])
    func moreThanAnyMigrationHasIsRefused(
        _ from: String, _ one: String, _ count: Int, _ words: String, _ most: Int
    ) throws {
        let text = Self.whole.split(separator: "\n").map { $0.drop { $0 == " " } }.joined()
        #expect(text.contains(from))
        func changed(_ count: Int) throws -> JSONValue {
            var many = (0..<count).map { one.replacing("%", with: "\($0)") }.joined(
                separator: one.hasSuffix(",") ? "" : ",")
            if from.hasPrefix(#"\"a\"]"#) { many += from }
            return try JSONValue(parsing: text.replacing(from, with: many, maxReplacements: 1))
        }
        let error = #expect(throws: WorkError.self) { try Self.stored(try changed(count)) }
        let said = error?.description ?? ""
        #expect(said.contains(words) && said.contains("one of at most \(most) (fixed limit state_list)"), "\(said)")
        #expect(throws: Never.self) { try Self.stored(try changed(count - 3)) }
    }

    /// A verification that goes on from the one before it, each night: none was ever dropped.
    @Test func aLongRowOfReceiptsHasAnEnd() throws {
        var state = try Self.stored(try Self.document())
        let first = try #require(state.receipts.first)
        state.receipts = (0..<ReceiptEntry.mostInRow).map { number in
            var entry = first
            (entry.id, entry.since) = ("r\(number)", number == 0 ? nil : "r\(number - 1)")
            return entry
        }
        var next = first
        (next.id, next.since) = ("next", "r\(ReceiptEntry.mostInRow - 1)")
        #expect(state.keep(next) == ["r0"])
        #expect(state.receipts.count == ReceiptEntry.mostInRow && state.receipts.last?.id == "next")
        #expect(ReceiptEntry.mostInRow < ReceiptEntry.mostStored)
    }

    @Test func aNewerFormIsNotRead() throws {
        var document = try #require(try Self.document().object)
        document["form"] = 2
        let error = #expect(throws: WorkError.self) { try Self.stored(.object(document)) }
        #expect(error?.description.contains("of form 2") == true)
        // Versions that wrote no form wrote this one.
        document["form"] = nil
        #expect(throws: Never.self) { try Self.stored(.object(document)) }
    }

    // MARK: What a newer version has added stays

    @Test func whatANewerVersionHasAddedStays() throws {
        let text = Self.whole.split(separator: "\n").map { $0.drop { $0 == " " } }.joined()
            .replacing(#""form":1"#, with: #""form":1,"later":{"a":[1]}"#)
            .replacing(#"\"expected\":40"#, with: #"\"expected\":40,\"later\":7"#)
            .replacing(#"\"spec\":\"slice 1/2\""#, with: #"\"later\":8,\"spec\":\"slice 1/2\""#)
            .replacing(#"\"digest\":\"d\""#, with: #"\"digest\":\"d\",\"later\":9"#)
        let document = try JSONValue(parsing: text)
        var state = try Self.stored(document)
        state.copy?.expected = 41
        func written() throws -> (top: JSONValue?, copy: JSONValue, receipts: JSONValue) {
            let json = StoredShape.state.carrying(document, into: state.json)
            return (
                json["later"], try JSONValue(parsing: json["copy"]?.string ?? "null"),
                try JSONValue(parsing: json["receipts"]?.string ?? "null")
            )
        }
        var after = try written()
        #expect(after.top == ["a": [1]] && after.copy["later"] == 7 && after.copy["expected"] == 41)
        #expect(after.copy["slices"]?[0]?["later"] == 8 && after.copy["slices"]?[1]?["later"] == nil)
        #expect(after.receipts[0]?["later"] == 9)
        // Another copy is another thing.
        state.copy = MigrationState.Copy(round: 3, expected: 1, started: 77, slices: [])
        after = try written()
        #expect(after.copy["later"] == nil && after.top == ["a": [1]])
    }

    @Test func whatANewerVersionHasAddedToTheHistoryStays() throws {
        let stored: JSONValue = [
            "history": .string(
                #"[{"what":"x","odd":1},{"time":"2026-01-01T00:00:00Z","what":"init","user":"u","host":"h","#
                    + #""fingerprint":"f","detail":"","later":5}]"#), "dropped": 3,
        ]
        var history = MigrationHistory(json: stored)
        #expect(history.events.count == 1)
        history.add(HistoryEvent(.purged, fingerprint: "f", time: 5, by: Operator(host: "h", user: "u")))
        let written = try JSONValue(parsing: history.json["history"]?.string ?? "")
        #expect(written[0] == ["what": "x", "odd": 1] && written[1]?["later"] == 5 && written[2]?["what"] == "purged")
    }

    // MARK: No document traps

    /// Every leaf of the state, one after the other, is made something else; then everything that reads it is run.
    @Test func noStateTraps() throws {
        let seed = newSeed("noStateTraps")
        defer { Mutation.forget("state") }
        var random = Seeded(seed)
        let document = try Self.document()
        let places = Mutation.places(document)
        #expect(places.count > 100)
        var (read, refused) = (0, 0)
        for place in places {
            for value in Mutation.values(&random) {
                // A trap ends the whole process; the last line says what it was.
                let changed = Mutation.changed(document, place[...], to: value)
                Mutation.note("state", place, value)
                do throws(WorkError) {
                    use(try Self.stored(changed), before: changed)
                    read += 1
                } catch {
                    #expect(error.description.contains(" is damaged: ") || error.description.contains(" of form "))
                    refused += 1
                }
            }
        }
        #expect(read > 0 && refused > 1000, "\(read) were read, \(refused) refused")
    }

    /// What commands ask a state.
    private func use(_ state: MigrationState, before: JSONValue) {
        let now: Int64 = 1_800_000_000_000
        _ = StoredShape.state.carrying(before, into: state.json).text()
        _ = (state.copy?.totals, state.copy?.totals.others, state.copy?.covered, state.copy?.snapshot, state.purges)
        _ = (state.sourceIsBase, state.copyUnfinished, state.cutover.position, state.cutover.openReaders)
        _ = (state.confirmationWords, state.mark, state.holds(nil), state.isRemade("new", uuid: "u"))
        for receipt in state.receipts {
            _ = (receipt.shown(fingerprint: "abcd", now: now), receipt.words(now: now), receipt.age(now: now))
        }
        if let copy = state.copy {
            _ = WorkSnapshot.Copy(copy, running: nil)
            for slice in copy.slices { _ = SliceSpec(index: slice.index, text: slice.spec) }
        }
        if let replay = state.replay {
            _ = replay.end.reduce(Int64(0)) { $0 + max(0, $1.value - (replay.position[$1.key] ?? 0)) }
        }
        for holder in state.fence.holders.values { _ = holder.process.fate }
        var other = state
        other.startOver(at: now)
        other.confirm("other", work: ["indices": [["index": "x"]]], by: Operator(host: "h", user: "u"), at: now)
        _ = try? other.check(isStill: "abcd")
    }

    @Test func noReportOfAMemberTraps() throws {
        let seed = newSeed("noReportOfAMemberTraps")
        defer { Mutation.forget("member") }
        var random = Seeded(seed)
        var report = MemberReport(member: "m", command: "verify", host: "h", pid: 1, started: 2, updated: 3)
        report.partitions = [0, 1].map {
            PartitionReport(
                partition: $0, start: 1, position: 5, committed: 4, end: 9, read: 4, inFlight: 1,
                outcomes: Array(repeating: 1, count: 9))
        }
        report.alarms = [Alarm(name: "a", text: "t")]
        report.stage = StageReport(
            stage: "reading", parts: [.init(name: "p", done: 1, total: 4, rate: 2)], waiting: "w")
        report.process = ProcessMark(machine: "k", pid: 4, began: "b")
        let document = report.json
        for place in Mutation.places(document) {
            for value in Mutation.values(&random) {
                Mutation.note("member", place, value)
                guard let read = MemberReport(json: Mutation.changed(document, place[...], to: value)) else { continue }
                _ = (read.age(now: 1_800_000_000_000), read.isStale(now: 0), read.read, read.inFlight, read.outcomes)
                _ = (read.partitions.map(\.lag), read.stage?.secondsLeft, read.json.text(), read.trouble)
                var watch = MemberWatch()
                for now in [Int64(0), 20_000] {
                    _ = watch.look([read], fate: { _ in .unknown }, wall: 1_800_000_000_000, now: now)
                }
            }
        }
    }

    @Test func noHistoryTraps() throws {
        let seed = newSeed("noHistoryTraps")
        defer { Mutation.forget("history") }
        var random = Seeded(seed)
        let event = HistoryEvent(.purged, "d", fingerprint: "f", time: 5, by: Operator(host: "h", user: "u"))
        let document: JSONValue = ["history": .string(JSONValue.array([event.json]).text()), "dropped": 3]
        for place in Mutation.places(document) {
            for value in Mutation.values(&random) {
                Mutation.note("history", place, value)
                var history = MigrationHistory(json: Mutation.changed(document, place[...], to: value))
                history.add(event)
                _ = (history.json.text(), history.events.map(\.time))
            }
        }
    }

    @Test func noNoteOfACommitTraps() throws {
        let seed = newSeed("noNoteOfACommitTraps")
        defer { Mutation.forget("commit") }
        var random = Seeded(seed)
        let words = [
            "crossfade", "9223372036854775807", "-9223372036854775808", "5:6:ff", "@7", "-", ":", "=", "#a:9", "é",
            " ", "9223372036854775807:9223372036854775807:ffffffffffffffff", "99999999999999999999",
            "@-9223372036854775808",
        ]
        for _ in 0..<5000 {
            let text = (0..<random.below(7)).map { _ in random.pick(words) }.joined(separator: random.pick([" ", ":"]))
            Mutation.note("commit", [.name(text)], nil)
            guard let note = CommitNote(text: text) else { continue }
            if let fingerprint = note.fingerprint { _ = (fingerprint.offset + 1, fingerprint.words) }
            _ = note.text
        }
    }
}

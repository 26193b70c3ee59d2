import JSONText
import Testing

@testable import crossfade

/// What the demo's verdict depends on: its workload, its model of the commands, its comparison.
@Suite struct DemoTests {
    private func records(_ count: Int, seed: UInt64 = 5) -> [DemoRecord] {
        var workload = DemoWorkload(seed: seed, newKeys: 40)
        return (0..<count).map { _ in workload.next() }
    }

    private func model(_ records: [DemoRecord]) -> DemoModel {
        var model = DemoModel()
        for record in records { model.apply(record.value) }
        return model
    }

    @Test func aSeedRepeatsItsCommands() {
        #expect(records(3000).map(\.value) == records(3000).map(\.value))
        #expect(records(300).map(\.value) != records(300, seed: 6).map(\.value))
        let kinds = Dictionary(grouping: records(3000), by: \.kind).mapValues(\.count)
        for kind in DemoRecord.Kind.allCases { #expect(kinds[kind, default: 0] > 0, "\(kind)") }
        #expect(kinds[.broken] == 2)
    }

    /// When somebody else kills the follower, the message says so and names the signal.
    @Test func theEndOfAChildIsSaid() {
        let killed = DemoChild.ending(of: "crossfade follow a.yaml", 9, bySignal: true, told: "")
        #expect(killed.hasPrefix("crossfade follow a.yaml was killed by signal 9, and not by the demo"))
        #expect(killed.hasSuffix("ran out). Everything is tidied up; the demo can be started again."))
        let failed = DemoChild.ending(of: "crossfade plan a.yaml", 2, bySignal: false, told: "a\nb\n")
        #expect(failed.hasPrefix("crossfade plan a.yaml ended with exit code 2.\nThe last that it said:\na\nb\nEvery"))
    }

    @Test func commandsByHand() throws {
        var model = DemoModel()
        let commands = [
            #"{"command":"InsertMessageCommand","id":"a","message":{"n":1.50,"tags":{"b":true,"a":"x","c":7}}}"#,
            #"{"command":"UpdateMessageCommand","id":"a","message":{"s":"closed","tags":{"a":"y"}}}"#,
            #"{"command":"InsertMessageCommand","id":"b","message":{"n":2}}"#,
            #"{"command":"DeleteMessageCommand","id":"b"}"#, #"{"command":"PingCommand","id":"writer"}"#,
            #"{"command":"#,
        ]
        for command in commands { model.apply(command) }
        let expected = try JSONValue(
            parsing: #"""
                {"n":1.50,"s":"closed","tags":[{"keyToValue":"a:y","value":"y"},{"keyToValue":"b:true","value":"true"},
                {"keyToValue":"c:7","value":"7"}]}
                """#)
        #expect(model.expected("a") == expected)
        #expect(model.documents.count == 1 && model.expected("b") == nil)
    }

    /// The comparison finds a change of any single byte of any document.
    @Test func aFlippedByteIsFound() throws {
        let model = model(records(400))
        let right = model.documents.keys.reduce(into: [String: JSONValue]()) { $0[$1] = model.expected($1) }
        let clean = DemoComparison(expected: model, found: right)
        #expect(clean.differences == 0 && clean.compared == right.count && right.count > 100)
        let (id, document) = try #require(right.min { $0.key < $1.key })
        let bytes = Array(document.text().utf8)
        var found = 0
        for at in bytes.indices {
            var flipped = bytes
            flipped[at] ^= 1
            guard let other = try? JSONValue(parsing: String(decoding: flipped, as: UTF8.self)) else { continue }
            var wrong = right
            wrong[id] = other
            let comparison = DemoComparison(expected: model, found: wrong)
            #expect(comparison.different == 1 && comparison.examples.first?.contains(id) == true, "byte \(at)")
            found += 1
        }
        // Most bytes are inside strings and numbers, so the changed text is usually still JSON.
        #expect(found > bytes.count / 2)
    }

    @Test func whatIsMissingOrTooMuchIsFound() throws {
        let model = model(records(400))
        var found = model.documents.keys.reduce(into: [String: JSONValue]()) { $0[$1] = model.expected($1) }
        let lost = try #require(found.keys.min())
        found[lost] = nil
        found["alert-x"] = ["a": 1]
        let comparison = DemoComparison(expected: model, found: found)
        #expect(comparison.missing == 1 && comparison.extra == 1 && comparison.different == 0)
        #expect(comparison.differences == 2 && comparison.compared == model.documents.count)
        #expect(comparison.examples.count == 2)
    }

    @Test func theReceiptPassesOnlyWhenAllIsRight() throws {
        let model = model(records(400))
        let right = model.documents.keys.reduce(into: [String: JSONValue]()) { $0[$1] = model.expected($1) }
        var receipt = DemoReceipt(seed: 5)
        #expect(!receipt.passed)
        receipt.comparison = DemoComparison(expected: model, found: right)
        #expect(!receipt.passed)
        receipt.verdict = "settling"
        #expect(!receipt.passed)
        receipt.verdict = "equal"
        #expect(receipt.passed)
        receipt.written[.broken] = 1
        #expect(!receipt.passed)
        receipt.deadLetters = 1
        #expect(receipt.passed)
        receipt.comparison = DemoComparison(expected: model, found: [:])
        #expect(!receipt.passed)
        // A comparison of no documents proves nothing.
        receipt.comparison = DemoComparison(expected: DemoModel(), found: [:])
        #expect(!receipt.passed)
    }

    @Test func dashboardsAddress() {
        let told = "2026-11-28 info x\n2026-11-28 info operations are served url=http://127.0.0.1:9464\n"
        #expect(DemoSession.dashboard(told) == "http://127.0.0.1:9464")
        #expect(DemoSession.dashboard("nothing") == nil)
    }

    @Test func numbersAreGrouped() {
        #expect([0, 999, 1000, -1_234_567].map(DemoScreen.grouped) == ["0", "999", "1,000", "-1,234,567"])
    }

    @Test func optionsAreChecked() {
        for words in [
            ["demo", "--rate", "0"], ["demo", "--duration", "x"], ["demo", "--seed", "-1"],
            ["demo", "--old", "http://a"],
            ["demo", "--kafka", "a:1", "--old", "http://a", "--new", "http://b", "--name", "No Good"],
        ] {
            #expect(CommandLineInterface.run(words) == .usage, "\(words)")
        }
    }
}

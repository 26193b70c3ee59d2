import Commands
import Foundation
import JSONText
@testable import Planning
@testable import Recipe
import Testing
@testable import Trial
@testable import Migration

/// `tests` of recipes: what is wrong with them, and what they find.
struct TrialTests {
    private static let head = """
        name: small
        commands:
          bootstrap: b:1
          topic: incidents
          format: envelope
          envelope:
            id: id
            operation: command
            index: [InsertMessageCommand]
            merge: [UpdateMessageCommand]
            delete: [DeleteMessageCommand]
            document: message
        source: { url: http://a }
        target: { url: http://b }
        indices:
          - from: incidents
            to: incidents-v2
            transform:
              - keyToValue: tags

        """

    private static func verdicts(_ tests: String) throws -> [RecipeTest.Verdict] {
        let recipe = try Reading.load(head + tests)
        let trial = RecipeTrial(recipe)
        return recipe.tests.map { $0.run(trial) }
    }

    /// The tests that docs/recipe.md shows pass, word for word.
    @Test func thoseOfTheReferencePass() throws {
        let path = #filePath.replacing("Tests/RecipeTests/TrialTests.swift", with: "docs/recipe.md")
        let page = try String(contentsOfFile: path, encoding: .utf8)
        let section = try #require(page.range(of: "\n## tests\n"))
        let lines = page[section.upperBound...].split(separator: "\n", omittingEmptySubsequences: false)
            .drop { !$0.hasPrefix("    ") }.prefix { $0.isEmpty || $0.hasPrefix("    ") }
        let verdicts = try Self.verdicts(lines.map { $0.dropFirst(4) }.joined(separator: "\n"))
        #expect(verdicts.count == 4)
        for verdict in verdicts { #expect(verdict.passed, "\(verdict.test.name): \(verdict.differences)") }
    }

    @Test func differencesAreSaidByPath() throws {
        let verdict = try #require(
            try Self.verdicts(
                """
                tests:
                  - name: one
                    record:
                      offset: 40
                      value: { id: 7, command: InsertMessageCommand,
                        message: { n: 1.50, a: [1, 2, 3], x: y, tags: { k: v } } }
                    expect:
                      operation: merge
                      id: "8"
                      version: 42
                      document: { n: 1.5, a: [1, 9], z.y: 1, tags: [{ keyToValue: "k:v", value: w }] }
                """
            ).first)
        #expect(
            verdict.differences.map(\.path) == [
                "operation", "id", "document.a[1]", "document.a[2]", "document.z\\.y", "document.tags[0].value",
                "document.x",
            ])
        let missing = try #require(verdict.differences.first { $0.path == "document.z\\.y" })
        #expect(missing.expected == 1 && missing.found == nil)
    }

    @Test func rejectsAndSkips() throws {
        let verdicts = try Self.verdicts(
            #"""
            tests:
              - { name: a, record: { value: '{"broken":' }, expect: { reject: not_json } }
              - { name: b, record: { value: { command: InsertMessageCommand, message: {} } },
                  expect: { operation: reject } }
              - { name: c, record: { key: only }, expect: { reject: no_value } }
              - { name: d, record: { value: { id: 1, command: UpdateMessageCommand, message: { tags: 5 } } },
                  expect: { reject: not_a_map } }
              - { name: e, record: { value: { id: 1, command: DeleteMessageCommand } }, expect: { reject: not_json } }
              - { name: f, record: { value: { id: 1 } }, expect: { id: "1" } }
            """#)
        #expect(verdicts.map(\.passed) == [true, true, true, true, false, false])
        #expect(verdicts[4].differences.map(\.path) == ["operation", "reject"])
        #expect(verdicts[5].differences.map(\.path) == ["operation"])
        #expect(verdicts[5].reject?.reason == "no_operation")
        #expect(verdicts[5].reject?.detail == "the field command, the command's name, is not there")
    }

    @Test func aPartOfNothingIsPassedOverWhereTheRecipeSaysIgnore() throws {
        let record = "{ value: { id: 1, command: UpdateMessageCommand, message: {} } }"
        let test = "tests: [{ name: a, record: \(record), expect: { operation: merge } }]\n"
        for missing in ["create", "ignore", "reject"] {
            let entry = "to: incidents-v2"
            let text = Self.head.replacingOccurrences(of: entry, with: entry + "\n    missing: \(missing)") + test
            let recipe = try Reading.load(text)
            guard case .record(let record)? = recipe.tests.first?.input else {
                Issue.record("no record")
                return
            }
            let fate = RecipeTrial(recipe).decide(record) { _, _, _ in nil }
            switch (missing, fate) {
            case ("create", .write), ("reject", .rejected): break
            case ("ignore", .skipped(let why)): #expect(why.contains("missing: ignore"))
            default: Issue.record("\(missing): \(fate)")
            }
        }
    }

    @Test(arguments: [
        (#"{"value":{"a":1}}"#, SampleLine.Reading.record, nil), (#"{"id":1,"command":"x"}"#, .value, nil),
        ("no json", .value, nil), (#"{"vlaue":{"a":1},"key":"k"}"#, .value, "\"vlaue\" -> value"),
        (#"{"value":1,"ofset":7}"#, .value, "\"ofset\" -> offset"), (#"{"value":1,"message":7}"#, .value, nil),
        (#"{"headers":{}}"#, .value, nil),
    ])
    func howALineIsRead(_ text: String, _ reading: SampleLine.Reading, _ hint: String?) {
        let line = SampleLine(text, number: 3)
        #expect(line.reading == reading)
        #expect((line.hint == nil) == (hint == nil))
        if let hint { #expect(line.hint?.contains(hint) == true) }
    }

    /// Each kind of record that means nothing is explained for itself.
    @Test func whyARecordIsSkipped() throws {
        let text = Self.head.replacing(
            "    document: message\n", with: "    document: message\n    ignore: [Ping]\n    tombstone: ignore\n"
        )
        .replacing(
            "    to: incidents-v2\n", with: "    to: incidents-v2\n    select: { field: kind, equals: incident }\n")
        let trial = RecipeTrial(try Reading.load(text))
        func why(_ value: String?) -> String? {
            let record = SampleRecord(key: Array("k".utf8), value: value.map { Array($0.utf8) })
            guard case .skipped(let why) = trial.decide(record, base: { _, _, _ in nil }) else { return nil }
            return why
        }
        #expect(try #require(why(nil)).contains("no value"))
        #expect(try #require(why(#"{"command":"Ping"}"#)).contains("Ping is one to ignore"))
        #expect(
            try #require(why(#"{"id":1,"command":"InsertMessageCommand","kind":"x","message":{}}"#))
                .contains("none of indices"))
        #expect(why(#"{"id":1,"command":"InsertMessageCommand","kind":"incident","message":{}}"#) == nil)
    }

    @Test(arguments: [
        ("- { name: a, expect: { id: x } }", ["21:5: a test needs record or document"]),
        (
            "- { name: a, record: { value: 1 }, document: { id: a, source: {} }, expect: { id: x } }",
            ["21:38: a test has a record or a document, not both"]
        ),
        (
            "- { name: a, record: { value: 1 }, expect: { reject: unknown_operatoin } }",
            [
                "21:56: expect.reject is \"unknown_operatoin\", which is no reason that is known -> unknown_operation"
            ]
        ),
        (
            "- { name: a, record: { value: 1 }, expect: { operation: delete, document: {} } }",
            ["21:67: document means nothing here: a delete leaves none"]
        ),
        (
            "- { name: a, record: { value: 1 }, expect: { reject: not_json, id: x } }",
            ["21:66: id means nothing here: nothing is written"]
        ),
        (
            "- { name: a, record: { value: 1 }, expect: { index: incidents } }",
            ["21:55: expect.index is \"incidents\", which is the to of no entry of indices -> incidents-v2"]
        ),
        (
            "- { name: a, record: { vale: 1 }, expect: { operation: skip } }",
            ["21:26: unknown key \"vale\" in record -> value"]
        ),
        (
            "- { name: a, document: { id: a, source: {} }, base: {}, expect: { id: a } }",
            ["21:49: base is for a record that is merged; a copied document is written whole"]
        ),
    ])
    func wrongTestsAreToldOf(_ test: String, _ expected: [String]) {
        #expect(Reading.errors(Self.head + "tests:\n  " + test) == expected)
    }

    /// Tests are no part of the work: adding one asks for no new confirmation.
    @Test func testsAreNotInTheFingerprint() throws {
        let without = try Reading.load(Self.head)
        let with = try Reading.load(
            Self.head + "tests:\n  - { name: a, record: { value: 1 }, expect: { operation: skip } }")
        #expect(Survey.meaning(without) == Survey.meaning(with))
        #expect(with.tests.count == 1)
    }

    @Test(
        arguments: [
            (
                #"{"key":"k","value":{"a":1},"offset":7,"partition":2,"timestamp":5,"headers":{"h":"x"}}"#, 7, 2,
                #"{"a":1}"#
            ),
            (
                #"{"topic":"t","partition":0,"offset":9,"tstype":"create","ts":5,"headers":["h","x"],"key":"k",""#
                    + #"payload":"{}"}"#,
                9, 0, "{}"
            ),
            (#"{"id":1,"value":2}"#, 3, 0, #"{"id":1,"value":2}"#),
            ("not json", 3, 0, "not json"),
            (#"{"key":"k","value":null}"#, 3, 0, nil),
        ] as [(String, Int64, Int32, String?)])
    func linesOfRecords(_ line: String, _ offset: Int64, _ partition: Int32, _ value: String?) {
        let record = SampleLine(line, number: 3).record
        #expect(record.offset == offset && record.partition == partition)
        #expect(record.value.map { String(decoding: $0, as: UTF8.self) } == value)
        if line.contains("headers") {
            #expect(record.headers == [.init(name: "h", value: Array("x".utf8))] && record.timestamp == 5)
        }
    }
}

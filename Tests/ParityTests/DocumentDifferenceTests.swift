import JSONText
import Parity
import Seeds
import Testing

@Suite struct DocumentDifferenceTests {
    private func paths(
        _ expected: String, _ found: String, ignoring: [String] = [], emptyArrayIsAbsent: Bool = false,
        redacting: [String] = [], salt: UInt64 = 0, limit: Int = 100
    ) throws -> [PathDifference] {
        let ignoring = try ignoring.map { try JSONPath(parsing: $0) }
        let redacting = try redacting.map { try JSONPath(parsing: $0) }
        return Array(expected.utf8).withUnsafeBufferPointer { expected in
            Array(found.utf8).withUnsafeBufferPointer { found in
                DocumentDifference.paths(
                    expected: expected, found: found, ignoring: ignoring, emptyArrayIsAbsent: emptyArrayIsAbsent,
                    redacting: redacting, salt: salt, limit: limit)
            }
        }
    }

    @Test func eachPathIsNamedWithBothValues() throws {
        let found = try paths(
            #"{"a":1,"b":{"c":"x","d":2},"tags":["p","q",{"r":1}],"only":null,"same":[1.0]}"#,
            #"{"b":{"c":"y","d":2.0},"a":"1","tags":["p","s",{"r":2},4],"x.y":true,"same":[1]}"#)
        #expect(
            found == [
                PathDifference(path: "a", expected: "1", found: "\"1\""),
                PathDifference(path: "b.c", expected: "\"x\"", found: "\"y\""),
                PathDifference(path: "tags[1]", expected: "\"q\"", found: "\"s\""),
                PathDifference(path: "tags[2].r", expected: "1", found: "2"),
                PathDifference(path: "tags[3]", expected: nil, found: "4"),
                PathDifference(path: "only", expected: "null", found: nil),
                PathDifference(path: #"x\.y"#, expected: nil, found: "true"),
            ])
    }

    /// One element more shifts all behind it: those are no differences.
    @Test func anElementMoreIsNamedAlone() throws {
        let more = try paths(
            #"{"tags":[{"k":"a"},{"k":"b"},{"k":"c"}]}"#, #"{"tags":[{"k":"x"},{"k":"a"},{"k":"b"},{"k":"c"}]}"#)
        #expect(more == [PathDifference(path: "tags[]", expected: nil, found: #"{"k":"x"}"#)])
        #expect(
            try paths("[1,2,3,4,5]", "[2,3,5,1.0]") == [PathDifference(path: "[]", expected: "4", found: nil)])
        #expect(try paths("[1,2,3]", "[3,1,2]").map(\.path) == ["[0]", "[1]", "[2]"], "the order counts")
        #expect(try paths("[1,1,2]", "[1,2]") == [PathDifference(path: "[]", expected: "1", found: nil)])
        let hidden = try paths(
            #"{"t":[{"k":"a"},{"k":"b"}]}"#, #"{"t":[{"k":"x"},{"k":"a"},{"k":"b"}]}"#, redacting: ["t.k"])
        #expect(hidden.count == 1 && hidden[0].path == "t[]" && hidden[0].found?.hasPrefix("#") == true)
    }

    @Test func aDocumentToReadHidesWhatIsRedacted() throws {
        let redaction = DocumentRedaction(try ["user.mail", "list.key"].map { try JSONPath(parsing: $0) }, salt: 7)
        let text = #"{"user":{"mail":"one@example.org","name":"N"},"list":[{"key":"k1"},{"key":1.0}],"open":1.50}"#
        let shown = try #require(redaction.shown(Array(text.utf8)))
        let value = try JSONValue(parsing: shown)
        #expect(!shown.contains("one@example.org") && !shown.contains("k1"))
        #expect(value["user"]?["name"] == "N" && shown.contains(#""open":1.50"#))
        let found = try paths(
            #"{"user":{"mail":"one@example.org"}}"#, #"{"user":{"mail":"x"}}"#, redacting: ["user.mail"], salt: 7)
        #expect(value["user"]?["mail"]?.string == found.first?.expected, "the same mark as in a difference")
        #expect(redaction.shown(Array("{".utf8)) == nil)
    }

    /// A tester saw these in a receipt: to a search server they are the fields that the recipe redacts.
    @Test func whatIsRedactedIsHiddenInEveryForm() throws {
        let forms = [
            #"{"secret.pw":"LEAK","list":[]}"#, #"{"secret":{"pw":"LEAK"}}"#, #"{"list":[["LEAK"]]}"#,
            #"{"list":"LEAK"}"#, #"{"list":[[{"s":"LEAK"}]]}"#, #"{"list.s":["LEAK"]}"#, #"{"deep.a":{"b":"LEAK"}}"#,
            #"{"deep":{"a.b":["LEAK"]}}"#, #"{"secret":[["LEAK"],"LEAK"]}"#,
        ]
        for written in [["secret.pw", "list.s", "deep.a.b"], [#"secret\.pw"#, #"list\.s"#, #"deep\.a\.b"#]] {
            let redaction = DocumentRedaction(try written.map { try JSONPath(parsing: $0) }, salt: 7)
            for form in forms {
                let shown = try #require(redaction.shown(Array(form.utf8)))
                #expect(!shown.contains("LEAK"), "\(form): \(shown)")
                for (one, other) in [(form, "{}"), ("{}", form), (form, form.replacing("LEAK", with: "OTHER"))] {
                    let found = try paths(one, other, redacting: written, salt: 7)
                    let text = found.map { "\($0.path) \($0.expected ?? "-") \($0.found ?? "-")" }.joined()
                    #expect(!text.contains("LEAK") && !text.contains("OTHER") && !found.isEmpty, "\(form): \(text)")
                }
            }
            #expect(redaction.shown(Array(#"{"open":{"pw":"seen"},"pw":"seen"}"#.utf8))?.contains("seen") == true)
        }
    }

    @Test func theLimitIsKept() throws {
        #expect(try paths("[1,2,3]", "[4,5,6]", limit: 2).map(\.path) == ["[0]", "[1]"])
        #expect(try paths("[1,2,3]", "[4,5,6]", limit: 0).isEmpty)
    }

    @Test func whatDoesNotCountIsNotNamed() throws {
        #expect(try paths(#"{"a":1,"b":{"c":1}}"#, #"{"b":{"c":2}}"#, ignoring: ["a", "b.c"]).isEmpty)
        #expect(try paths(#"{"a":[]}"#, "{}", emptyArrayIsAbsent: true).isEmpty)
        #expect(try paths(#"{"a":[]}"#, "{}") == [PathDifference(path: "a", expected: "[]", found: nil)])
    }

    @Test func redactedValuesAreNeverShown() throws {
        let one = #"{"user":{"mail":"one@example.org","name":"N"},"list":[{"key":"k1"}],"open":1}"#
        for other in [
            #"{"user":{"mail":"two@example.org","name":"M"},"list":[{"key":"k2"}],"open":2}"#,
            #"{"user":"two@example.org","list":{"key":"k2"},"open":2}"#,
            #"{"open":2}"#,
        ] {
            let found = try paths(one, other, redacting: ["user.mail", "list.key"], salt: 7)
            let text = found.map { "\($0.path) \($0.expected ?? "-") \($0.found ?? "-")" }.joined(separator: "\n")
            #expect(!text.contains("one@example.org"), "\(text)")
            #expect(!text.contains("k1"), "\(text)")
            #expect(text.contains("open 1 2"))
            #expect(found.allSatisfy { $0.path != "user.mail" || ($0.expected?.hasPrefix("#") == true) })
        }
        let first = try paths(#"{"a":"x"}"#, #"{"a":"y"}"#, redacting: ["a"], salt: 1)
        let again = try paths(#"{"a":"x"}"#, #"{"a":"y"}"#, redacting: ["a"], salt: 2)
        #expect(first[0].expected != again[0].expected)
        #expect(first[0].expected != first[0].found)
    }

    @Test func longValuesAreCut() throws {
        let text = String(repeating: "é", count: 1000)
        let found = try paths("{\"a\":\"\(text)\"}", "{\"a\":1}")
        let shown = try #require(found.first?.expected)
        #expect(shown.utf8.count <= PathDifference.longest)
        #expect(shown.hasSuffix("é…"))
    }

    @Test func deepDocumentsAreCompared() throws {
        let (open, close) = (String(repeating: "[", count: 900), String(repeating: "]", count: 900))
        #expect(try paths(open + "1" + close, open + "2" + close).count == 1)
    }

    /// There are paths exactly when the digests differ.
    @Test func pathsAndDigestsAgree() throws {
        var documents = RandomDocument(random: Seeded(newSeed("pathsAndDigestsAgree")))
        let digester = DocumentDigester()
        for _ in 0..<2000 {
            let value = documents.object()
            let (one, other) = (documents.spell(value), documents.spell(documents.changed(value)))
            let areEqual =
                try Array(one.utf8).withUnsafeBufferPointer { try digester.digest($0) }
                == Array(other.utf8).withUnsafeBufferPointer { try digester.digest($0) }
            #expect(try paths(one, other).isEmpty == areEqual, "\(one)\n\(other)")
        }
    }
}

import JSONText
import Parity
import Seeds
import Testing

@Suite struct DocumentDigesterTests {
    private func digest(_ text: String, _ digester: DocumentDigester = DocumentDigester()) throws -> ContentDigest {
        try Array(text.utf8).withUnsafeBufferPointer { try digester.digest($0) }
    }

    /// Pairs that are told apart or not, as the issue on verification lists them.
    static let pairs: [(String, String, Bool)] = [
        (#"{"a":1}"#, #"{"a":1.0}"#, true),
        (#"{"a":1}"#, #"{"a":1e0}"#, true),
        (#"{"a":1}"#, #"{"a":1.5}"#, false),
        (#"{"a":0.1}"#, #"{"a":0.10}"#, true),
        (#"{"a":100}"#, #"{"a":1E2}"#, true),
        (#"{"a":0}"#, #"{"a":-0.0}"#, true),
        (#"{"a":9007199254740992}"#, #"{"a":9007199254740993}"#, false),
        (#"{"a":123456789012345678901234567890}"#, #"{"a":123456789012345678901234567891}"#, false),
        (#"{"a":0.1000000000000000055511151231257827}"#, #"{"a":0.1}"#, false),
        (#"{"a":1e400}"#, #"{"a":1e401}"#, false),
        (#"{"a":1}"#, #"{"a":-1}"#, false),
        (#"{"a":1}"#, #"{"a":"1"}"#, false),
        (#"{"a":true}"#, #"{"a":"true"}"#, false),
        (#"{"a":1,"b":2}"#, #"{"b":2,"a":1}"#, true),
        (#"{"a":{"c":1,"b":[{"y":1,"x":2}]}}"#, #"{ "a" : { "b" : [ { "x":2, "y":1 } ], "c":1 } }"#, true),
        (#"{"a":[1,2]}"#, #"{"a":[2,1]}"#, false),
        (#"{"a":[1,2]}"#, #"{"a":[ 1 , 2 ]}"#, true),
        (#"{"a":[[1],[2]]}"#, #"{"a":[[1,2]]}"#, false),
        ("{\"a\":\"\u{e9}\"}", "{\"a\":\"e\u{301}\"}", false),
        (#"{"a":"\u00e9"}"#, "{\"a\":\"\u{e9}\"}", true),
        (#"{"a":"\/"}"#, #"{"a":"/"}"#, true),
        (#"{"\u0061":1}"#, #"{"a":1}"#, true),
        (#"{"a":[]}"#, #"{}"#, false),
        (#"{"a":null}"#, #"{}"#, false),
        (#"{"a":[]}"#, #"{"a":{}}"#, false),
        (#"{"a":1,"a":2}"#, #"{"a":2}"#, true),
        (#"{"a":1,"a":2}"#, #"{"a":1}"#, false),
        (#"{"a":"b"}"#, #"{"a":"b","c":1}"#, false),
    ]

    @Test(arguments: pairs) func twoSpellings(_ one: String, _ other: String, areEqual: Bool) throws {
        #expect((try digest(one) == digest(other)) == areEqual)
    }

    @Test func anEmptyArrayIsAbsentWhereTheRecipeSaysSo() throws {
        let digester = DocumentDigester(emptyArrayIsAbsent: true)
        #expect(try digest(#"{"a":[],"b":1}"#, digester) == digest(#"{"b":1}"#, digester))
        #expect(try digest(#"{"a":[ ]}"#, digester) == digest("{}", digester))
        #expect(try digest(#"{"b":{"a":[]}}"#, digester) == digest(#"{"b":{}}"#, digester))
        // The last of two members counts, so there is nothing.
        #expect(try digest(#"{"a":1,"a":[]}"#, digester) == digest("{}", digester))
        #expect(try digest(#"{"a":[[]]}"#, digester) != digest("{}", digester))
    }

    @Test func ignoredPathsDoNotCount() throws {
        let paths = try ["stamp", "message.time", "events.id", #"with\.dot"#].map { try JSONPath(parsing: $0) }
        let digester = DocumentDigester(ignoring: paths)
        let plain = try digest(#"{"a":1,"message":{"b":2},"events":[{"c":1},{"c":2}]}"#, digester)
        let noisy =
            #"{"stamp":{"x":[1,{"y":2}]},"a":1,"message":{"time":7,"b":2},"#
            + #""events":[{"id":1,"c":1},{"c":2,"id":{}}],"with.dot":5}"#
        #expect(try digest(noisy, digester) == plain)
        #expect(try digest(#"{"a":1,"message":{"b":2,"times":1},"events":[{"c":1},{"c":2}]}"#, digester) != plain)
        #expect(try digest(#"{"a":1,"time":1,"message":{"b":2},"events":[{"c":1},{"c":2}]}"#, digester) != plain)
    }

    @Test func equalMeansWhatATreeSays() throws {
        var documents = RandomDocument(random: Seeded(newSeed("equalMeansWhatATreeSays")))
        let digester = DocumentDigester()
        var equal = 0
        for _ in 0..<1500 {
            let value = documents.object()
            let one = documents.spell(value)
            let same = documents.spell(value)
            #expect(try digest(one, digester) == digest(same, digester), "\(one)\n\(same)")
            let other = documents.spell(documents.changed(value))
            let areEqual =
                try Reference.canonical(JSONValue(parsing: one))
                == Reference.canonical(JSONValue(parsing: other))
            #expect((try digest(one, digester) == digest(other, digester)) == areEqual, "\(one)\n\(other)")
            equal += areEqual ? 1 : 0
        }
        #expect(equal > 0 && equal < 3000)
    }

    @Test func whatIsIgnoredIsWhatATreeLeavesOut() throws {
        var documents = RandomDocument(random: Seeded(newSeed("whatIsIgnoredIsWhatATreeLeavesOut")))
        let names = [["a"], ["b", "title"], ["tags", "a", "ab"], ["über"], ["with\"quote"], ["title"]]
        let digester = DocumentDigester(ignoring: names.map { JSONPath(names: $0) })
        let ignored = Set(names)
        for _ in 0..<1500 {
            let value = documents.object()
            let (one, other) = (documents.spell(value), documents.spell(documents.changed(value)))
            let areEqual =
                try Reference.canonical(JSONValue(parsing: one), ignoring: ignored)
                == Reference.canonical(JSONValue(parsing: other), ignoring: ignored)
            #expect((try digest(one, digester) == digest(other, digester)) == areEqual, "\(one)\n\(other)")
        }
    }

    @Test func depthIsBounded() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"a":["#, count: depth / 2) + String(repeating: "]}", count: depth / 2)
        }
        #expect(throws: Never.self) { try digest(nested(1000)) }
        #expect(throws: JSONError.self) { try digest(nested(1002)) }
        #expect(throws: JSONError.self) { try digest(String(repeating: "[", count: 1_000_000)) }
    }

    @Test func whatIsNoJSONIsAnError() throws {
        var documents = RandomDocument(random: Seeded(newSeed("whatIsNoJSONIsAnError")))
        let digester = DocumentDigester()
        for text in [
            "", " ", "{", #"{"a""#, #"{"a":"#, #"{"a":1,}"#, #"{"a":1 "b":2}"#, "[1,]", "[1", "{}x", "01", "tru",
        ] {
            #expect(throws: JSONError.self) { try digest(text, digester) }
        }
        for _ in 0..<1500 {
            var bytes = Array(documents.spell(documents.object()).utf8)
            switch documents.random.below(3) {
            case 0: bytes.removeLast(documents.random.below(bytes.count))
            case 1: bytes[documents.random.below(bytes.count)] = UInt8.random(in: 0...255, using: &documents.random)
            default: bytes.remove(at: documents.random.below(bytes.count))
            }
            let isValid = bytes.withUnsafeBufferPointer { (try? JSONScanner.validate($0)) != nil }
            let found = try? bytes.withUnsafeBufferPointer { try digester.digest($0) }
            #expect((found != nil) == isValid, "\(String(decoding: bytes, as: UTF8.self))")
        }
        // What came before leaves nothing behind.
        #expect(try digest(#"{"a":1}"#, digester) == digest(#"{"a":1}"#))
    }
}

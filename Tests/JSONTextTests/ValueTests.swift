import JSONText
import Testing

func path(_ text: String) throws -> JSONPath { try JSONPath(parsing: text) }

@Suite struct ExtractorTests {
    func extract(_ text: String, _ paths: String...) throws -> [String?] {
        let extractor = JSONExtractor(paths: try paths.map { try JSONPath(parsing: $0) })
        return try withBytes(text) { bytes in
            try extractor.extract(bytes)
            return paths.indices.map { index in
                let slice = extractor[index]
                return slice.isAbsent ? nil : String(decoding: slice.bytes(of: bytes), as: UTF8.self)
            }
        }
    }

    @Test func finds() throws {
        let text = #" {"id":"x1","message":{"org":7,"tags":{"a":[1]},"a.b":true},"n":null} "#
        #expect(
            try extract(text, "id", "message.org", "message", "message.tags.a", "nope", "message.a\\.b", "n", "id")
                == [
                    "\"x1\"", "7", #"{"org":7,"tags":{"a":[1]},"a.b":true}"#, "[1]", nil, "true", "null", "\"x1\"",
                ])
    }

    @Test func lastDuplicateWinsWhole() throws {
        let text = #"{"a":{"b":1,"c":2},"a":{"c":3},"x":1,"x":2}"#
        #expect(try extract(text, "a.b", "a.c", "x", "a") == [nil, "3", "2", #"{"c":3}"#])
        #expect(try extract(#"{"a":{"b":1},"a":5}"#, "a.b", "a") == [nil, "5"])
    }

    @Test func escapedKeys() throws {
        #expect(try extract(#"{"\u0061\n":1,"é":2}"#, "a\n", "é") == ["1", "2"])
        #expect(try extract(#"{"a\b":1}"#, "a\\\\b", "a\u{8}") == [nil, "1"])
    }

    @Test func otherRootsAndErrors() throws {
        #expect(try extract("[{\"a\":1}]", "a") == [nil])
        #expect(try extract("7", "a") == [nil])
        let extractor = JSONExtractor(paths: [try path("a")])
        try withBytes("{\"a\":1}\n") { try extractor.extract($0) }
        #expect(extractor.root == JSONSlice(kind: .object, start: 0, end: 7))
        #expect(!extractor.hasNewlines == false)
        #expect(throws: JSONError.self) { try withBytes("{\"a\":1,}") { try extractor.extract($0) } }
        #expect(extractor[0].isAbsent && extractor.root.isAbsent)
        #expect(throws: JSONError.self) { try withBytes("") { try extractor.extract($0) } }
        #expect(throws: JSONError.self) { try withBytes("{\"a\":{}") { try extractor.extract($0) } }
    }

    @Test func noPaths() throws {
        let extractor = JSONExtractor(paths: [])
        try withBytes("{\"a\":1}") { try extractor.extract($0) }
        #expect(extractor.root.kind == .object)
    }
}

@Suite struct StringTests {
    @Test func escapes() {
        let out = ByteBuffer()
        withBytes("a\"\\\n\u{1}\u{1f}\r\té😀/\u{7f}") { JSONString.escape($0, into: out) }
        #expect(String(decoding: out.bytes, as: UTF8.self) == #""a\"\\\n\u0001\u001f\r\té😀/"# + "\u{7f}\"")
    }

    @Test func unescapes() throws {
        let out = ByteBuffer()
        try withBytes(#""a\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00é""#) {
            try JSONString.unescape($0, into: out)
        }
        #expect(String(decoding: out.bytes, as: UTF8.self) == "a\"\\/\u{8}\u{c}\n\r\tAé€😀é")
        let before = out.count
        for bad in ["\"abc", "abc", "\"a\"b", "\"", ""] {
            #expect(throws: JSONError.self) { try withBytes(bad) { try JSONString.unescape($0, into: out) } }
        }
        #expect(out.count == before)
    }

    @Test func everyCharacterThereAndBack() throws {
        for value in UInt32(0)..<0x3000 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = "x\(Character(scalar))y"
            let escaped = ByteBuffer()
            withBytes(text) { JSONString.escape($0, into: escaped) }
            let back = ByteBuffer()
            try JSONString.unescape(escaped.bytes, into: back)
            #expect(String(decoding: back.bytes, as: UTF8.self) == text)
        }
    }
}

@Suite struct TreeTests {
    @Test func roundTrip() throws {
        let text = #"{"a":[1,-0.10,1e400,true,false,null,"é\n"],"b":{},"c":[],"d":{"e":{"f":9223372036854775808}}}"#
        let value = try JSONValue(parsing: text)
        #expect(value.text() == text)
        #expect(try JSONValue(parsing: value.text(pretty: true)) == value)
        #expect(value["a"]?[1] == .number("-0.10"))
        #expect(value["d"]?["e"]?["f"]?.int == nil)
        #expect(value["a"]?[0]?.int == 1)
        #expect(value["a"]?[6]?.string == "é\n")
        #expect(value["nope"] == nil && value["a"]?[99] == nil && value[-1] == nil)
        #expect(value[path: try path("d.e.f")] == .number("9223372036854775808"))
    }

    @Test func duplicatesAndOrder() throws {
        #expect(try JSONValue(parsing: #"{"a":1,"b":2,"a":3}"#).text() == #"{"a":3,"b":2}"#)
        #expect(try JSONValue(parsing: #"{"a":1,"b":2}"#) == ["b": 2, "a": 1])
        #expect(try JSONValue(parsing: "\"\u{e9}\"").text() == "\"\u{e9}\"")
        let value = try JSONValue(parsing: "{\"\u{e9}\":1,\"e\u{301}\":2}")
        #expect(value.object?.count == 2)
    }

    @Test func largeObject() throws {
        var object = JSONObject()
        for number in 0..<1000 { object["k\(number)"] = .number(number) }
        object["k7"] = nil
        #expect(object.count == 999 && object["k7"] == nil && object["k999"] == 999)
        #expect(try JSONValue(parsing: JSONValue.object(object).text()).object == object)
    }

    @Test func depth() throws {
        let text = String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000)
        #expect(try JSONValue(parsing: text).text() == text)
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[" + text + "]") }
    }
}

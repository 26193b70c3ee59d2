import JSONText
import Testing

/// The bytes of a text, for as long as the body runs.
func withBytes<R>(_ text: String, _ body: (Bytes) throws -> R) rethrows -> R {
    try Array(text.utf8).withUnsafeBufferPointer { try body($0) }
}

func problem(_ text: String) -> JSONError.Kind? { problem(Array(text.utf8)) }

func problem(_ bytes: [UInt8]) -> JSONError.Kind? {
    bytes.withUnsafeBufferPointer { bytes in
        do throws(JSONError) {
            try JSONScanner.validate(bytes)
            return nil
        } catch {
            return error.kind
        }
    }
}

@Suite struct ScannerTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-0", "-0.0", "1e5", "1E+5", "1.5e-3", "1e400", "18446744073709551616", "\"\"",
        "[]", "{}", " { } ", "[ ]", "[1,2]", "[ 1 , [ ] , { } ]", "{\"a\":1,\"a\":2}", "{\"a\" : { \"b\" : [ 1 ] } }",
        "\"\\u00e9\\ud83d\\ude00\\n\\/\"", "\"é😀\u{7f}\"", "\t\r\n [1]\n", "\"12345678\"", "\"1234567\\\"89\"",
        "{\"\":0}", "[[[[[[[[[[1]]]]]]]]]]", "\"\\u0000\"", "[true,false,null]",
    ])
    func valid(_ text: String) { #expect(problem(text) == nil) }

    @Test(
        arguments: [
            ("", .unexpectedEnd), (" ", .unexpectedEnd), ("{", .unexpectedEnd), ("[1", .unexpectedEnd),
            ("[1,", .unexpectedEnd), ("\"abc", .unexpectedEnd), ("{\"a\"", .unexpectedEnd), ("{\"a\":", .unexpectedEnd),
            ("tru", .unexpectedEnd), ("\"\\", .unexpectedEnd), ("\"\\u12", .unexpectedEnd), ("-", .unexpectedEnd),
            ("1.", .unexpectedEnd), ("1e", .unexpectedEnd), ("01", .badNumber), ("-a", .badNumber), ("1.a", .badNumber),
            ("[1.]", .badNumber), ("+1", .unexpectedByte), (".5", .unexpectedByte), ("NaN", .unexpectedByte),
            ("[1,]", .unexpectedByte), ("{,}", .unexpectedByte), ("{\"a\":1,}", .unexpectedByte),
            ("[1 2]", .unexpectedByte),
            ("{a:1}", .unexpectedByte), ("{1:1}", .unexpectedByte), ("[1}", .unexpectedByte),
            ("{\"a\":1]", .unexpectedByte),
            ("{\"a\" 1}", .unexpectedByte), ("trux", .unexpectedByte), ("'a'", .unexpectedByte),
            ("\u{feff}{}", .unexpectedByte),
            ("1 2", .trailingBytes), ("{}x", .trailingBytes), ("nulll", .trailingBytes), ("\"a\u{1}b\"", .badString),
            ("\"a\nb\"", .badString), ("\"\\x\"", .badEscape), ("\"\\u12g4\"", .badEscape),
            ("\"\\ud800\\u12g4\"", .badEscape), ("\"\\ud800\\u12", .unexpectedEnd),
        ] as [(String, JSONError.Kind)])
    func invalid(_ text: String, _ kind: JSONError.Kind) { #expect(problem(text) == kind, "\(text)") }

    @Test(
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
            [0xED, 0xA0, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF],
            [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xF0, 0x9F, 0x98, 0x28],
        ] as [[UInt8]])
    func notUTF8(_ bytes: [UInt8]) {
        // The target judges.
        #expect(problem([0x22] + bytes + [0x22]) == nil)
        #expect(problem([0x22] + bytes + Array("xxxxxxxxxxxx\"".utf8)) == nil)
        bytes.withUnsafeBufferPointer { #expect(!JSONString.isValidUTF8($0)) }
    }

    /// Half of a surrogate pair is passed on. What is read of it is written as it was.
    @Test(arguments: [#"\ud83d"#, #"\ude00"#, #"a\ud83d b"#, #"\ud83d\ud83d"#, #"\ude00\ud83d"#, #"\ud83d\n"#])
    func halfOfAPair(_ content: String) throws {
        let quoted = Array("\"\(content)\"".utf8)
        #expect(problem(quoted) == nil)
        let (plain, again) = (ByteBuffer(), ByteBuffer())
        try quoted.withUnsafeBufferPointer { try JSONString.unescape($0, into: plain) }
        JSONString.escape(plain.bytes, into: again)
        #expect(Array(again.bytes) == quoted)
        #expect(!JSONString.isValidUTF8(plain.bytes))
    }

    @Test func depth() {
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        func objects(_ levels: Int) -> String {
            String(repeating: "{\"a\":[", count: levels / 2) + "1" + String(repeating: "]}", count: levels / 2)
        }
        for levels in [1, 63, 64, 65, 127, 128, 129, 130, 999, 1000] { #expect(problem(nested(levels)) == nil) }
        for levels in [64, 66, 128, 130, 1000] { #expect(problem(objects(levels)) == nil) }
        #expect(problem(nested(1001)) == .tooDeep)
        #expect(problem(objects(1002)) == .tooDeep)
        #expect(problem(String(repeating: "[", count: 2_000_000)) == .tooDeep)
    }

    @Test func everyPrefixAndFlippedByteIsHandled() {
        let text = Array(
            #"{"a":[1,-2.5e3,{"é\n":"x\ud83d\ude00y"}],"b":{"c":null,"d":true},"long":"0123456789abcdef"}"#.utf8)
        for count in 0..<text.count { #expect(problem(Array(text[..<count])) != nil) }
        for index in text.indices {
            for value in UInt8.min...UInt8.max {
                var changed = text
                changed[index] = value
                let tree = changed.withUnsafeBufferPointer { bytes in try? JSONValue(parsing: bytes) }
                #expect((tree == nil) == (problem(changed) != nil))
            }
        }
    }

    @Test func longNumbersEndWhereTheyEnd() throws {
        for digits in 1...30 {
            for next in UInt8(0x20)...0x7E where !"0123456789.eE".utf8.contains(next) {
                let text = String(repeating: "9", count: digits) + String(decoding: [next], as: UTF8.self) + "12345678"
                #expect(try withBytes(text) { try JSONScanner.skipValue($0, at: 0) } == digits)
            }
        }
    }

    @Test func skipValue() throws {
        let text = "[ {\"a\":[1,2]} , 3]"
        #expect(try withBytes(text) { try JSONScanner.skipValue($0, at: 1) } == 13)
        #expect(try withBytes(text) { try JSONScanner.skipValue($0, at: 15) } == 17)
    }
}

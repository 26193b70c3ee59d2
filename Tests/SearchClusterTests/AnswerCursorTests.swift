import JSONText
import Testing

@testable import SearchCluster

@Suite struct AnswerCursorTests {
    /// What strings hold, of every length up to 40: plain, with escapes, not ASCII, with a control character, with
    /// brackets.
    private static let contents: [String] = (0...40).flatMap { length in
        let plain = String(repeating: "x", count: length)
        return [
            plain, plain + #"\""#, #"\\"# + plain, plain + "é" + plain, plain + "\u{1}" + plain, plain + "]}{[",
            #"\"}"# + plain + #"\\"#,
        ]
    }

    @Test(arguments: contents) func aValueEndsWhereItsBracketsClose(_ content: String) throws {
        let value = #"{"a":"\#(content)","b":[{"c\#(content)": -1.5e3},[],"\#(content)"]}"#
        for text in [value, value + #","next":{"x":"y"}}"#] {
            try withBytes(text) { bytes in
                var cursor = try AnswerCursor(bytes)
                let range = try cursor.value()
                #expect(range == 0..<value.utf8.count)
                #expect(cursor.at == value.utf8.count)
            }
        }
    }

    @Test func everyCutIsAProblem() throws {
        let value = Array(#"{"a":"0123456789abcdefé\"","b":[{"c":"}"},[]]}"#.utf8)
        for end in 1..<value.count {
            // A copy of its own: nothing behind it may be read.
            try Array(value[..<end]).withUnsafeBufferPointer { bytes in
                var cursor = try AnswerCursor(bytes)
                #expect(throws: AnswerProblem.self) { try cursor.value() }
            }
        }
    }
}

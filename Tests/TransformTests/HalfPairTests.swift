import JSONText
import Testing
import Transform

/// Text that is none: halves of surrogate pairs, and bytes that are not UTF-8.
@Suite struct HalfPairTests {
    private func apply(_ steps: [TransformStep], _ text: [UInt8]) throws -> [UInt8] {
        let out = ByteBuffer()
        let transformer = Transformer(steps)
        try text.withUnsafeBufferPointer { try transformer.apply($0, into: out) }
        return Array(out.bytes)
    }

    private static let raw: [[UInt8]] = [
        [0xED, 0xA0, 0xBD], [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80], [0xC0, 0x80], [0xE9], [0xFF], [0x80],
        [0xF4, 0x90, 0x80, 0x80], [0xE2],
    ]

    @Test(arguments: HalfPairTests.raw) func whatNoStepTouchesStaysAsItIs(_ bytes: [UInt8]) throws {
        let text = Array(#"{"a":""#.utf8) + bytes + Array(#"","b":{"c":"\ud83d"},"d":"X"}"#.utf8)
        let lowered = Array(#"{"a":""#.utf8) + bytes + Array(#"","b":{"c":"\ud83d"},"d":"x"}"#.utf8)
        #expect(try apply([], text) == text)
        #expect(try apply([.lowercase(path("d"))], text) == lowered)
    }

    /// Half of a pair keeps its meaning as an escape; other bytes are written as they are.
    @Test func whatAStepTouchesKeepsItsMeaning() throws {
        func text(_ bytes: [UInt8], _ prefix: String = "", _ suffix: String = "") -> [UInt8] {
            Array(prefix.utf8) + bytes + Array(suffix.utf8)
        }
        let lowercase: [TransformStep] = [.lowercase(path("a"))]
        #expect(try apply(lowercase, Array(#"{"a":"A\ud83dB"}"#.utf8)) == Array(#"{"a":"a\ud83db"}"#.utf8))
        #expect(
            try apply(lowercase, text([0xED, 0xA0, 0xBD, 0x42], #"{"a":"A"#, #""}"#))
                == Array(#"{"a":"a\ud83db"}"#.utf8))
        #expect(
            try apply(lowercase, text([0xE9, 0x42], #"{"a":"A"#, #""}"#)) == text([0xE9, 0x62], #"{"a":"a"#, #""}"#))
        let split: [TransformStep] = [.split(field: path("a"), separator: ",")]
        #expect(
            try apply(split, Array(#"{"a":"x\ud83d,\ude00y"}"#.utf8)) == Array(#"{"a":["x\ud83d","\ude00y"]}"#.utf8))
        #expect(
            try apply(split, text([0xFF], #"{"a":"x,"#, #""}"#)) == text([0xFF], #"{"a":["x",""#, #""]}"#))
    }

    @Test func keysOfPairsKeepTheirMeaning() throws {
        let steps: [TransformStep] = [tags("m")]
        for content in [#"k\ud83d"#, #"k\ud83d:x"#, #"\n\ude00"#] {
            let out = try apply(steps, Array("{\"m\":{\"\(content)\":\"v\\ud83d\"}}".utf8))
            let half = content.contains("ud83d") ? "\\ud83d" : "\\ude00"
            #expect(String(decoding: out, as: UTF8.self).contains(half), "\(String(decoding: out, as: UTF8.self))")
            #expect(!out.contains(0xED) && !out.contains(0xEF))
        }
    }
}

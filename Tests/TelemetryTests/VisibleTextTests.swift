import Foundation
import JSONText
import Synchronization
import Testing

@testable import Telemetry

/// What others chose and a terminal would obey is made visible, at the one door to the outside.
@Suite struct VisibleTextTests {
    /// Every character that must never reach a terminal as it is.
    static let hidden: [Unicode.Scalar] = [
        0..<0x20, 0x7F..<0xA0, 0x061C..<0x061D, 0x200E..<0x2010, 0x2028..<0x202F, 0x2066..<0x206A,
    ].flatMap { (range: Range<UInt32>) in range.compactMap(Unicode.Scalar.init) }
    static let poison = String(String.UnicodeScalarView(hidden))

    @Test func whatATerminalObeysIsEscaped() {
        #expect(Self.hidden.count == 32 + 33 + 1 + 2 + 7 + 4 && Self.hidden.allSatisfy(VisibleText.isHidden))
        #expect(VisibleText.line("a\u{1B}[2J\u{9B}b\n") == "a\\u{1b}[2J\\u{9b}b\\u{a}")
        #expect(VisibleText.line(Self.poison).unicodeScalars.allSatisfy { $0.isASCII && !VisibleText.isHidden($0) })
        #expect(VisibleText.lines("a\n\u{202E}b\r\n") == "a\n\\u{202e}b\\u{d}\n", "our own line feeds stay")
        #expect(VisibleText.line("\u{1}\u{1}\u{1}", limit: 2) == "\\u{1}\\u{1}")
        #expect(VisibleText.line([0x61, 0xFF, 0x9B, 0xC2, 0x9B, 0x62]) == "a\u{FFFD}\u{FFFD}\\u{9b}b")
    }

    @Test func otherTextStaysAsItIs() {
        for text in ["", "plain", "äöü 日本語 🙂 e\u{301} \u{200D}", "\u{A0}\u{AD}\u{2010}\u{2027}\u{202F}\u{2065}"] {
            #expect(VisibleText.line(text) == text && VisibleText.lines(text) == text && VisibleText.json(text) == text)
        }
    }

    @Test func jsonKeepsItsValues() throws {
        let value: JSONValue = ["a": .string(Self.poison), "b": ["c\u{202E}": 1]]
        for text in [value.text(), value.text(pretty: true)] {
            let escaped = VisibleText.json(text)
            #expect(!escaped.unicodeScalars.contains { VisibleText.isHidden($0) && $0 != "\n" })
            #expect(try JSONValue(parsing: escaped) == value)
        }
    }

    @Test func logLinesAreOneLineAndHarmless() throws {
        let lines = Mutex<[String]>([])
        for format in Logger.Format.allCases {
            Logger(format: format) { line in lines.withLock { $0.append(line) } }
                .warning("it failed", ["because": Self.poison + "\n2026-01-01T00:00:00Z error forged"])
        }
        let (text, json) = lines.withLock { ($0[0], $0[1]) }
        for line in [text, json] {
            #expect(line.unicodeScalars.filter(VisibleText.isHidden) == ["\n"] && line.last == "\n", "\(line)")
        }
        #expect(try JSONValue(parsing: json)["because"]?.string?.hasPrefix(Self.poison) == true)
    }

    @Test func aDrawingKeepsItsOwnMovesAndNoOthers() {
        let outside = "x\u{1B}[2J"
        let inner: TerminalDrawing = "\u{1B}[1m\(outside)\u{1B}[0m"
        let drawing: TerminalDrawing = "\r\u{1B}[K\(inner)\([inner])\(outside.prefix(2))"
        let shown = "\u{1B}[1mx\\u{1b}[2J\u{1B}[0m"
        #expect(drawing.text == "\r\u{1B}[K" + shown + shown + "x\\u{1b}")
    }

    /// Through a real descriptor: what is written to standard output and standard error.
    @Test func theStreamsEscape() throws {
        let path = NSTemporaryDirectory() + "visible-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let descriptor = open(path, O_CREAT | O_WRONLY, 0o600)
        try #require(descriptor >= 0)
        StandardStreams.write("a\(Self.poison)\n", to: descriptor)
        StandardStreams.write(json: "[\"\u{9B}\"]\n", to: descriptor)
        StandardStreams.draw("\u{1B}[K\("\u{9B}")\n", to: descriptor)
        close(descriptor)
        let written = try String(contentsOfFile: path, encoding: .utf8)
        #expect(written.hasSuffix("\n[\"\\u009b\"]\n\u{1B}[K\\u{9b}\n"), "\(written.debugDescription)")
        #expect(written.unicodeScalars.filter { VisibleText.isHidden($0) && $0 != "\n" } == ["\u{1B}"])
    }
}

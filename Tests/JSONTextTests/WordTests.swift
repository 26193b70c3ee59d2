import Foundation
import JSONText
import Testing

/// Text that ends where a page ends behind which nothing may be read, so that reading on ends the test.
private final class GuardedText {
    private let pages: UnsafeMutableRawPointer
    private let size = Int(sysconf(Int32(_SC_PAGESIZE)))

    init() throws {
        pages = try #require(mmap(nil, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        #expect(mprotect(pages + size, size, PROT_NONE) == 0)
    }

    deinit { munmap(pages, 2 * size) }

    func callAsFunction<R>(_ text: [UInt8], _ body: (UnsafePointer<UInt8>, Int) -> R) -> R {
        let start = pages + (size - text.count)
        text.withUnsafeBytes { start.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: $0.count) }
        return body(start.assumingMemoryBound(to: UInt8.self), text.count)
    }
}

/// What looks at several bytes at once says what looking at one after the other says.
@Suite struct WordTests {
    /// Every byte at every place of strings around the width of a step.
    @Test func stringsEndWhereTheyEnd() throws {
        let guarded = try GuardedText()
        for length in 0...40 {
            for place in 0..<length {
                for byte in [UInt8(0), 0x1F, 0x20, 0x21, 0x22, 0x23, 0x5B, 0x5C, 0x5D, 0x7F, 0x80, 0xC3, 0xFF] {
                    var text = [UInt8](repeating: UInt8(ascii: "x"), count: length)
                    text[place] = byte
                    let whole = text + [UInt8(ascii: "\"")]
                    let expected: Int? =
                        switch byte {
                        case 0x22: place + 1
                        case 0x5C: nil
                        case ..<0x20: nil
                        default: length + 1
                        }
                    let end = guarded(whole) { try? JSONScanner.string($0, 0, $1) }
                    #expect(end == expected, "\(length) \(place) \(byte)")
                }
            }
        }
    }

    /// Keys of every length around the width of a step, what may stand in them, between them and their values, and
    /// every number of bytes behind.
    @Test(arguments: 0...20) func keysEndWhereTheyEnd(_ length: Int) throws {
        let guarded = try GuardedText()
        let plain = [UInt8](repeating: UInt8(ascii: "k"), count: length)
        var keys = [plain]
        for place in 0..<length {
            for byte in [UInt8(0x1F), 0x22, 0x5C, 0x80] {
                var key = plain
                key[place] = byte
                keys.append(key)
            }
        }
        for key in keys {
            for between in [":", ": ", " :", "\t: \n", ":\r", "::", ",", "\"", ""] {
                for room in 0...21 {
                    let text = [0x22] + key + [0x22] + Array(between.utf8) + [UInt8](repeating: 0x37, count: room)
                    var escaped = false
                    var newlines = false
                    let found = guarded(text) { try? JSONScanner.key($0, 0, $1, &escaped, &newlines) }
                    let expected = oneByOne(text)
                    #expect(found?.quote == expected?.quote && found?.value == expected?.value, "\(text)")
                    guard let expected else { continue }
                    #expect(escaped == expected.escaped && newlines == expected.newlines, "\(text)")
                }
            }
        }
    }

    /// The key at the text's beginning, byte by byte.
    private func oneByOne(_ text: [UInt8]) -> (quote: Int, value: Int, escaped: Bool, newlines: Bool)? {
        var at = 1
        var escaped = false
        while at < text.count, text[at] != 0x22 {
            guard text[at] >= 0x20 else { return nil }
            if text[at] == 0x5C {
                escaped = true
                at += 1
                guard at < text.count, text[at] == 0x22 || text[at] == 0x5C else { return nil }
            }
            at += 1
        }
        let quote = at
        let white = Set("\t \r\n".utf8)
        var newlines = false
        func skip() {
            at += 1
            while at < text.count, white.contains(text[at]) {
                if text[at] == 0x0A || text[at] == 0x0D { newlines = true }
                at += 1
            }
        }
        guard quote < text.count else { return nil }
        skip()
        guard at < text.count, text[at] == UInt8(ascii: ":") else { return nil }
        skip()
        return (quote, at, escaped, newlines)
    }

    @Test func textsAreTheSameOrNot() throws {
        let one = try GuardedText()
        let other = try GuardedText()
        for count in 0...40 {
            let text = (0..<count).map { UInt8($0) }
            #expect(one(text) { a, _ in other(text) { b, _ in JSONScanner.same(a, b, count) } })
            for place in 0..<count {
                var changed = text
                changed[place] ^= 0x80
                let same = one(text) { a, _ in other(changed) { b, _ in JSONScanner.same(a, b, count) } }
                #expect(!same, "\(count) \(place)")
            }
        }
    }

    @Test(arguments: ["", "0.", "1e", "-1.5E+"]) func numbersEndWhereTheyEnd(_ before: String) throws {
        let guarded = try GuardedText()
        for digits in 1...24 {
            let number = Array(before.utf8) + (0..<digits).map { UInt8(ascii: "1") + UInt8($0 % 9) }
            for next in UInt8.min...UInt8.max where !(0x30...0x39).contains(next) && next != 0x2E && next | 0x20 != 0x65
            {
                for room in [0, 1, 7, 8, 20] {
                    let text = number + [next] + [UInt8](repeating: 0x39, count: room)
                    let end = guarded(text) { try? JSONScanner.number($0, 0, $1) }
                    #expect(end == number.count, "\(digits) digits, then \(next)")
                }
            }
            #expect(problem(number) == nil)
        }
    }

    @Test func escapesAtEveryPlace() throws {
        let guarded = try GuardedText()
        for length in Array(0...20) + [63, 64, 65, 72] {
            let plain = [UInt8](repeating: UInt8(ascii: "y"), count: length)
            let quoted = ByteBuffer()
            guarded(plain) { JSONString.escape(Bytes(start: $0, count: $1), into: quoted) }
            #expect(Array(quoted.bytes) == [0x22] + plain + [0x22])
            for place in 0..<length {
                for byte in [UInt8(0x00), 0x1F, 0x22, 0x5C] {
                    var text = plain
                    text[place] = byte
                    let out = ByteBuffer()
                    guarded(text) { JSONString.escape(Bytes(start: $0, count: $1), into: out) }
                    let back = ByteBuffer()
                    #expect(throws: Never.self) { try JSONString.unescape(out.bytes, into: back) }
                    #expect(Array(back.bytes) == text)
                    #expect(!out.bytes.contains { $0 < 0x20 })
                }
            }
        }
    }

    @Test func textIsValidOrNotAtEveryPlace() throws {
        let guarded = try GuardedText()
        for length in 0...40 {
            let plain = [UInt8](repeating: UInt8(ascii: "y"), count: length)
            #expect(guarded(plain) { JSONString.isValidUTF8(Bytes(start: $0, count: $1)) })
            for place in 0..<length {
                var text = plain
                text[place] = 0xC3
                #expect(!guarded(text) { JSONString.isValidUTF8(Bytes(start: $0, count: $1)) })
                guard place + 1 < length else { continue }
                text[place + 1] = 0xBC
                #expect(guarded(text) { JSONString.isValidUTF8(Bytes(start: $0, count: $1)) })
            }
        }
    }

    @Test func decimals() {
        var numbers: [Int64] = [0, 1, -1, .max, .min]
        var power: Int64 = 1
        for _ in 0..<18 {
            power *= 10
            numbers += [power - 1, power, power + 1, -power, 1 - power]
            // Every digit at every place.
            for digit in 2...9 { numbers += [power &* Int64(digit), power &* Int64(digit) - 1] }
        }
        for number in numbers {
            let out = ByteBuffer(capacity: 16)
            out.append(decimal: number)
            #expect(String(decoding: out.bytes, as: UTF8.self) == String(number))
        }
    }

    /// What is known to have no escape is told, so that nobody looks again.
    @Test func slicesKnowWhetherTheyArePlain() throws {
        for (text, isPlain) in [
            (#"{"a":"x"}"#, true), (#"{"a":""}"#, true), (#"{"a":"é and more than sixteen bytes"}"#, true),
            (#"{"a":"\u0041"}"#, false), (#"{"a":"0123456789abcdef\n"}"#, false), (#"{"a":1}"#, false),
            (#"{"a":{}}"#, false), (#"{"a":"\n","a":"x"}"#, true), (#"{"a":"x","a":"\n"}"#, false),
            (#"{"a":"x","a":1}"#, false),
        ] {
            let extractor = JSONExtractor(paths: [try JSONPath(parsing: "a")])
            try withBytes(text) { try extractor.extract($0) }
            #expect(extractor[0].isPlain == isPlain, "\(text)")
        }
    }
}

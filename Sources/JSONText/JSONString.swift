/// The content of JSON strings.
public enum JSONString {
    /// Appends the content of a string as UTF-8. `quoted`: its JSON text with the quotes. When it throws, `out` is as
    /// before.
    public static func unescape(_ quoted: Bytes, into out: ByteBuffer) throws(JSONError) {
        guard let text = quoted.baseAddress, quoted.count >= 2, text[0] == UInt8(ascii: "\"") else {
            throw JSONError(.unexpectedByte, at: 0)
        }
        let end = try JSONScanner.string(text, 1, quoted.count)
        guard end == quoted.count else { throw JSONError(.trailingBytes, at: end) }
        try unescape(content: text + 1, count: end - 2, into: out)
    }

    /// Appends the content of a string as UTF-8. `text`: the bytes between the quotes of a string that is known to be
    /// valid.
    public static func unescape(
        content text: UnsafePointer<UInt8>, count: Int, into out: ByteBuffer
    ) throws(JSONError) {
        let mark = out.count
        var at = 0
        var from = 0
        out.reserve(count)
        while at < count {
            guard text[at] == UInt8(ascii: "\\") else {
                at &+= 1
                continue
            }
            out.append(text + from, at &- from)
            do throws(JSONError) {
                at = try appendEscape(text, at, count, into: out)
            } catch {
                out.count = mark
                throw error
            }
            from = at
        }
        out.append(text + from, count &- from)
    }

    private static func appendEscape(
        _ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int, into out: ByteBuffer
    ) throws(JSONError) -> Int {
        let after = try JSONScanner.escape(text, at, end)
        switch text[at &+ 1] {
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = try JSONScanner.codeUnit(text, at, end)
            if after == at &+ 12 {
                let low = try JSONScanner.codeUnit(text, at &+ 6, end)
                scalar = 0x10000 &+ ((scalar & 0x3FF) &<< 10 | (low & 0x3FF))
            }
            append(scalar: scalar, into: out)
        case let byte: out.append(byte)
        }
        return after
    }

    private static func append(scalar: UInt32, into out: ByteBuffer) {
        func byte(_ value: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: value) }
        if scalar < 0x80 {
            out.append(byte(scalar))
        } else if scalar < 0x800 {
            out.append(byte(0xC0 | scalar >> 6))
            out.append(byte(0x80 | scalar & 0x3F))
        } else if scalar < 0x10000 {
            out.append(byte(0xE0 | scalar >> 12))
            out.append(byte(0x80 | scalar >> 6 & 0x3F))
            out.append(byte(0x80 | scalar & 0x3F))
        } else {
            out.append(byte(0xF0 | scalar >> 18))
            out.append(byte(0x80 | scalar >> 12 & 0x3F))
            out.append(byte(0x80 | scalar >> 6 & 0x3F))
            out.append(byte(0x80 | scalar & 0x3F))
        }
    }

    /// Appends UTF-8 text as a JSON string with quotes. It escapes only what must be escaped.
    public static func escape(_ utf8: Bytes, into out: ByteBuffer) {
        out.reserve(utf8.count &+ 2)
        out.append(UInt8(ascii: "\""))
        if !appendShort(utf8, into: out) { escapeContent(utf8, into: out) }
        out.append(UInt8(ascii: "\""))
    }

    /// Appends a text of 8 to 64 bytes that needs no escapes, as most ids are: by words, which are looked at and
    /// written in one pass. False: the text is not like that, and nothing was appended. There must be room for it.
    @inline(__always) private static func appendShort(_ utf8: Bytes, into out: ByteBuffer) -> Bool {
        guard let text = utf8.baseAddress, utf8.count >= 8, utf8.count <= 64 else { return false }
        let to = UnsafeMutableRawPointer(out.base + out.count)
        let last = utf8.count &- 8
        var at = 0
        while true {
            let word = JSONScanner.word(text, at)
            guard JSONScanner.special(word) == 0 else { return false }
            to.storeBytes(of: word.littleEndian, toByteOffset: at, as: UInt64.self)
            if at == last { break }
            // The last word may overlap the one before it.
            at = min(at &+ 8, last)
        }
        out.count &+= utf8.count
        return true
    }

    /// Appends UTF-8 text as the part of a JSON string between the quotes.
    public static func escapeContent(_ utf8: Bytes, into out: ByteBuffer) {
        guard let text = utf8.baseAddress else { return }
        if utf8.count >= 8, JSONScanner.allWords(text, utf8.count, { JSONScanner.special($0) == 0 }) {
            return out.append(text, utf8.count)
        }
        var from = 0
        var at = 0
        while at < utf8.count {
            if at &+ 8 <= utf8.count, text[at] < 0x80 {
                let found = JSONScanner.special(JSONScanner.word(text, at))
                at &+= found.trailingZeroBitCount &>> 3
                if found == 0 { continue }
            }
            let byte = text[at]
            at &+= 1
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0xED else {
                continue
            }
            if byte == 0xED {
                guard isSurrogate(text, at &- 1, utf8.count) else { continue }
                out.append(text + from, at &- 1 &- from)
                appendSurrogate(text, at &- 1, into: out)
                at &+= 2
            } else {
                out.append(text + from, at &- 1 &- from)
                appendEscaped(byte, into: out)
            }
            from = at
        }
        out.append(text + from, utf8.count &- from)
    }

    /// Whether the three bytes at `at` are half of a surrogate pair, as ``unescape(_:into:)`` writes one.
    public static func isSurrogate(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Bool {
        at &+ 2 < end && text[at] == 0xED && text[at &+ 1] & 0xE0 == 0xA0 && text[at &+ 2] & 0xC0 == 0x80
    }

    /// Appends the escape of half of a surrogate pair: three bytes become six.
    public static func appendSurrogate(_ text: UnsafePointer<UInt8>, _ at: Int, into out: ByteBuffer) {
        let unit = 0xD000 | UInt32(text[at &+ 1] & 0x3F) &<< 6 | UInt32(text[at &+ 2] & 0x3F)
        out.append("\\u")
        for shift: UInt32 in [12, 8, 4, 0] {
            let digit = UInt8(truncatingIfNeeded: unit &>> shift & 0xF)
            out.append(digit < 10 ? 0x30 &+ digit : 0x57 &+ digit)
        }
    }

    /// How many bytes from `start` on are valid UTF-8.
    public static func validUTF8(_ bytes: Bytes, from start: Int) -> Int {
        guard let text = bytes.baseAddress else { return 0 }
        var at = start
        while at < bytes.count {
            if text[at] < 0x80 {
                at &+= 1
            } else if let after = try? JSONScanner.character(text, at, bytes.count) {
                at = after
            } else {
                break
            }
        }
        return at &- start
    }

    private static func appendEscaped(_ byte: UInt8, into out: ByteBuffer) {
        switch byte {
        case UInt8(ascii: "\""): out.append("\\\"")
        case UInt8(ascii: "\\"): out.append("\\\\")
        case 0x08: out.append("\\b")
        case 0x09: out.append("\\t")
        case 0x0A: out.append("\\n")
        case 0x0C: out.append("\\f")
        case 0x0D: out.append("\\r")
        default:
            out.append("\\u00")
            out.append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
            let low = byte & 0x0F
            out.append(low < 10 ? 0x30 &+ low : 0x57 &+ low)
        }
    }

    /// Whether the bytes are UTF-8. Most are ASCII, which is seen by words of eight bytes.
    public static func isValidUTF8(_ bytes: Bytes) -> Bool {
        guard let text = bytes.baseAddress else { return true }
        let tops: UInt64 = 0x8080_8080_8080_8080
        if bytes.count >= 8, JSONScanner.allWords(text, bytes.count, { $0 & tops == 0 }) { return true }
        return isUTF8(text, bytes.count)
    }

    @inline(never) private static func isUTF8(_ text: UnsafePointer<UInt8>, _ end: Int) -> Bool {
        var at = 0
        while at < end {
            guard text[at] >= 0x80 else {
                at &+= 1
                continue
            }
            guard let after = try? JSONScanner.character(text, at, end) else { return false }
            at = after
        }
        return true
    }
}

import JSONText

/// Lower case of what stands between a JSON string's quotes.
enum Lowercase {
    /// ASCII is done by byte; text with other characters or escapes by the Unicode rules of the standard library.
    static func append(content: Bytes, into out: ByteBuffer) {
        guard let text = content.baseAddress else { return }
        for byte in content where byte >= 0x80 || byte == UInt8(ascii: "\\") {
            appendUnicode(text, content.count, into: out)
            return
        }
        out.reserve(content.count)
        for byte in content {
            out.append(byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte)
        }
    }

    private static func appendUnicode(_ text: UnsafePointer<UInt8>, _ count: Int, into out: ByteBuffer) {
        let plain = ByteBuffer(capacity: count)
        guard (try? JSONString.unescape(content: text, count: count, into: plain)) != nil else { return }
        // What is no text stays as it is.
        let bytes = plain.bytes
        var at = 0
        while at < bytes.count {
            let valid = JSONString.validUTF8(bytes, from: at)
            var lowered = String(decoding: bytes[at..<at + valid], as: UTF8.self).lowercased()
            lowered.withUTF8 { JSONString.escapeContent($0, into: out) }
            at += valid
            guard at < bytes.count, let start = bytes.baseAddress else { break }
            let length = JSONString.isSurrogate(start, at, bytes.count) ? 3 : 1
            JSONString.escapeContent(Bytes(start: start + at, count: length), into: out)
            at += length
        }
    }
}

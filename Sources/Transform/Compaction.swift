import JSONText

/// Takes white space out of valid JSON text.
enum Compaction {
    static func append(_ document: Bytes, into out: ByteBuffer) {
        guard let text = document.baseAddress else { return }
        out.reserve(document.count)
        var at = 0
        var from = 0
        while at < document.count {
            let byte = text[at]
            if byte == UInt8(ascii: "\"") {
                guard let after = try? JSONScanner.string(text, at &+ 1, document.count) else { break }
                at = after
            } else if byte <= 0x20 {
                out.append(text + from, at &- from)
                at &+= 1
                from = at
            } else {
                at &+= 1
            }
        }
        out.append(text + from, document.count &- from)
    }
}

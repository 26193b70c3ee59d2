import JSONText

/// Paths and bodies of requests.
enum RequestPath {
    /// One segment of a path, percent-encoded. `*` and `,` are kept, so that patterns work.
    static func segment(_ text: String) -> String { encode(text, keeping: "-._~*,") }

    /// One value of a query, percent-encoded.
    static func query(_ text: String) -> String { encode(text, keeping: "-._~") }

    private static func encode(_ text: String, keeping: StaticString) -> String {
        let digits: StaticString = "0123456789ABCDEF"
        let kept = UnsafeBufferPointer(start: keeping.utf8Start, count: keeping.utf8CodeUnitCount)
        var out: [UInt8] = []
        out.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: out.append(byte)
            case _ where kept.contains(byte): out.append(byte)
            default:
                out.append(UInt8(ascii: "%"))
                out.append(digits.utf8Start[Int(byte >> 4)])
                out.append(digits.utf8Start[Int(byte & 15)])
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    static func body(_ value: JSONValue) -> HTTPRequest.Body {
        let buffer = ByteBuffer()
        value.write(into: buffer)
        return .buffer(buffer)
    }

    static func body(text: String) -> HTTPRequest.Body {
        let buffer = ByteBuffer()
        buffer.append(text)
        return .buffer(buffer)
    }
}

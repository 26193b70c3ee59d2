import CBytes

// Scans strings, sixteen bytes at a time. Nearly all bytes of a document belong to strings.
extension JSONScanner {
    /// The offset behind the closing quote of a string. `start`: the offset behind its opening quote.
    @inlinable @inline(__always) public static func string(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int
    ) throws(JSONError) -> Int {
        let at = plain(text, start, end)
        if at < end, text[at] == UInt8(ascii: "\"") { return at &+ 1 }
        var escaped = false
        return try stringRest(text, at, end, &escaped)
    }

    /// The same. `escaped` becomes true when the string has a backslash.
    @inlinable @inline(__always) public static func string(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ escaped: inout Bool
    ) throws(JSONError) -> Int {
        let at = plain(text, start, end)
        if at < end, text[at] == UInt8(ascii: "\"") { return at &+ 1 }
        return try stringRest(text, at, end, &escaped)
    }

    /// The offset of the first byte that is a quote, a backslash, a control character or not ASCII. When the text ends
    /// before 16 more bytes, the byte at the offset may be any.
    @inlinable @inline(__always) static func plain(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        var at = start
        while at &+ 16 <= end {
            // Counting is faster than a branch: nobody can predict where in the sixteen bytes a string ends.
            let count = Int(crossfade_plain16(text + at))
            at &+= count
            if count < 16 { return at }
        }
        return at
    }

    /// The eight bytes from `at` on. The first is the lowest byte of the word.
    @inlinable @inline(__always) public static func word(_ text: UnsafePointer<UInt8>, _ at: Int) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(text + at).loadUnaligned(as: UInt64.self))
    }

    /// The two bytes from `at` on. The first is the lower byte.
    @inlinable @inline(__always) static func pair(_ text: UnsafePointer<UInt8>, _ at: Int) -> UInt16 {
        UInt16(littleEndian: UnsafeRawPointer(text + at).loadUnaligned(as: UInt16.self))
    }

    /// Marks the first byte that is a quote, a backslash, a control character or not ASCII: the lowest bit set is the
    /// top bit of that byte. Higher bits may be set wrongly, because the subtractions borrow.
    ///
    /// Flipping bit 1 exchanges the quote (0x22) with the blank (0x20), so that the quote is right above the control
    /// characters. Then one comparison finds both. Bytes from 0x80 on are marked anyway.
    @inlinable @inline(__always) public static func special(_ word: UInt64) -> UInt64 {
        let controlOrQuote = (word ^ 0x0202_0202_0202_0202) &- 0x2121_2121_2121_2121
        let backslash = (word ^ 0x5C5C_5C5C_5C5C_5C5C) &- 0x0101_0101_0101_0101
        return (controlOrQuote | backslash | word) & 0x8080_8080_8080_8080
    }

    /// Whether all words of a text of at least eight bytes pass a test. The last two words may overlap.
    @inlinable @inline(__always) public static func allWords(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ passes: (UInt64) -> Bool
    ) -> Bool {
        var at = 0
        while at &+ 8 < count {
            guard passes(word(text, at)) else { return false }
            at &+= 8
        }
        return passes(word(text, count &- 8))
    }

    @inline(never) @usableFromInline static func stringRest(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ escaped: inout Bool
    ) throws(JSONError) -> Int {
        var at = start
        while true {
            while at &+ 8 <= end {
                let found = special(word(text, at))
                if found != 0 {
                    at &+= found.trailingZeroBitCount &>> 3
                    break
                }
                at &+= 8
            }
            guard at < end else { throw JSONError(.unexpectedEnd, at: end) }
            let byte = text[at]
            if byte == UInt8(ascii: "\"") { return at &+ 1 }
            if byte == UInt8(ascii: "\\") {
                escaped = true
                at = try escape(text, at, end)
            } else if byte >= 0x80 {
                // Whether this is UTF-8 is for the target to judge: servers take more than the standard does.
                repeat { at &+= 1 } while at < end && text[at] >= 0x80
            } else if byte < 0x20 {
                throw JSONError(.badString, at: at)
            } else {
                at &+= 1
            }
        }
    }

    /// The offset behind an escape. `at`: the offset of its backslash.
    static func escape(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) throws(JSONError) -> Int {
        guard at &+ 1 < end else { throw JSONError(.unexpectedEnd, at: end) }
        switch text[at &+ 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return at &+ 2
        case UInt8(ascii: "u"):
            let unit = try codeUnit(text, at, end)
            if unit & 0xF800 != 0xD800 { return at &+ 6 }
            // Half of a pair alone is no character, but servers take it.
            guard unit < 0xDC00, at &+ 7 < end, text[at &+ 6] == UInt8(ascii: "\\"), text[at &+ 7] == UInt8(ascii: "u"),
                try codeUnit(text, at &+ 6, end) & 0xFC00 == 0xDC00
            else { return at &+ 6 }
            return at &+ 12
        default:
            throw JSONError(.badEscape, at: at)
        }
    }

    /// The UTF-16 code unit of an escape `\uXXXX`. `at`: the offset of its backslash.
    static func codeUnit(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) throws(JSONError) -> UInt32 {
        guard at &+ 6 <= end else { throw JSONError(.unexpectedEnd, at: end) }
        var unit: UInt32 = 0
        for index in 2..<6 {
            let byte = text[at &+ index]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte &- 0x30
            case 0x41...0x46: digit = byte &- 0x37
            case 0x61...0x66: digit = byte &- 0x57
            default: throw JSONError(.badEscape, at: at)
            }
            unit = unit &<< 4 | UInt32(digit)
        }
        return unit
    }

    /// The offset behind the UTF-8 character of several bytes at `at`.
    static func character(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) throws(JSONError) -> Int {
        let lead = text[at]
        let length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0
        guard length > 0, at &+ length <= end else { throw JSONError(.invalidUTF8, at: at) }
        let second = text[at &+ 1]
        let low: UInt8 = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80
        let high: UInt8 = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF
        guard second >= low, second <= high else { throw JSONError(.invalidUTF8, at: at) }
        if length > 2, text[at &+ 2] & 0xC0 != 0x80 { throw JSONError(.invalidUTF8, at: at) }
        if length > 3, text[at &+ 3] & 0xC0 != 0x80 { throw JSONError(.invalidUTF8, at: at) }
        return at &+ length
    }
}

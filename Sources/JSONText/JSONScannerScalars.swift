// Scans numbers, booleans and null.
extension JSONScanner {
    /// The offset behind the number, `true`, `false` or `null` at `at`.
    @inlinable @inline(__always) public static func scalar(
        _ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int
    ) throws(JSONError) -> Int {
        guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
        if at &+ 8 <= end {
            // Four bytes at once; `alse` is enough for `false`.
            let word = word(text, at)
            if UInt32(truncatingIfNeeded: word) == 0x6575_7274 || UInt32(truncatingIfNeeded: word) == 0x6C6C_756E {
                return at &+ 4
            }
            if text[at] == UInt8(ascii: "f"), UInt32(truncatingIfNeeded: word &>> 8) == 0x6573_6C61 { return at &+ 5 }
        }
        switch text[at] {
        case UInt8(ascii: "t"): return try literal(text, at, end, "true")
        case UInt8(ascii: "f"): return try literal(text, at, end, "false")
        case UInt8(ascii: "n"): return try literal(text, at, end, "null")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number(text, at, end)
        default: throw JSONError(.unexpectedByte, at: at)
        }
    }

    @usableFromInline static func literal(
        _ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int, _ word: StaticString
    ) throws(JSONError) -> Int {
        var index = 0
        while index < word.utf8CodeUnitCount {
            guard at &+ index < end else { throw JSONError(.unexpectedEnd, at: end) }
            guard text[at &+ index] == word.utf8Start[index] else { throw JSONError(.unexpectedByte, at: at &+ index) }
            index &+= 1
        }
        return at &+ index
    }

    /// The offset behind the number at `start`.
    public static func number(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) throws(JSONError) -> Int {
        var at = start
        if at < end, text[at] == UInt8(ascii: "-") { at &+= 1 }
        guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
        if text[at] == UInt8(ascii: "0") {
            at &+= 1
            guard at >= end || text[at] &- 0x30 > 9 else { throw JSONError(.badNumber, at: at) }
        } else {
            at = try digits(text, at, end)
        }
        if at < end, text[at] == UInt8(ascii: ".") { at = try digits(text, at &+ 1, end) }
        if at < end, text[at] | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            if at < end, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") { at &+= 1 }
            at = try digits(text, at, end)
        }
        return at
    }

    /// Marks the first byte that is not a digit: the lowest bit set is the top bit of that byte.
    @inlinable @inline(__always) static func otherThanDigits(_ text: UInt64) -> UInt64 {
        // A digit becomes 0 to 9, and its top bit stays clear when 0x76 is added. The top bit of any other byte is set
        // before or after that. A carry changes only bytes above the first mark.
        let word = text ^ 0x3030_3030_3030_3030
        return ((word &+ 0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080
    }

    @inline(__always) static func digits(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int
    ) throws(JSONError) -> Int {
        var at = start
        while at &+ 8 <= end {
            let others = otherThanDigits(word(text, at))
            // Without a mark this is 64 bits, which are eight bytes.
            at &+= others.trailingZeroBitCount &>> 3
            if others != 0 { break }
        }
        while at < end, text[at] &- 0x30 <= 9 { at &+= 1 }
        guard at > start else { throw JSONError(at < end ? .badNumber : .unexpectedEnd, at: at) }
        return at
    }
}

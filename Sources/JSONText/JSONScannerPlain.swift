import CBytes

// What nearly all members are that machines write: no white space, strings without escapes, integers. Nothing here
// throws: what is not plain is left to the functions that take everything.
extension JSONScanner {
    /// A plain member is read in whole vectors: 36 bytes more than its first. These are its quote, sixteen bytes of its
    /// key, quote and colon, the value's quote and its first sixteen bytes, and the one behind them.
    @inlinable @inline(__always) static var plainRoom: Int { 36 }

    /// The offset before which a plain member may begin in a text of `end` bytes, so that nothing beyond the text is
    /// read. It is negative for a short text. The members behind it are left to the functions that take everything.
    @inlinable @inline(__always) public static func plainEnd(_ end: Int) -> Int { end &- plainRoom }

    /// The offset of the closing quote of the key whose first content byte is at `start`, if it is plain, at most
    /// sixteen bytes long and has its colon right behind it; else -1. The member must begin before ``plainEnd(_:)``.
    @inlinable @inline(__always) public static func plainKey(_ text: UnsafePointer<UInt8>, _ start: Int) -> Int {
        let quote = start &+ Int(crossfade_plain16(text + start))
        return pair(text, quote) == 0x3A22 ? quote : -1
    }

    /// The offset after the plain string, integer or literal at `start`, and what it is; else -1. The offset is at most
    /// `end`. The member must begin before `last`, which is ``plainEnd(_:)``.
    @inlinable @inline(__always) public static func plainValue(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ last: Int, _ kind: inout JSONKind
    ) -> Int {
        if text[start] == UInt8(ascii: "\"") {
            kind = .string
            var at = start &+ 1
            var count = 16
            repeat {
                count = Int(crossfade_plain16(text + at))
                at &+= count
            } while count == 16 && at < last
            return text[at] == UInt8(ascii: "\"") ? at &+ 1 : -1
        }
        let word = word(text, start)
        var count = otherThanDigits(word).trailingZeroBitCount &>> 3
        if count > 0 {
            kind = .number
            if count == 8 { count &+= otherThanDigits(JSONScanner.word(text, start &+ 8)).trailingZeroBitCount &>> 3 }
            // A zero that should not be there is for others, and so is what goes on.
            if count > 1, text[start] == UInt8(ascii: "0") { return -1 }
        } else {
            kind = .boolean
            if UInt32(truncatingIfNeeded: word) == 0x6575_7274 { count = 4 }
            if word & 0xFF_FFFF_FFFF == 0x65_736C_6166 { count = 5 }
            if count == 0 { return -1 }
        }
        return start &+ count
    }
}

import CBytes

/// Strict, validating scan of JSON text (RFC 8259) without building anything.
///
/// Stricter than the grammar in two points, so that what passes can be written to any Elasticsearch: strings are valid
/// UTF-8, and an escape of half a surrogate pair is refused (``JSONError/Kind/loneSurrogate``). Duplicate keys pass.
/// A byte order mark does not.
public enum JSONScanner {
    /// Levels of objects and arrays that are accepted, as many as Elasticsearch's own parser takes.
    public static let maxDepth = 1000

    /// Checks that `bytes` is one value with nothing but white space around it.
    public static func validate(_ bytes: Bytes, maxDepth: Int = maxDepth) throws(JSONError) {
        guard let text = bytes.baseAddress else { throw JSONError(.unexpectedEnd, at: 0) }
        var newlines = false
        let after = try skip(text, space(text, 0, bytes.count, &newlines), bytes.count, maxDepth, &newlines)
        let rest = space(text, after, bytes.count, &newlines)
        guard rest == bytes.count else { throw JSONError(.trailingBytes, at: rest) }
    }

    /// The offset after the value that starts at `at`, which may begin with white space.
    public static func skipValue(_ bytes: Bytes, at: Int, maxDepth: Int = maxDepth) throws(JSONError) -> Int {
        guard let text = bytes.baseAddress, at >= 0 else { throw JSONError(.unexpectedEnd, at: 0) }
        var newlines = false
        let start = space(text, at, bytes.count, &newlines)
        return try skip(text, start, bytes.count, maxDepth, &newlines)
    }

    /// What the value that starts with `byte` is, if it is one.
    @inlinable @inline(__always) public static func kind(of byte: UInt8) -> JSONKind {
        // Strings are the most, and need no table then.
        if byte == UInt8(ascii: "\"") { return .string }
        return switch byte {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "n"): .null
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): .number
        default: .absent
        }
    }
}

// The parts, for code that walks a text itself. `text` has `end` bytes; every `at` is within 0...end.
extension JSONScanner {
    /// The offset of the first byte that is not white space; notes raw line ends, which a line of NDJSON must not have.
    @inlinable @inline(__always) public static func space(
        _ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int, _ newlines: inout Bool
    ) -> Int {
        guard at < end, text[at] <= 0x20 else { return at }
        return spaceSlow(text, at, end, &newlines)
    }

    @inline(never) @usableFromInline static func spaceSlow(
        _ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int, _ newlines: inout Bool
    ) -> Int {
        var at = at
        while at < end {
            switch text[at] {
            case 0x20, 0x09: break
            case 0x0A, 0x0D: newlines = true
            default: return at
            }
            at &+= 1
        }
        return at
    }

    /// The offset after the value at `at` (no white space before it). A loop, not a recursion by level: a bit for each
    /// level says object or array, and only every 64th level takes a stack frame.
    public static func skip(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ levels: Int, _ newlines: inout Bool
    ) throws(JSONError) -> Int {
        var at = start
        var objects: UInt64 = 0
        var depth = 0
        var escaped = false
        values: while true {
            guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
            let byte = text[at]
            if byte == UInt8(ascii: "\"") {
                at = try string(text, at &+ 1, end)
            } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                guard depth < levels else { throw JSONError(.tooDeep, at: at) }
                if depth == 64 {
                    at = try skip(text, at, end, levels &- 64, &newlines)
                } else {
                    at = space(text, at &+ 1, end, &newlines)
                    guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
                    // `}` and `]` lie two after their openers in ASCII.
                    guard text[at] == byte &+ 2 else {
                        depth &+= 1
                        objects = objects &<< 1 | (byte == UInt8(ascii: "{") ? 1 : 0)
                        if byte == UInt8(ascii: "{") { at = try key(text, at, end, &escaped, &newlines).value }
                        continue values
                    }
                    at &+= 1
                }
            } else {
                at = try scalar(text, at, end)
            }
            closing: while true {
                if depth == 0 { return at }
                at = space(text, at, end, &newlines)
                guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
                let isObject = objects & 1 == 1
                if text[at] == UInt8(ascii: ",") {
                    at = space(text, at &+ 1, end, &newlines)
                    if isObject { at = try key(text, at, end, &escaped, &newlines).value }
                    continue values
                }
                guard text[at] == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    throw JSONError(.unexpectedByte, at: at)
                }
                at &+= 1
                depth &-= 1
                objects = objects &>> 1
            }
        }
    }

    /// The value at `start` (no white space before it), as ``skip(_:_:_:_:_:)`` finds its end.
    @inlinable @inline(__always) public static func slice(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ levels: Int, _ newlines: inout Bool
    ) throws(JSONError) -> JSONSlice {
        guard start < end, text[start] == UInt8(ascii: "\"") else {
            let after = try skip(text, start, end, levels, &newlines)
            return JSONSlice(kind: kind(of: text[start]), start: start, end: after)
        }
        var escaped = false
        let after = try string(text, start &+ 1, end, &escaped)
        return JSONSlice(kind: .string, start: start, end: after, isPlain: !escaped)
    }

    /// The key that must be at `start`: where its closing quote is, and where its value. `escaped` becomes true when
    /// there is a backslash in it.
    @inlinable @inline(__always) public static func key(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ escaped: inout Bool, _ newlines: inout Bool
    ) throws(JSONError) -> (quote: Int, value: Int) {
        // Nearly every key is shorter than sixteen bytes and has its colon right behind it. One look at whether the text
        // goes on far enough does for all of that.
        if start &+ 20 <= end, text[start] == UInt8(ascii: "\"") {
            let quote = start &+ 1 &+ Int(crossfade_plain16(text + start + 1))
            if pair(text, quote) == 0x3A22 { return (quote, space(text, quote &+ 2, end, &newlines)) }
        }
        return try otherKey(text, start, end, &escaped, &newlines)
    }

    @inline(never) @usableFromInline static func otherKey(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ escaped: inout Bool, _ newlines: inout Bool
    ) throws(JSONError) -> (quote: Int, value: Int) {
        guard start < end else { throw JSONError(.unexpectedEnd, at: start) }
        guard text[start] == UInt8(ascii: "\"") else { throw JSONError(.unexpectedByte, at: start) }
        let after = try string(text, start &+ 1, end, &escaped)
        return (after &- 1, try colon(text, after, end, &newlines))
    }

    /// Whether a comma and right behind it a quote come next, as they do between the members that machines write.
    @inlinable @inline(__always) public static func isNextKey(
        _ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int
    ) -> Bool {
        at &+ 2 <= end && pair(text, at) == 0x222C
    }

    /// The offset of the value after the colon that must come next.
    static func colon(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ newlines: inout Bool
    ) throws(JSONError) -> Int {
        let at = space(text, start, end, &newlines)
        guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
        guard text[at] == UInt8(ascii: ":") else { throw JSONError(.unexpectedByte, at: at) }
        return space(text, at &+ 1, end, &newlines)
    }

    /// The offset after the number, `true`, `false` or `null` at `at`.
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

    /// The offset after the number at `at`.
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

    /// The lowest set bit is the top bit of the first byte that is no digit.
    @inlinable @inline(__always) static func otherThanDigits(_ text: UInt64) -> UInt64 {
        // A digit becomes 0 to 9, and its top bit stays clear when 0x76 is added; of what is none it is set then, or was.
        // Carries spoil only what lies above the first.
        let word = text ^ 0x3030_3030_3030_3030
        return ((word &+ 0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080
    }

    @inline(__always) static func digits(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int
    ) throws(JSONError) -> Int {
        var at = start
        while at &+ 8 <= end {
            let others = otherThanDigits(word(text, at))
            // Of 0 there are 64, which is eight bytes.
            at &+= others.trailingZeroBitCount &>> 3
            if others != 0 { break }
        }
        while at < end, text[at] &- 0x30 <= 9 { at &+= 1 }
        guard at > start else { throw JSONError(at < end ? .badNumber : .unexpectedEnd, at: at) }
        return at
    }
}

import CBytes

/// Scans and validates JSON text (RFC 8259) without building a tree.
///
/// It takes what servers take and leaves the judgement of the rest to them: the bytes of a string need not be UTF-8,
/// and an escape may be half of a surrogate pair. It accepts several members with the same name, and no byte order
/// mark.
public enum JSONScanner {
    /// How deep objects and arrays may be nested: as deep as Elasticsearch's own parser takes.
    public static let maxDepth = 1000

    /// Checks that `bytes` is one value, with only white space around it.
    public static func validate(_ bytes: Bytes, maxDepth: Int = maxDepth) throws(JSONError) {
        guard let text = bytes.baseAddress else { throw JSONError(.unexpectedEnd, at: 0) }
        var newlines = false
        let after = try skip(text, space(text, 0, bytes.count, &newlines), bytes.count, maxDepth, &newlines)
        let rest = space(text, after, bytes.count, &newlines)
        guard rest == bytes.count else { throw JSONError(.trailingBytes, at: rest) }
    }

    /// The offset behind the value at `at`. White space may come before the value.
    public static func skipValue(_ bytes: Bytes, at: Int, maxDepth: Int = maxDepth) throws(JSONError) -> Int {
        guard let text = bytes.baseAddress, at >= 0 else { throw JSONError(.unexpectedEnd, at: 0) }
        var newlines = false
        let start = space(text, at, bytes.count, &newlines)
        return try skip(text, start, bytes.count, maxDepth, &newlines)
    }

    /// The kind of the value that begins with `byte`; absent when no value does.
    @inlinable @inline(__always) public static func kind(of byte: UInt8) -> JSONKind {
        // Most values are strings, which need no table this way.
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

// The parts, for code that walks through a text itself. `text` has `end` bytes; every `at` and `start` is within
// 0...end.
extension JSONScanner {
    /// The offset of the first byte that is not white space. `newlines` becomes true when there is a raw line end,
    /// which a line of NDJSON must not have.
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

    /// The offset behind the value at `start`, which must not be white space. `levels`: how deep it may be nested.
    ///
    /// It is a loop: a bit per level says whether that level is an object or an array. Only every 64th level needs a
    /// recursion.
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
                    // In ASCII a closing bracket is its opening bracket plus two.
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

    /// The place and the kind of the value at `start`, which must not be white space; see ``skip(_:_:_:_:_:)``.
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

    /// Reads the key at `start`. Gives the offsets of its closing quote and of its value. `escaped` becomes true when
    /// the key has a backslash.
    @inlinable @inline(__always) public static func key(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ escaped: inout Bool, _ newlines: inout Bool
    ) throws(JSONError) -> (quote: Int, value: Int) {
        // Nearly every key has at most sixteen bytes, with the colon right behind it. One check of the text's length is
        // enough for all of that.
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

    /// Whether a comma and a quote come next, with nothing between them. Between members that programs write they do.
    @inlinable @inline(__always) public static func isNextKey(
        _ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int
    ) -> Bool {
        at &+ 2 <= end && pair(text, at) == 0x222C
    }

    /// The offset of the value behind the colon, which must come next.
    static func colon(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ newlines: inout Bool
    ) throws(JSONError) -> Int {
        let at = space(text, start, end, &newlines)
        guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
        guard text[at] == UInt8(ascii: ":") else { throw JSONError(.unexpectedByte, at: at) }
        return space(text, at &+ 1, end, &newlines)
    }
}

import JSONText

// Fields that are already arrays.
extension Transformer {
    enum ArrayContent { case pairs, maps, other }

    /// Whether all elements of an array are pairs, or all are objects that are not pairs, or neither.
    func arrayContent(_ array: TextRange) throws(JSONError) -> ArrayContent {
        let text = pointer(array.source)
        let end = Int(array.end)
        var newlines = false
        var pairs = 0
        var maps = 0
        var at = JSONScanner.space(text, Int(array.start) &+ 1, end, &newlines)
        while at < end, text[at] != UInt8(ascii: "]") {
            guard text[at] == UInt8(ascii: "{") else { return .other }
            let after = try JSONScanner.skip(text, at, end, JSONScanner.maxDepth, &newlines)
            if try pairKey(range(array.source, at, after)) == nil { maps += 1 } else { pairs += 1 }
            at = JSONScanner.space(text, after, end, &newlines)
            if at < end, text[at] == UInt8(ascii: ",") { at = JSONScanner.space(text, at &+ 1, end, &newlines) }
        }
        return maps == 0 ? .pairs : pairs == 0 ? .maps : .other
    }

    /// The content of the field `keyToValue`, if the object is a pair: if its only other field is `value`, a string or
    /// null. Nil for any other object.
    func pairKey(_ object: TextRange) throws(JSONError) -> TextRange? {
        let text = pointer(object.source)
        let end = Int(object.end)
        var newlines = false
        var found: TextRange?
        var hasValue = false
        var at = JSONScanner.space(text, Int(object.start) &+ 1, end, &newlines)
        while at < end, text[at] == UInt8(ascii: "\"") {
            var escaped = false
            let (quote, start) = try JSONScanner.key(text, at, end, &escaped, &newlines)
            let key = Bytes(start: text + at, count: quote &+ 1 &- at)
            let close = try JSONScanner.skip(text, start, end, JSONScanner.maxDepth, &newlines)
            let kind = JSONScanner.kind(of: text[start])
            if found == nil, kind == .string, Self.is(key, "\"keyToValue\"") {
                found = range(object.source, start &+ 1, close &- 1)
            } else if !hasValue, kind == .string || kind == .null, Self.is(key, "\"value\"") {
                hasValue = true
            } else {
                return nil
            }
            at = JSONScanner.space(text, close, end, &newlines)
            if at < end, text[at] == UInt8(ascii: ",") { at = JSONScanner.space(text, at &+ 1, end, &newlines) }
        }
        return hasValue ? found : nil
    }

    private static func `is`(_ bytes: Bytes, _ word: StaticString) -> Bool {
        guard let text = bytes.baseAddress, bytes.count == word.utf8CodeUnitCount else { return false }
        return JSONScanner.same(text, word.utf8Start, bytes.count)
    }
}

import JSONText

// Steps that make a new value of an old one: cast, lowercase, split, join. Null stays null for all of them.
extension Transformer {
    func rewrite(_ member: Int32, _ step: CompiledStep) throws(TransformError) {
        if arena[member].shape == .map { try flatten(member) }
        try collapse(member)
        let value = stable(arena[member].text)
        let start = scratch.count
        do throws(JSONError) {
            try rewrite(value, step)
        } catch {
            throw problem(error, step)
        }
        arena.setText(of: member, to: try written(from: start))
    }

    /// What the value handlers throw: an offset below zero says which rule of theirs is broken.
    private enum Rule {
        static let uncastable = JSONError(.unexpectedByte, at: -1)
        static let notString = JSONError(.unexpectedByte, at: -2)
        static let notScalar = JSONError(.unexpectedByte, at: -3)
    }

    private func problem(_ error: JSONError, _ step: CompiledStep) -> TransformError {
        switch error.offset {
        case -1: failure("cast_failed", step, "has a value that is no \(step.castTarget.noun)")
        case -2: failure("not_a_string", step, "is to be split, but is an object")
        case -3: failure("not_scalar", step, "is to be joined, but holds an object or an array")
        default: TransformError(error)
        }
    }

    private func rewrite(_ value: TextRange, _ step: CompiledStep) throws(JSONError) {
        let kind = JSONScanner.kind(of: firstByte(value))
        if kind == .null {
            append(value, into: scratch)
            return
        }
        switch step.kind {
        case .split: try split(value, kind, step)
        case .join: try join(value, kind, step)
        default:
            if kind == .array {
                try rewriteElements(value, step)
            } else if step.kind == .cast {
                try cast(value, kind, step.castTarget)
            } else if kind == .string {
                scratch.append(UInt8(ascii: "\""))
                Lowercase.append(content: slice(content(value)), into: scratch)
                scratch.append(UInt8(ascii: "\""))
            } else {
                append(value, into: scratch)
            }
        }
    }

    private func rewriteElements(_ array: TextRange, _ step: CompiledStep) throws(JSONError) {
        scratch.append(UInt8(ascii: "["))
        var isFirst = true
        try eachElement(array) { (element) throws(JSONError) in
            if !isFirst { scratch.append(UInt8(ascii: ",")) }
            isFirst = false
            try rewrite(element, step)
        }
        scratch.append(UInt8(ascii: "]"))
    }

    private func eachElement(
        _ array: TextRange, _ body: (TextRange) throws(JSONError) -> Void
    ) throws(JSONError) {
        let text = pointer(array.source)
        let end = Int(array.end)
        var newlines = false
        var at = JSONScanner.space(text, Int(array.start) &+ 1, end, &newlines)
        while at < end, text[at] != UInt8(ascii: "]") {
            let after = try JSONScanner.skip(text, at, end, JSONScanner.maxDepth, &newlines)
            try body(range(array.source, at, after))
            at = JSONScanner.space(text, after, end, &newlines)
            if at < end, text[at] == UInt8(ascii: ",") { at = JSONScanner.space(text, at &+ 1, end, &newlines) }
        }
    }

    /// What lies between a string's quotes.
    private func content(_ string: TextRange) -> TextRange {
        range(string.source, Int(string.start) &+ 1, Int(string.end) &- 1)
    }

    // MARK: split, join

    private func split(_ value: TextRange, _ kind: JSONKind, _ step: CompiledStep) throws(JSONError) {
        if kind == .array {
            append(value, into: scratch)
            return
        }
        guard kind != .object else { throw Rule.notString }
        scratch.append(UInt8(ascii: "["))
        if kind == .string {
            let mark = keys.count
            let raw = slice(content(value))
            if let start = raw.baseAddress {
                try JSONString.unescape(content: start, count: raw.count, into: keys)
            }
            writeParts(keys.slice(mark..<keys.count), slice(step.constant))
            keys.count = mark
        } else {
            append(value, into: scratch)
        }
        scratch.append(UInt8(ascii: "]"))
    }

    /// The parts between separators as strings; an empty text has none.
    private func writeParts(_ text: Bytes, _ separator: Bytes) {
        guard let start = text.baseAddress, text.count > 0 else { return }
        var from = 0
        var at = 0
        while at < text.count {
            let isSeparator =
                separator.count > 0 && at &+ separator.count <= text.count
                && separator.baseAddress.map { JSONScanner.same(start + at, $0, separator.count) } == true
            if isSeparator {
                JSONString.escape(Bytes(start: start + from, count: at &- from), into: scratch)
                scratch.append(UInt8(ascii: ","))
                at &+= separator.count
                from = at
            } else {
                at &+= 1
            }
        }
        JSONString.escape(Bytes(start: start + from, count: text.count &- from), into: scratch)
    }

    private func join(_ value: TextRange, _ kind: JSONKind, _ step: CompiledStep) throws(JSONError) {
        guard kind == .array else {
            guard kind != .object else { throw Rule.notScalar }
            append(value, into: scratch)
            return
        }
        scratch.append(UInt8(ascii: "\""))
        var isFirst = true
        try eachElement(value) { (element) throws(JSONError) in
            let kind = JSONScanner.kind(of: firstByte(element))
            guard kind != .object, kind != .array else { throw Rule.notScalar }
            guard kind != .null else { return }
            if !isFirst { JSONString.escapeContent(slice(step.constant), into: scratch) }
            isFirst = false
            append(kind == .string ? content(element) : element, into: scratch)
        }
        scratch.append(UInt8(ascii: "\""))
    }

    // MARK: cast

    private func cast(_ value: TextRange, _ kind: JSONKind, _ target: CastTarget) throws(JSONError) {
        guard kind != .object else { throw Rule.uncastable }
        let text = slice(kind == .string ? content(value) : value)
        switch target {
        case .string:
            if kind != .string { scratch.append(UInt8(ascii: "\"")) }
            append(value, into: scratch)
            if kind != .string { scratch.append(UInt8(ascii: "\"")) }
        case .number:
            guard kind != .boolean, let start = text.baseAddress,
                (try? JSONScanner.number(start, 0, text.count)) == text.count
            else { throw Rule.uncastable }
            scratch.append(text)
        case .boolean:
            guard let truth = Self.truth(text, isNumber: kind == .number) else { throw Rule.uncastable }
            if truth { scratch.append("true") } else { scratch.append("false") }
        case .dateISO, .dateEpoch:
            guard kind != .boolean, let time = Timestamp(parsing: text, isNumber: kind == .number) else {
                throw Rule.uncastable
            }
            if target == .dateEpoch {
                scratch.append(decimal: time.milliseconds)
            } else {
                guard time.isFourDigitYear else { throw Rule.uncastable }
                scratch.append(UInt8(ascii: "\""))
                time.write(into: scratch)
                scratch.append(UInt8(ascii: "\""))
            }
        }
    }

    /// The words that Elasticsearch 1.x took for a boolean.
    private static func truth(_ text: Bytes, isNumber: Bool) -> Bool? {
        if equal(text, "0") { return false }
        if equal(text, "1") { return true }
        guard !isNumber else { return nil }
        if equal(text, "true") || equal(text, "yes") || equal(text, "on") { return true }
        if equal(text, "false") || equal(text, "no") || equal(text, "off") { return false }
        return nil
    }

    private static func equal(_ text: Bytes, _ word: StaticString) -> Bool {
        guard let start = text.baseAddress, text.count == word.utf8CodeUnitCount else { return false }
        return JSONScanner.same(start, word.utf8Start, text.count)
    }
}

extension CastTarget {
    var noun: String {
        switch self {
        case .number: "number"
        case .boolean: "boolean"
        case .string: "scalar"
        case .dateISO: "date with a year from 0000 to 9999"
        case .dateEpoch: "date"
        }
    }
}

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
        var lowered = String(decoding: plain.bytes, as: UTF8.self).lowercased()
        lowered.withUTF8 { JSONString.escapeContent($0, into: out) }
    }
}

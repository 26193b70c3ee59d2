import JSONText

extension Transformer {
    func split(_ value: TextRange, _ kind: JSONKind, _ step: CompiledStep) throws(TransformError) {
        if kind == .array {
            append(value, into: scratch)
            return
        }
        guard kind != .object else { throw failure("not_a_string", step, "is to be split, but is an object") }
        scratch.append(UInt8(ascii: "["))
        if kind == .string {
            let mark = keys.count
            let raw = slice(content(value))
            if let start = raw.baseAddress {
                do throws(JSONError) {
                    try JSONString.unescape(content: start, count: raw.count, into: keys)
                } catch {
                    throw TransformError(error)
                }
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

    func join(_ value: TextRange, _ kind: JSONKind, _ step: CompiledStep) throws(TransformError) {
        guard kind == .array else {
            guard kind != .object else { throw notScalar(step) }
            append(value, into: scratch)
            return
        }
        scratch.append(UInt8(ascii: "\""))
        var isFirst = true
        try eachElement(value) { (element) throws(TransformError) in
            let kind = JSONScanner.kind(of: firstByte(element))
            guard kind != .object, kind != .array else { throw notScalar(step) }
            guard kind != .null else { return }
            if !isFirst { JSONString.escapeContent(slice(step.constant), into: scratch) }
            isFirst = false
            append(kind == .string ? content(element) : element, into: scratch)
        }
        scratch.append(UInt8(ascii: "\""))
    }

    private func notScalar(_ step: CompiledStep) -> TransformError {
        failure("not_scalar", step, "is to be joined, but holds an object or an array")
    }
}

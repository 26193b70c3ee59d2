// Reading and writing trees.
extension JSONValue {
    /// Reads one value; as strict as ``JSONScanner``. Of duplicate keys the last wins.
    public init(parsing bytes: Bytes) throws(JSONError) {
        try JSONScanner.validate(bytes)
        guard let text = bytes.baseAddress else { throw JSONError(.unexpectedEnd, at: 0) }
        var parser = JSONTreeParser(text: text, end: bytes.count)
        self = try parser.parse()
    }

    public init(parsing text: String) throws(JSONError) {
        let result = Array(text.utf8).withUnsafeBufferPointer { bytes -> Result<JSONValue, JSONError> in
            do throws(JSONError) { return .success(try JSONValue(parsing: bytes)) } catch { return .failure(error) }
        }
        self = try result.get()
    }

    /// The JSON text: one line, or indented by two spaces.
    public func text(pretty: Bool = false) -> String {
        let out = ByteBuffer()
        write(into: out, indent: pretty ? 0 : nil)
        return String(decoding: out.bytes, as: UTF8.self)
    }

    /// Appends the JSON text as one line.
    public func write(into out: ByteBuffer) { write(into: out, indent: nil) }

    private func write(into out: ByteBuffer, indent: Int?) {
        switch self {
        case .null: out.append("null")
        case .bool(true): out.append("true")
        case .bool(false): out.append("false")
        case .number(let text): out.append(text)
        case .string(let text): Self.write(text, into: out)
        case .array(let elements):
            out.append(UInt8(ascii: "["))
            for (position, element) in elements.enumerated() {
                if position > 0 { out.append(UInt8(ascii: ",")) }
                Self.line(indent.map { $0 + 1 }, into: out)
                element.write(into: out, indent: indent.map { $0 + 1 })
            }
            if !elements.isEmpty { Self.line(indent, into: out) }
            out.append(UInt8(ascii: "]"))
        case .object(let object):
            out.append(UInt8(ascii: "{"))
            for (position, member) in object.enumerated() {
                if position > 0 { out.append(UInt8(ascii: ",")) }
                Self.line(indent.map { $0 + 1 }, into: out)
                Self.write(member.key, into: out)
                out.append(UInt8(ascii: ":"))
                if indent != nil { out.append(UInt8(ascii: " ")) }
                member.value.write(into: out, indent: indent.map { $0 + 1 })
            }
            if !object.isEmpty { Self.line(indent, into: out) }
            out.append(UInt8(ascii: "}"))
        }
    }

    private static func line(_ indent: Int?, into out: ByteBuffer) {
        guard let indent else { return }
        out.append(UInt8(ascii: "\n"))
        for _ in 0..<indent { out.append("  ") }
    }

    private static func write(_ text: String, into out: ByteBuffer) {
        var text = text
        text.withUTF8 { JSONString.escape($0, into: out) }
    }
}

/// Builds the tree of a text that was found valid. A loop with its own stack: depth costs memory, not stack frames.
private struct JSONTreeParser {
    /// An array or object whose end is not read yet.
    struct Container {
        var isObject: Bool
        var elements: [JSONValue] = []
        var object = JSONObject()
        /// The name of the member being read.
        var key = ""
    }

    let text: UnsafePointer<UInt8>
    let end: Int
    var at = 0
    var stack: [Container] = []
    let scratch = ByteBuffer()

    init(text: UnsafePointer<UInt8>, end: Int) {
        self.text = text
        self.end = end
    }

    mutating func parse() throws(JSONError) -> JSONValue {
        while true {
            space()
            let start = at
            guard start < end else { throw JSONError(.unexpectedEnd, at: at) }
            switch text[start] {
            case UInt8(ascii: "["):
                at += 1
                if !closes(UInt8(ascii: "]")) {
                    stack.append(Container(isObject: false))
                    continue
                }
                if let root = try finish(.array([])) { return root }
            case UInt8(ascii: "{"):
                at += 1
                if !closes(UInt8(ascii: "}")) {
                    stack.append(Container(isObject: true, key: try key()))
                    continue
                }
                if let root = try finish(.object(JSONObject())) { return root }
            default:
                if let root = try finish(try scalar()) { return root }
            }
        }
    }

    /// Adds a whole value to what it belongs to and closes what ends with it; the root, when that is whole.
    private mutating func finish(_ value: JSONValue) throws(JSONError) -> JSONValue? {
        var value = value
        while let top = stack.indices.last {
            if stack[top].isObject {
                stack[top].object[stack[top].key] = value
            } else {
                stack[top].elements.append(value)
            }
            space()
            guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
            let goesOn = text[at] == UInt8(ascii: ",")
            at += 1
            if goesOn {
                space()
                if stack[top].isObject { stack[top].key = try key() }
                return nil
            }
            let closed = stack.removeLast()
            value = closed.isObject ? .object(closed.object) : .array(closed.elements)
        }
        return value
    }

    private mutating func scalar() throws(JSONError) -> JSONValue {
        let start = at
        switch text[start] {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            at = try JSONScanner.scalar(text, at, end)
            return text[start] == UInt8(ascii: "n") ? .null : .bool(text[start] == UInt8(ascii: "t"))
        default:
            at = try JSONScanner.scalar(text, at, end)
            return .number(String(decoding: Bytes(start: text + start, count: at - start), as: UTF8.self))
        }
    }

    private mutating func string() throws(JSONError) -> String {
        guard at < end, text[at] == UInt8(ascii: "\"") else { throw JSONError(.unexpectedByte, at: at) }
        let start = at + 1
        at = try JSONScanner.string(text, start, end)
        return try content(start, at - 1)
    }

    private mutating func content(_ start: Int, _ quote: Int) throws(JSONError) -> String {
        scratch.removeAll()
        try JSONString.unescape(content: text + start, count: quote - start, into: scratch)
        return String(decoding: scratch.bytes, as: UTF8.self)
    }

    private mutating func key() throws(JSONError) -> String {
        let start = at + 1
        var escaped = false
        var newlines = false
        let key = try JSONScanner.key(text, at, end, &escaped, &newlines)
        at = key.value
        return try content(start, key.quote)
    }

    private mutating func closes(_ closer: UInt8) -> Bool {
        space()
        guard at < end, text[at] == closer else { return false }
        at += 1
        return true
    }

    private mutating func space() {
        var newlines = false
        at = JSONScanner.space(text, at, end, &newlines)
    }
}

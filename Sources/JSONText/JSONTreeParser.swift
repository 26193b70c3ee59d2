/// Builds the tree of a text that is known to be valid. It keeps its own stack, so that a deep text needs memory and
/// not stack frames.
struct JSONTreeParser {
    /// An array or object whose end is not read yet.
    private struct Container {
        var isObject: Bool
        var elements: [JSONValue] = []
        var object = JSONObject()
        /// The name of the member being read.
        var key = ""
    }

    let text: UnsafePointer<UInt8>
    let end: Int
    private var at = 0
    private var stack: [Container] = []
    private let scratch = ByteBuffer()
    /// How many more values may begin.
    private var left: Int

    init(text: UnsafePointer<UInt8>, end: Int, atMost values: Int) {
        left = values
        self.text = text
        self.end = end
    }

    mutating func parse() throws(JSONError) -> JSONValue {
        while true {
            space()
            let start = at
            guard start < end else { throw JSONError(.unexpectedEnd, at: at) }
            guard left > 0 else { throw JSONError(.tooManyValues, at: at) }
            left -= 1
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

    /// Adds a finished value to its array or object, and closes those that end behind it. Returns the root when that is
    /// finished, else nil.
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

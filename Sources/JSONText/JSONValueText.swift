// Reads and writes trees.
extension JSONValue {
    /// The most values in a tree, the limit `json_values` of `docs/recipe.md`. A value of two bytes needs up to two
    /// hundred in a tree, and an answer of many small values may come as a thousandth of its length.
    public static let mostValues = 5_000_000

    /// Reads one value, as strictly as ``JSONScanner``. Of members with the same name, the last counts. Throws
    /// `tooManyValues` where the tree would be too large.
    public init(parsing bytes: Bytes) throws(JSONError) { try self.init(parsing: bytes, atMost: Self.mostValues) }

    init(parsing bytes: Bytes, atMost values: Int) throws(JSONError) {
        try JSONScanner.validate(bytes)
        guard let text = bytes.baseAddress else { throw JSONError(.unexpectedEnd, at: 0) }
        var parser = JSONTreeParser(text: text, end: bytes.count, atMost: values)
        self = try parser.parse()
    }

    public init(parsing text: String) throws(JSONError) {
        let result = Array(text.utf8).withUnsafeBufferPointer { bytes -> Result<JSONValue, JSONError> in
            do throws(JSONError) { return .success(try JSONValue(parsing: bytes)) } catch { return .failure(error) }
        }
        self = try result.get()
    }

    /// The JSON text. `pretty`: with line ends, indented by two blanks; else on one line.
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

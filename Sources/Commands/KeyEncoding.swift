import JSONText

/// How a record's key says the id.
public enum KeyEncoding: String, Sendable, CaseIterable {
    /// The key is the id.
    case text
    /// A JSON string or number, an object with one of these in it, or one of these behind a schema.
    case json
    /// A number of four bytes, the highest first.
    case int32
    /// A number of eight bytes, the highest first.
    case int64
    /// Behind the zero byte and the four bytes of a schema id: a text, or what ``json`` takes.
    case confluent
}

/// How the id of a command is put together: `{message.kind}-{id}`.
public struct CommandIDTemplate: Sendable, Equatable {
    public enum Part: Sendable, Equatable {
        case text(String)
        case field(JSONPath)
        case key
        case header(String)
    }

    public let parts: [Part]

    /// A text that is no template.
    public struct Fault: Error { public let reason: String }

    public init(parsing text: String) throws(Fault) {
        var parts: [Part] = []
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{") {
            if open > rest.startIndex { parts.append(.text(try Self.literal(rest[..<open]))) }
            guard let close = rest[open...].firstIndex(of: "}") else {
                throw Fault(reason: "has a \"{\" without its \"}\"")
            }
            parts.append(try Self.part(String(rest[rest.index(after: open)..<close])))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { parts.append(.text(try Self.literal(rest))) }
        self.parts = parts
    }

    private static func literal(_ text: Substring) throws(Fault) -> String {
        guard !text.contains("}") else { throw Fault(reason: "has a \"}\" without its \"{\"") }
        return String(text)
    }

    private static func part(_ name: String) throws(Fault) -> Part {
        if name == "key" { return .key }
        if name.hasPrefix("header:") {
            guard name.utf8.count > 7 else { throw Fault(reason: "names no header") }
            return .header(String(name.dropFirst(7)))
        }
        do throws(JSONPathError) {
            return .field(try JSONPath(parsing: name))
        } catch {
            throw Fault(reason: "has {\(name)} in it, which is not a field path: \(error.reason)")
        }
    }

    /// The same template, where it is made of the record's key alone: of `{key}`, or of fields of a key that is a
    /// struct. A delete may have nothing else. `isStruct`: the key is always one.
    public func ofKey(isStruct: Bool) throws(Fault) -> KeyTemplate {
        var names: [String] = []
        var texts = [""]
        var hasKey = false
        for part in parts {
            switch part {
            case .text(let text):
                texts[texts.count - 1] += text
                continue
            case .key:
                hasKey = true
                names.append("key")
            case .field(let path):
                guard let name = path.names.first, path.names.count == 1 else {
                    throw Fault(
                        reason: "has {\(path)} in it, and an id is made of the record's key alone, whose fields lie "
                            + "beside each other: a delete may have no value")
                }
                names.append(name)
            case .header: throw Fault(reason: "has a header in it, and an id is made of the record's key alone")
            }
            texts.append("")
        }
        guard !names.isEmpty else { throw Fault(reason: "has nothing of the record's key in it") }
        guard isStruct || !hasKey || names.count == 1 else {
            throw Fault(reason: "has {key} in it beside other parts, and {key} is all of the key")
        }
        return KeyTemplate(names: names, texts: texts, isWhole: hasKey && !isStruct)
    }

    var needsHeaders: Bool {
        parts.contains { part in
            if case .header = part { true } else { false }
        }
    }
}

/// How an id is put together from the record's key: `incident-{key}`, or from its fields: `{table}-{id}`.
public struct KeyTemplate: Sendable, Equatable {
    /// The names between braces.
    public let names: [String]
    /// What stands before, between and behind them: one more.
    public let texts: [String]
    /// Whether the only name means the key itself, whatever it is.
    public let isWhole: Bool
}

import JSONText

/// One action line of a bulk request.
struct BulkAction {
    var operation: WriteOperation
    var index: String?
    /// Nil: the index of the URL, or the default one.
    var type: String?
    /// Whether the action line has an id.
    var hasID = false
    var source: Range<Int> = 0..<0
}

/// Reads action lines one after the other.
struct BulkLines {
    let text: UnsafePointer<UInt8>
    let end: Int
    let persona: ServerPersona
    private(set) var at = 0
    private var line = 0
    private let scratch = ByteBuffer(capacity: 128)
    private var newlines = false

    init(_ text: UnsafePointer<UInt8>, _ end: Int, persona: ServerPersona) {
        self.text = text
        self.end = end
        self.persona = persona
    }

    /// The end of the line that starts at `at`; nil when there is no line end.
    private func lineEnd(_ at: Int) -> Int? {
        var at = at
        while at < end {
            if text[at] == 0x0A { return at }
            at += 1
        }
        return nil
    }

    /// The next action; nil at the end.
    mutating func next() throws(NodeError) -> BulkAction? {
        while let stop = lineEnd(at) {
            let start = at
            line += 1
            at = stop + 1
            if isBlank(start, stop) { continue }
            var action = try read(start, stop)
            guard action.operation.kind != .delete else { return action }
            guard let sourceEnd = lineEnd(at) else {
                if persona.since(6) { throw unterminated }
                at = end
                return nil
            }
            line += 1
            // A carriage return before the line end does not belong to the document.
            let hasReturn = sourceEnd > at && text[sourceEnd - 1] == 0x0D
            action.source = at..<(hasReturn ? sourceEnd - 1 : sourceEnd)
            at = sourceEnd + 1
            return action
        }
        if at < end, persona.since(6) { throw unterminated }
        return nil
    }

    private var unterminated: NodeError {
        persona.illegal("The bulk request must be terminated by a newline [\(persona.since(7) ? "\\n" : "\n")]")
    }

    private func isBlank(_ start: Int, _ stop: Int) -> Bool {
        for at in start..<stop where text[at] > 0x20 { return false }
        return true
    }

    // MARK: One line

    private mutating func read(_ start: Int, _ stop: Int) throws(NodeError) -> BulkAction {
        at(start, stop)
        try expect(UInt8(ascii: "{"))
        let name = try key()
        guard let kind = WriteOperation.Kind(rawValue: name) else { throw unknownAction(name) }
        var action = BulkAction(operation: WriteOperation(kind: kind, id: "", type: ""))
        try expect(UInt8(ascii: "{"))
        while cursor < stop, text[cursor] != UInt8(ascii: "}") {
            let name = try key()
            try set(name, try value(), &action)
            space()
            if cursor < stop, text[cursor] == UInt8(ascii: ",") { cursor += 1 }
            space()
        }
        try expect(UInt8(ascii: "}"))
        try expect(UInt8(ascii: "}"))
        return action
    }

    private var cursor = 0
    private var stop = 0

    private mutating func at(_ start: Int, _ stop: Int) {
        cursor = start
        self.stop = stop
    }

    private mutating func space() { cursor = JSONScanner.space(text, cursor, stop, &newlines) }

    private mutating func expect(_ byte: UInt8) throws(NodeError) {
        space()
        guard cursor < stop, text[cursor] == byte else {
            throw persona.unreadable(JSONError(cursor < stop ? .unexpectedByte : .unexpectedEnd, at: cursor))
        }
        cursor += 1
        space()
    }

    private mutating func key() throws(NodeError) -> String {
        var escaped = false
        let start = cursor + 1
        do throws(JSONError) {
            let key = try JSONScanner.key(text, cursor, stop, &escaped, &newlines)
            cursor = key.value
            return try content(start, key.quote, escaped)
        } catch {
            throw persona.unreadable(error)
        }
    }

    private func content(_ start: Int, _ quote: Int, _ escaped: Bool) throws(JSONError) -> String {
        guard escaped else {
            return String(decoding: Bytes(start: text + start, count: quote - start), as: UTF8.self)
        }
        scratch.removeAll()
        try JSONString.unescape(content: text + start, count: quote - start, into: scratch)
        return String(decoding: scratch.bytes, as: UTF8.self)
    }

    /// A text, number or word as text; nil: null.
    private mutating func value() throws(NodeError) -> String? {
        do throws(JSONError) {
            let slice = try JSONScanner.slice(text, cursor, stop, 8, &newlines)
            cursor = slice.end
            switch slice.kind {
            case .null: return nil
            case .string: return try content(slice.start + 1, slice.end - 1, !slice.isPlain)
            default:
                return String(decoding: Bytes(start: text + slice.start, count: slice.end - slice.start), as: UTF8.self)
            }
        } catch {
            throw persona.unreadable(error)
        }
    }

    private func unknownAction(_ name: String) -> NodeError {
        guard persona.since(7) else { return persona.invalid(["no requests added"]) }
        return persona.illegal(
            "Malformed action/metadata line [\(line)], expected field [create], [delete], [index] or [update] but "
                + "found [\(name)]")
    }

    private func unknownParameter(_ name: String) -> NodeError {
        let reason = "Action/metadata line [\(line)] contains an unknown parameter [\(name)]"
        guard !persona.since(2) else { return persona.illegal(reason) }
        return NodeError(500, "illegal_argument_exception", reason).classic(reason, name: "IllegalArgumentException")
    }

    private func set(_ given: String, _ value: String?, _ action: inout BulkAction) throws(NodeError) {
        var name = given
        // Before 7.0 the names with an underscore are allowed too.
        if !persona.since(7),
            ["_version", "_version_type", "_routing", "_parent", "_retry_on_conflict"].contains(given)
        {
            name = String(given.dropFirst())
        }
        switch name {
        case "_id":
            action.operation.id = value ?? ""
            action.hasID = value != nil
        case "_index": action.index = value
        case "_type" where persona.answersWithType: action.type = value
        case "routing": action.operation.routing = value
        case "parent" where !persona.since(7): action.operation.parent = value
        case "version": action.operation.version = try number(name, value)
        case "version_type", "versionType":
            let plain = value == "external_gt" ? "external" : value ?? "internal"
            guard let type = WriteOperation.VersionType(rawValue: plain), type != .force || !persona.since(8) else {
                throw persona.illegal("No version type match [\(value ?? "")]")
            }
            action.operation.versionType = type
        case "if_seq_no" where persona.since(6, 6): action.operation.sequence = try number(name, value)
        case "if_primary_term" where persona.since(6, 6): action.operation.term = try number(name, value)
        case "retry_on_conflict", "op_type", "opType": break
        case "timestamp", "_timestamp", "ttl", "_ttl":
            if persona.since(6) { throw unknownParameter(given) }
        case "require_alias" where persona.since(7, 10), "list_executed_pipelines" where persona.since(8): break
        case "pipeline" where persona.since(5):
            if let value, value != "_none" { throw persona.illegal("pipeline with id [\(value)] does not exist") }
        default: throw unknownParameter(given)
        }
    }

    private func number(_ name: String, _ value: String?) throws(NodeError) -> Int64? {
        guard let value else { return nil }
        guard let number = Int64(value) else { throw persona.illegal("[\(name)] is no whole number: [\(value)]") }
        return number
    }
}

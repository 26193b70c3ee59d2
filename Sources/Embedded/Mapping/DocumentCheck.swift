import JSONText

/// Checks one document against a mapping: whether its values can be indexed, and which new fields it has.
///
/// It makes one pass over the bytes. New fields are kept apart, so a refused document leaves no trace.
struct DocumentCheck {
    let text: UnsafePointer<UInt8>
    let end: Int
    let persona: ServerPersona
    let mapping: TypeMapping
    let id: String
    /// New fields of this document, each with its parent. The parent in this list already contains the fields in it.
    var additions: [(parent: FieldNode, field: FieldNode)] = []
    var objects: UInt64
    var newlines = false
    let refusesDuplicates: Bool
    let depthLimit: Int

    /// `objects`: a counter of the index. It marks fields as seen in the current object.
    init(
        _ text: UnsafePointer<UInt8>, _ end: Int, mapping: TypeMapping, persona: ServerPersona, id: String,
        objects: UInt64, depthLimit: Int
    ) {
        self.text = text
        self.end = end
        self.mapping = mapping
        self.persona = persona
        self.id = id
        self.objects = objects
        self.depthLimit = depthLimit
        refusesDuplicates = persona.since(6)
    }

    /// The counter after this document.
    var objectsSeen: UInt64 { objects }

    mutating func run() throws(NodeError) {
        do throws(JSONError) {
            let start = JSONScanner.space(text, 0, end, &newlines)
            guard start < end else { throw JSONError(.unexpectedEnd, at: start) }
            guard text[start] == UInt8(ascii: "{") else { throw JSONError(.unexpectedByte, at: start) }
        } catch {
            throw notAnObject(error)
        }
        let start = JSONScanner.space(text, 0, end, &newlines)
        let after = try object(start, mapping.root, mapping.root.dynamic ?? .yes, JSONScanner.maxDepth)
        let rest = JSONScanner.space(text, after, end, &newlines)
        guard rest == end else { throw malformed(JSONError(.trailingBytes, at: rest)) }
        if let bad = firstBadByte { throw malformed(JSONError(.invalidUTF8, at: bad)) }
    }

    /// Where a character does not have as many bytes as its first one says. Servers take overlong characters and halves
    /// of surrogate pairs.
    private var firstBadByte: Int? {
        var at = 0
        while at < end {
            let lead = text[at]
            let more =
                lead < 0x80 ? 0 : lead & 0xE0 == 0xC0 ? 1 : lead & 0xF0 == 0xE0 ? 2 : lead & 0xF8 == 0xF0 ? 3 : -1
            guard more >= 0, at + more < end else { return at }
            for next in 0..<more where text[at + 1 + next] & 0xC0 != 0x80 { return at }
            at += more + 1
        }
        return nil
    }

    func notAnObject(_ error: JSONError) -> NodeError {
        if error.kind == .unexpectedEnd {
            return parsing(
                persona.since(8) ? "[0:0] failed to parse, document is empty" : "failed to parse, document is empty")
        }
        let reason = "Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes"
        if persona.since(8) { return NodeError(500, "not_x_content_exception", reason) }
        let cause = NodeError.Cause(
            type: "not_x_content_exception", reason: persona.since(2) ? reason : "Failed to derive xcontent",
            classicName: "ElasticsearchParseException")
        return NodeError(400, "mapper_parsing_exception", "failed to parse", causes: [cause])
    }

    // MARK: Objects

    mutating func object(
        _ start: Int, _ node: FieldNode, _ inherited: FieldNode.Dynamic, _ levels: Int
    ) throws(NodeError) -> Int {
        guard levels > 0 else { throw malformed(JSONError(.tooDeep, at: start)) }
        objects &+= 1
        let mine = objects
        node.begin()
        var ignored = SeenNames()
        var at = JSONScanner.space(text, start + 1, end, &newlines)
        if at < end, text[at] == UInt8(ascii: "}") { return at + 1 }
        while true {
            let name = at + 1
            let key = try key(at)
            if !key.escaped, let child = node.child(text + name, key.quote - name) {
                guard !refusesDuplicates || child.stamp != mine else { throw duplicate(child.name, at) }
                child.stamp = mine
                at = try value(key.value, child, inherited, levels - 1)
            } else {
                let title = try unescaped(name, key.quote)
                if refusesDuplicates, !ignored.insert(title) { throw duplicate(title, at) }
                at = try unmapped(title, key.value, node, inherited, levels - 1)
            }
            at = JSONScanner.space(text, at, end, &newlines)
            guard at < end else { throw malformed(JSONError(.unexpectedEnd, at: at)) }
            if text[at] == UInt8(ascii: "}") { return at + 1 }
            guard text[at] == UInt8(ascii: ",") else { throw malformed(JSONError(.unexpectedByte, at: at)) }
            at = JSONScanner.space(text, at + 1, end, &newlines)
        }
    }

    mutating func key(_ at: Int) throws(NodeError) -> (quote: Int, value: Int, escaped: Bool) {
        var escaped = false
        do throws(JSONError) {
            let key = try JSONScanner.key(text, at, end, &escaped, &newlines)
            return (key.quote, key.value, escaped)
        } catch {
            throw malformed(error)
        }
    }

    func unescaped(_ start: Int, _ quote: Int) throws(NodeError) -> String {
        let scratch = ByteBuffer(capacity: quote - start)
        do throws(JSONError) {
            try JSONString.unescape(content: text + start, count: quote - start, into: scratch)
        } catch {
            throw malformed(error)
        }
        return String(decoding: scratch.bytes, as: UTF8.self)
    }

    // MARK: Values

    mutating func value(
        _ start: Int, _ node: FieldNode, _ inherited: FieldNode.Dynamic, _ levels: Int
    ) throws(NodeError) -> Int {
        guard start < end else { throw malformed(JSONError(.unexpectedEnd, at: start)) }
        switch node.kind {
        case .disabled: return try skip(start, levels)
        case .object, .nested:
            switch text[start] {
            case UInt8(ascii: "{"): return try object(start, node, node.dynamic ?? inherited, levels)
            case UInt8(ascii: "["):
                return try array(start, levels) { check, at, levels throws(NodeError) in
                    try check.value(at, node, inherited, levels)
                }
            case UInt8(ascii: "n"): return try skip(start, levels)
            default: throw notAnObject(node, start)
            }
        case .leaf(let check):
            if text[start] == UInt8(ascii: "[") {
                if case .anything = check { return try skip(start, levels) }
                return try array(start, levels) { check, at, levels throws(NodeError) in
                    try check.value(at, node, inherited, levels)
                }
            }
            return try leaf(start, node, check, levels)
        }
    }

    /// Checks every element of the array at `start`. Returns the offset after the array.
    mutating func array(
        _ start: Int, _ levels: Int, _ each: (inout DocumentCheck, Int, Int) throws(NodeError) -> Int
    ) throws(NodeError) -> Int {
        guard levels > 0 else { throw malformed(JSONError(.tooDeep, at: start)) }
        var at = JSONScanner.space(text, start + 1, end, &newlines)
        if at < end, text[at] == UInt8(ascii: "]") { return at + 1 }
        while true {
            at = try each(&self, at, levels - 1)
            at = JSONScanner.space(text, at, end, &newlines)
            guard at < end else { throw malformed(JSONError(.unexpectedEnd, at: at)) }
            if text[at] == UInt8(ascii: "]") { return at + 1 }
            guard text[at] == UInt8(ascii: ",") else { throw malformed(JSONError(.unexpectedByte, at: at)) }
            at = JSONScanner.space(text, at + 1, end, &newlines)
        }
    }

    mutating func skip(_ start: Int, _ levels: Int) throws(NodeError) -> Int {
        do throws(JSONError) {
            return try JSONScanner.skip(text, start, end, max(levels, 0), &newlines)
        } catch {
            throw malformed(error)
        }
    }

    mutating func leaf(
        _ start: Int, _ node: FieldNode, _ check: LeafCheck, _ levels: Int
    ) throws(NodeError) -> Int {
        let after = try skip(start, levels)
        if text[start] == UInt8(ascii: "n") { return after }
        let problem = LeafValue(text: text, start: start, end: after, persona: persona).problem(check)
        if let problem { throw refused(node, start, after, problem) }
        return after
    }
}

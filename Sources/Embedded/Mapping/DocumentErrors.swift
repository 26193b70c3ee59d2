import JSONText

// The reasons to refuse a document, in the words of each version.
extension DocumentCheck {
    private var type: String { persona.since(8) ? "document_parsing_exception" : "mapper_parsing_exception" }

    /// Line and column; the messages of 8.0 and later begin with them.
    func place(_ at: Int) -> String { persona.since(8) ? "[1:\(at + 1)] " : "" }

    func parsing(_ reason: String) -> NodeError { NodeError(400, type, reason) }

    /// `failed to parse`, with its cause.
    func failed(_ at: Int, _ cause: NodeError.Cause) -> NodeError {
        let reason = persona.since(8) ? "\(place(at))failed to parse: \(cause.reason)" : "failed to parse"
        return NodeError(400, type, reason, causes: [cause])
    }

    func malformed(_ error: JSONError) -> NodeError {
        let ends = error.kind == .unexpectedEnd
        let inner = ends ? "json_e_o_f_exception" : "json_parse_exception"
        let name = ends ? "JsonEOFException" : "JsonParseException"
        guard persona.since(8) else {
            return failed(
                error.offset, NodeError.Cause(type: inner, reason: "\(error)", classicName: "JsonParseException"))
        }
        let outer = ends ? "x_content_e_o_f_exception" : "x_content_parse_exception"
        var whole = failed(error.offset, NodeError.Cause(type: outer, reason: "\(place(error.offset))\(error)"))
        whole.causes.append(NodeError.Cause(type: inner, reason: "\(error)", classicName: name))
        return whole
    }

    func duplicate(_ name: String, _ at: Int) -> NodeError {
        let reason = "Duplicate field '\(name)'"
        guard persona.since(8) else {
            return failed(at, NodeError.Cause(type: "json_parse_exception", reason: reason))
        }
        var error = failed(at, NodeError.Cause(type: "x_content_parse_exception", reason: place(at) + reason))
        error.causes.append(NodeError.Cause(type: "json_parse_exception", reason: reason))
        return error
    }

    func notAnObject(_ node: FieldNode, _ at: Int) -> NodeError {
        let inner = "tried to parse field [\(node.name)] as object, but "
        guard persona.since(2) else {
            return parsing(
                "object mapping for [\(mapping.name)] \(inner)got EOF, has a concrete value been provided to it?")
        }
        return parsing("\(place(at))object mapping for [\(node.path)] \(inner)found a concrete value")
    }

    func strict(_ name: String, _ parent: FieldNode, _ at: Int) -> NodeError {
        let within = parent === mapping.root ? mapping.name : parent.path
        return NodeError(
            400, "strict_dynamic_mapping_exception",
            "\(place(at))mapping set to strict, dynamic introduction of [\(name)] within [\(within)] is not allowed")
    }

    func emptyName(_ at: Int) -> NodeError {
        let reason =
            persona.since(6)
            ? "field name cannot be an empty string"
            : "object field starting or ending with a [.] makes object resolution ambiguous: []"
        return failed(at, NodeError.Cause(type: "illegal_argument_exception", reason: reason))
    }

    private static let metadataNames: Set<String> = [
        "_id", "_type", "_index", "_source", "_routing", "_parent", "_uid", "_field_names", "_version", "_timestamp",
        "_ttl", "_all", "_seq_no", "_ignored", "_primary_term", "_size",
    ]

    /// A name that only the server may use, since 2.0.
    func metadata(_ name: String, _ at: Int) -> NodeError? {
        guard name.utf8.first == UInt8(ascii: "_"), persona.since(2), Self.metadataNames.contains(name) else {
            return nil
        }
        let reason =
            "Field [\(name)] is a metadata field and cannot be added inside a document. "
            + "Use the index API request parameters."
        guard persona.since(7) else { return parsing(reason) }
        let shown = preview(at)
        return NodeError(
            400, type,
            "\(place(at))failed to parse field [\(name)] of type [\(name)] in document with id '\(id)'. "
                + "Preview of field's value: '\(shown)'",
            causes: [NodeError.Cause(type: type, reason: place(at) + reason)])
    }

    private func preview(_ at: Int) -> String {
        var newlines = false
        let after = (try? JSONScanner.skip(text, at, end, JSONScanner.maxDepth, &newlines)) ?? at
        let value = try? JSONValue(parsing: Bytes(start: text + at, count: after - at))
        return LeafValue.shown(value ?? .null)
    }

    /// A value that its field does not accept.
    func refused(_ node: FieldNode, _ start: Int, _ after: Int, _ problem: LeafValue.Problem) -> NodeError {
        if let whole = problem.whole {
            guard persona.since(8) else {
                return NodeError(persona.since(2) ? 400 : 500, "illegal_argument_exception", whole(node.path)).classic(
                    whole(node.path), name: "IllegalArgumentException")
            }
            return refusal(node, start, [NodeError.Cause(type: "illegal_argument_exception", reason: whole(node.path))])
        }
        return refusal(node, start, problem.causes)
    }

    private func refusal(_ node: FieldNode, _ start: Int, _ causes: [NodeError.Cause]) -> NodeError {
        var reason = "failed to parse [\(node.path)]"
        if persona.since(6, 1) {
            reason =
                "\(place(start))failed to parse field [\(node.path)] of type [\(node.typeName)] in document with id "
                + "'\(id)'"
        }
        if persona.since(7) { reason += ". Preview of field's value: '\(preview(start))'" }
        return NodeError(400, type, reason, causes: causes)
    }
}

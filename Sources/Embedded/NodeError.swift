import JSONText

/// An error of a request or of a bulk item. It is written in the form of each version.
struct NodeError: Error {
    var status: Int
    /// The error type in the names of 5.0 and later.
    var type: String
    var reason: String
    /// Members beside type and reason: the index, its UUID, the shard.
    var details: JSONObject = [:]
    /// The causes, outermost first.
    var causes: [Cause] = []
    /// The text in brackets on 1.x; nil: the reason.
    var classicReason: String?
    /// The Java class name on 1.x; nil: it is derived from the type.
    var classicName: String?
    /// A complete error object, used instead of all other properties.
    var whole: JSONValue?

    struct Cause {
        var type: String
        var reason: String
        var classicName: String?

        var classic: String { "\(classicName ?? NodeError.className(type))[\(reason)]" }
    }

    init(_ status: Int, _ type: String, _ reason: String, causes: [Cause] = []) {
        self.status = status
        self.type = type
        self.reason = reason
        self.causes = causes
    }

    func with(_ name: String, _ value: JSONValue) -> NodeError {
        var copy = self
        copy.details[name] = value
        return copy
    }

    func classic(_ reason: String, name: String? = nil) -> NodeError {
        var copy = self
        copy.classicReason = reason
        copy.classicName = name
        return copy
    }

    /// The error of a search: every shard reports it, and the search does too.
    static func ofShards(
        _ status: Int, _ type: String, _ reason: String, index: String, persona: ServerPersona
    ) -> NodeError {
        var error = NodeError(status, type, reason)
        guard persona.since(2) else {
            return error.classic(
                "Failed to execute phase [query], all shards failed; shardFailures {[embedded][\(index)][0]: "
                    + "SearchParseException[[\(index)][0]: from[-1],size[-1]: Parse Failure [\(reason)]]; }",
                name: "SearchPhaseExecutionException")
        }
        let inner: JSONObject = ["type": .string(type), "reason": .string(reason), "index": .string(index)]
        error.whole = [
            "error": [
                "root_cause": [.object(inner)], "type": "search_phase_execution_exception",
                "reason": "all shards failed", "phase": "query", "grouped": true,
                "failed_shards": [["shard": 0, "index": .string(index), "node": "embedded", "reason": .object(inner)]],
            ], "status": .number(status),
        ]
        return error
    }

    /// The member `error` of an item or an answer.
    func value(_ persona: ServerPersona) -> JSONValue {
        if !persona.since(2) { return .string(classicText) }
        return .object(object)
    }

    /// The complete answer.
    func body(_ persona: ServerPersona) -> JSONValue {
        if let whole { return whole }
        guard persona.since(2) else { return ["error": .string(classicText), "status": .number(status)] }
        return ["error": .object(withRoot), "status": .number(status)]
    }

    /// The error with `root_cause`, as answers and the documents of `_mget` contain it.
    var withRoot: JSONObject {
        var error = JSONObject()
        var root = object
        root.removeValue(forKey: "caused_by")
        error["root_cause"] = [.object(root)]
        for (key, value) in object { error[key] = value }
        return error
    }

    private var object: JSONObject {
        var error: JSONObject = ["type": .string(type), "reason": .string(reason)]
        for (key, value) in details { error[key] = value }
        var inner: JSONObject?
        for cause in causes.reversed() {
            var object: JSONObject = ["type": .string(cause.type), "reason": .string(cause.reason)]
            if let inner { object["caused_by"] = .object(inner) }
            inner = object
        }
        if let inner { error["caused_by"] = .object(inner) }
        return error
    }

    var classicText: String {
        var text = "\(classicName ?? NodeError.className(type))[\(classicReason ?? reason)]"
        for cause in causes { text += "; nested: \(cause.classic)" }
        return causes.isEmpty ? text : text + "; "
    }

    private static let classNames = [
        "index_not_found_exception": "IndexMissingException",
        "resource_already_exists_exception": "IndexAlreadyExistsException",
        "illegal_argument_exception": "ElasticsearchIllegalArgumentException",
        "aliases_not_found_exception": "AliasesMissingException",
        "parse_exception": "ElasticsearchParseException",
        "number_format_exception": "NumberFormatException",
    ]

    /// `mapper_parsing_exception` becomes `MapperParsingException`.
    static func className(_ type: String) -> String {
        if let known = classNames[type] { return known }
        return type.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}

// Errors that several calls share, in the words of each version.
extension ServerPersona {
    /// `byDocument`: a single-document call reports it.
    func missing(_ index: String, byDocument: Bool = false) -> NodeError {
        let kind = byDocument && !since(8) ? "index_expression" : "index_or_alias"
        var error = NodeError(404, "index_not_found_exception", since(7) ? "no such index [\(index)]" : "no such index")
        error.details["resource.type"] = .string(kind)
        error.details["resource.id"] = .string(index)
        if since(5) { error.details["index_uuid"] = "_na_" }
        error.details["index"] = .string(index)
        return error.classic("[\(index)] missing")
    }

    func illegal(_ reason: String) -> NodeError { NodeError(400, "illegal_argument_exception", reason) }

    func invalid(_ problems: [String]) -> NodeError {
        let numbered = problems.enumerated().map { "\($0.offset + 1): \($0.element);" }.joined()
        return NodeError(400, "action_request_validation_exception", "Validation Failed: \(numbered)")
    }

    func closed(_ index: String, uuid: String) -> NodeError {
        let error = NodeError(since(6) ? 400 : 403, "index_closed_exception", "closed")
        return about(error, index, uuid).classic("[\(index)] closed")
    }

    func blocked(_ index: String, _ level: String) -> NodeError {
        NodeError(
            403, "cluster_block_exception",
            since(7) ? "index [\(index)] blocked by: [\(level)];" : "blocked by: [\(level)];")
    }

    func routingMissing(_ index: String, type: String, id: String) -> NodeError {
        let path = since(7) ? "[\(index)]/[\(id)]" : "[\(index)]/[\(type)]/[\(id)]"
        return about(NodeError(400, "routing_missing_exception", "routing is required for \(path)"), index, "_na_")
    }

    func about(_ error: NodeError, _ index: String, _ uuid: String) -> NodeError {
        var error = error
        if since(5) { error.details["index_uuid"] = .string(uuid) }
        error.details["index"] = .string(index)
        return error
    }

    /// Real servers can do this, but the embedded node cannot.
    func unsupported(_ what: String) -> NodeError {
        NodeError(400, "illegal_argument_exception", "the embedded search node does not know \(what)")
    }

    /// The node's memory limit is reached.
    func memoryFull(limit: Int) -> NodeError {
        let error = NodeError(
            since(7) ? 429 : 503, "circuit_breaking_exception",
            "[parent] Data too large: the embedded search node keeps its documents in memory, and its limit of "
                + "\(limit) bytes is reached; delete documents or indices, or use a real server")
        return error.with("bytes_wanted", .number(limit + 1)).with("bytes_limit", .number(limit))
    }

    func unreadable(_ error: JSONError) -> NodeError {
        if since(8) {
            return NodeError(400, "x_content_parse_exception", "[1:\(error.offset + 1)] \(error)")
        }
        return NodeError(since(5) && !since(7) ? 500 : 400, "json_parse_exception", "\(error)")
    }
}

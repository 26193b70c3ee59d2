import JSONText
import SearchCluster

/// Why a query is refused. The status is always 400.
package struct QueryError: Error, Equatable, CustomStringConvertible {
    /// Whether a real server finds the error before it asks shards. 5.0 and later parse queries first.
    package enum Stage: Sendable, Equatable { case parsing, shard }

    package struct Cause: Sendable, Equatable {
        var type: String
        var reason: String
    }

    package var stage: Stage
    /// The error type in the names of 5.0 and later: `parsing_exception`.
    package var type: String
    package var reason: String
    package var cause: Cause?

    package var description: String { "\(type): \(reason)" }

    static func parsing(_ reason: String, cause: Cause? = nil) -> QueryError {
        QueryError(stage: .parsing, type: "parsing_exception", reason: reason, cause: cause)
    }

    static func argument(_ reason: String) -> QueryError {
        QueryError(stage: .parsing, type: "illegal_argument_exception", reason: reason)
    }

    /// A value that does not fit its field.
    static func value(_ type: String, _ reason: String) -> QueryError {
        QueryError(
            stage: .shard, type: "query_shard_exception", reason: "failed to create query: \(reason)",
            cause: Cause(type: type, reason: reason))
    }

    static func number(_ text: String) -> QueryError {
        value("number_format_exception", "For input string: \"\(text)\"")
    }

    static func shard(_ reason: String, cause: Cause? = nil) -> QueryError {
        QueryError(stage: .shard, type: "query_shard_exception", reason: reason, cause: cause)
    }

    /// Real servers can do this, but the embedded node cannot.
    static func unsupported(_ what: String) -> QueryError {
        .parsing("the embedded search node does not know \(what)")
    }

    /// The answer of a search call. It has no `line` and `col`: their values are lost when the query becomes a tree.
    package func body(persona: ServerPersona, index: String, source: String = "") -> JSONValue {
        let isFirst = persona.product == .elasticsearch && persona.version.major < 2
        if isFirst { return ["error": .string(classic(index: index, source: source)), "status": 400] }
        let isSecond = persona.product == .elasticsearch && persona.version.major < 5
        var error = JSONObject()
        var root: JSONObject = ["type": .string(type), "reason": .string(reason)]
        if isSecond, type == "query_shard_exception", let cause, cause.type != "parse_exception" {
            root["type"] = .string(cause.type)
            root["reason"] = .string(cause.reason)
        } else if isSecond, type != "parse_exception" {
            root["type"] = "query_parsing_exception"
        }
        let isOnShard = stage == .shard || isSecond
        if isOnShard, type != "parse_exception" { root["index"] = .string(index) }
        error["root_cause"] = [.object(root)]
        if let cause, root["reason"]?.string != cause.reason {
            root["caused_by"] = ["type": .string(cause.type), "reason": .string(cause.reason)]
        }
        if isOnShard {
            error["type"] = "search_phase_execution_exception"
            error["reason"] = "all shards failed"
            error["phase"] = "query"
            error["grouped"] = true
            error["failed_shards"] = [
                ["shard": 0, "index": .string(index), "node": "embedded", "reason": .object(root)]
            ]
        } else {
            for (key, value) in root { error[key] = value }
        }
        return ["error": .object(error), "status": 400]
    }

    /// Before 2.0 an error is one line of text.
    private func classic(index: String, source: String) -> String {
        let inner: String
        switch (type, cause?.type) {
        case ("parse_exception", _): inner = "ElasticsearchParseException[\(reason)]"
        case (_, "number_format_exception"): inner = "NumberFormatException[\(cause?.reason ?? reason)]"
        case (_, "java_illegal_argument"): inner = "IllegalArgumentException[\(cause?.reason ?? reason)]"
        case (_, "illegal_argument_exception"):
            inner = "ElasticsearchIllegalArgumentException[\(cause?.reason ?? reason)]"
        case ("query_shard_exception", "parse_exception"):
            inner = "QueryParsingException[[\(index)] \(reason)]; nested: ParseException[\(cause?.reason ?? "")]"
        default: inner = "QueryParsingException[[\(index)] \(reason)]"
        }
        return "SearchPhaseExecutionException[Failed to execute phase [query], all shards failed; shardFailures "
            + "{[embedded][\(index)][0]: SearchParseException[[\(index)][0]: from[-1],size[-1]: Parse Failure "
            + "[Failed to parse source [\(source)]]]; nested: \(inner); }]"
    }
}

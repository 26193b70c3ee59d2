import JSONText

/// The type and the reason of an error, as the server gives them.
struct ServerReason {
    var type: String?
    var reason: String?
    /// Whether the reason is the answer as it is, because it is no error as servers write them.
    var isWholeBody = false

    /// Reads `{"error": {"type", "reason"}}` (from 2.0), `{"error": "SomeException[why]"}` (before), or any other text.
    init(body: Bytes) {
        guard let answer = try? JSONValue(parsing: body) else {
            isWholeBody = true
            reason = body.isEmpty ? nil : String(repairing: Bytes(rebasing: body.prefix(1 << 16)))
            return
        }
        guard let error = answer["error"] else {
            // A search of 1.x answers with the failures of its shards.
            if let failure = answer["_shards"]?["failures"]?[0] { read(shardFailure: failure) }
            return
        }
        if let text = error.string {
            read(exceptionText: text)
        } else {
            type = error["type"]?.string
            reason = error["reason"]?.string
            // "all shards failed" explains nothing; the reason of the first shard does.
            if let root = error["root_cause"]?[0] ?? error["failed_shards"]?[0]?["reason"], root["type"]?.string != nil,
                type == "search_phase_execution_exception"
            {
                type = root["type"]?.string
                reason = root["reason"]?.string
            }
        }
    }

    init(shardFailure: JSONValue) { read(shardFailure: shardFailure) }

    private mutating func read(shardFailure: JSONValue) {
        if let reason = shardFailure["reason"]?["type"]?.string {
            type = reason
            self.reason = shardFailure["reason"]?["reason"]?.string
        } else if let text = shardFailure["reason"]?.string {
            read(exceptionText: text)
        }
    }

    /// Reads `OuterException[message]; nested: ...`. The type is the first one, unless a known one is nested in it.
    private mutating func read(exceptionText text: String) {
        reason = text
        type = String(text.prefix { $0 != "[" && $0 != ":" && $0 != ";" && $0 != " " })
        if text.contains("SearchContextMissingException") { type = "SearchContextMissingException" }
        if text.contains("ClusterBlockException") { type = "ClusterBlockException" }
    }

    /// Later versions have a type of its own for a closed index. 1.x, and some calls of later versions, name block 4.
    static func isIndexClosed(_ type: String, _ reason: String?) -> Bool {
        if type == "index_closed_exception" || type == "IndexClosedException" { return true }
        let isBlock = type == "cluster_block_exception" || type == "ClusterBlockException"
        return isBlock && reason?.contains("/4/index closed") == true
    }

    /// Whether the same request fails every time, whatever the status: before 7.0 a limit that is exceeded, or a query
    /// that is wrong, is answered with 500 or 503.
    static func isLasting(_ type: String, _ reason: String?) -> Bool {
        if type == "query_phase_execution_exception" || type == "QueryPhaseExecutionException" {
            return reason?.contains("is too large") == true
        }
        return lasting.contains(type)
    }

    private static let lasting: Set<String> = [
        "illegal_argument_exception", "parsing_exception", "query_shard_exception", "search_parse_exception",
        "query_parsing_exception", "action_request_validation_exception", "SearchParseException",
        "QueryParsingException", "IllegalArgumentException", "ElasticsearchIllegalArgumentException",
    ]

    static func isScrollExpired(_ type: String) -> Bool {
        type == "search_context_missing_exception" || type == "SearchContextMissingException"
    }
}

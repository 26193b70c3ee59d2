import Commands
import JSONText

/// What the answer to one item of a bulk request means for it (P6 in docs/architecture.md).
///
/// Decided by the operation, the status and the error's type. The reason text is looked at only where servers give two
/// meanings one status and type, and then only its fixed beginning.
public enum ItemClass: Equatable, Sendable {
    public enum Done: Equatable, Sendable {
        case applied
        /// A delete of what is not there.
        case notFound
        /// Something newer is there.
        case stale
    }

    /// The item has its final outcome.
    case done(Done)
    /// The item is to be sent again later, without limit. `throttled`: the server said that it has too much to do,
    /// so fewer requests should be under way.
    case again(throttled: Bool)
    /// The item can never succeed; the reason is a stable code for the dead letter.
    case dead(String)
    /// No item of this index can succeed until an operator acts (index gone, not allowed, alias closed for writes):
    /// dead letters for every record would only hide that. The work must stop.
    case stop(WriteBlock)

    /// Whether the status alone says applied, for the hot path; else ask ``classify(kind:status:errorType:reason:)``.
    @inlinable public static func isApplied(status: Int) -> Bool { status == 200 || status == 201 }

    /// - Parameters:
    ///   - kind: what was sent to the cluster for the item: a tombstone and a merged document are `.index`.
    ///   - status: the item's status, 0 when the answer had none.
    ///   - errorType: `error.type`, or the whole `error` where that is a string (Elasticsearch 1.x).
    ///   - reason: `error.reason`.
    public static func classify(
        kind: OperationKind, status: Int, errorType: String? = nil, reason: String? = nil
    ) -> ItemClass {
        if status >= 200, status < 300 { return .done(.applied) }
        let type = errorType.map(ErrorType.init)?.name ?? ""
        if ErrorType.throttles(type) { return .again(throttled: true) }
        if ErrorType.passes(type) { return .again(throttled: false) }
        if let block = writeBlock(type: type, reason: reason) { return .stop(block) }
        switch status {
        case 400: return .dead(deadReason(type: type, reason: reason, status: status))
        case 401, 403: return .stop(.notAllowed)
        case 404:
            if kind == .delete, type.isEmpty { return .done(.notFound) }
            return .dead(deadReason(type: type, reason: reason, status: status))
        case 408: return .again(throttled: false)
        case 409:
            // A 409 that is no version conflict says nothing about the document: not to be taken for a success.
            let conflict = type.isEmpty || ErrorType.conflicts.contains(type)
            return conflict ? .done(.stale) : .again(throttled: false)
        case 413: return .dead("too_large")
        case 429: return .again(throttled: true)
        case 402..<500: return .dead(deadReason(type: type, reason: reason, status: status))
        case 500 where ErrorType.malformed.contains(type):
            return .dead(deadReason(type: type, reason: reason, status: status))
        default: return .again(throttled: false)
        }
    }

    private static func writeBlock(type: String, reason: String?) -> WriteBlock? {
        switch type {
        case "index_not_found_exception", "index_missing_exception": .indexNotFound
        case "invalid_index_name_exception": .invalidIndexName
        case "security_exception", "authorization_exception": .notAllowed
        // Two meanings for one type and status: a bad document, and an alias that is closed for writes (P5 in
        // docs/architecture.md).
        case "illegal_argument_exception" where closesAlias(reason): .aliasClosed
        case "elasticsearch_illegal_argument_exception" where closesAlias(reason): .aliasClosed
        // Same: the cluster's shard limit, index creation disabled and the like are no fault of the document.
        case "validation_exception": .clusterLimit
        default: nil
        }
    }

    /// An alias without a write index, or, before 6.4, of more than one index.
    private static func closesAlias(_ reason: String?) -> Bool {
        guard let reason else { return false }
        if reason.hasPrefix("no write index is defined for alias") { return true }
        // Elasticsearch 1.x: the exception's name around it.
        var rest = reason[...]
        let wrapper = "ElasticsearchIllegalArgumentException["
        if rest.hasPrefix(wrapper) { rest = rest.dropFirst(wrapper.count) }
        guard rest.hasPrefix("Alias ["), let end = rest.firstIndex(of: "]") else { return false }
        return rest[end...].hasPrefix("] has more than one indices associated with it")
    }

    private static func deadReason(type: String, reason: String?, status: Int) -> String {
        // Elasticsearch 8 and later say it within the error of the document: "[1:17] failed to parse: Limit of total
        // ...".
        let limit = "Limit of total fields ["
        if type == "illegal_argument_exception" && reason?.hasPrefix(limit) == true
            || type == "document_parsing_exception" && reason?.contains("] failed to parse: " + limit) == true
        {
            return "field_limit"
        }
        guard !type.isEmpty else { return "status_\(status)" }
        let suffix = "_exception"
        return type.hasSuffix(suffix) ? String(type.dropLast(suffix.utf8.count)) : type
    }
}

/// The kind of an error as Elasticsearch 5 and later write it, made from whatever a version says.
struct ErrorType {
    let name: String

    /// Takes `mapper_parsing_exception` as it is, and from `MapperParsingException[failed to parse]` the leading class
    /// name. Exceptions that only carry another one (`RemoteTransportException[...]; nested:
    /// EsRejectedExecutionException[...]`) give way to it.
    init(_ text: String) {
        var rest = Substring(text)
        var name = Self.className(rest)
        var levels = 0
        while Self.carriers.contains(name), levels < 8, let nested = Self.afterNested(rest) {
            rest = nested
            name = Self.className(rest)
            levels += 1
        }
        self.name = name
    }

    private static let carriers: Set<String> = [
        "remote_transport_exception", "write_failure_exception", "send_request_transport_exception",
        "transport_serialization_exception", "nested_exception", "exception",
    ]

    static let conflicts: Set<String> = [
        "version_conflict_engine_exception", "document_already_exists_exception",
    ]

    /// Faults of the document whatever the status: Elasticsearch 1.x answers 500 for some of them.
    static let malformed: Set<String> = [
        "mapper_parsing_exception", "document_parsing_exception", "strict_dynamic_mapping_exception",
        "illegal_argument_exception", "action_request_validation_exception", "routing_missing_exception",
        "parsing_exception", "x_content_parse_exception", "max_bytes_length_exceeded_exception",
        "merge_mapping_exception", "json_parse_exception", "number_format_exception",
    ]

    /// The server has too much to do.
    static func throttles(_ type: String) -> Bool {
        type.hasSuffix("rejected_execution_exception") || type == "circuit_breaking_exception"
            || type == "too_many_requests_exception"
    }

    private static let passing: Set<String> = [
        "cluster_block_exception", "index_closed_exception", "process_cluster_event_timeout_exception",
        "unavailable_shards_exception", "no_shard_available_action_exception", "shard_not_found_exception",
        "index_shard_missing_exception", "index_shard_closed_exception", "illegal_index_shard_state_exception",
        "index_shard_not_started_exception", "index_shard_recovering_exception", "primary_missing_action_exception",
        "master_not_discovered_exception", "cluster_manager_not_discovered_exception", "not_master_exception",
        "not_cluster_manager_exception", "node_closed_exception", "node_disconnected_exception",
        "node_not_connected_exception", "connect_transport_exception", "receive_timeout_transport_exception",
        "timeout_exception", "elasticsearch_timeout_exception", "open_search_timeout_exception",
        "retry_on_primary_exception", "retry_on_replica_exception", "shard_not_in_primary_mode_exception",
        "already_closed_exception", "engine_closed_exception", "task_cancelled_exception",
        "failed_to_commit_cluster_state_exception", "index_primary_shard_not_allocated_exception",
        "mapper_exception", "no_node_available_exception", "recovery_engine_exception",
    ]

    /// The state of the server is in the way, and passes.
    static func passes(_ type: String) -> Bool { passing.contains(type) }

    /// The name at the start of the text, in underscore case.
    private static func className(_ text: Substring) -> String {
        var name = ""
        var previousIsLower = false
        for scalar in text.unicodeScalars {
            switch scalar {
            case "A"..."Z":
                if previousIsLower { name.append("_") }
                name.unicodeScalars.append(Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value) | 0x20))
                previousIsLower = false
            case "a"..."z", "0"..."9":
                name.unicodeScalars.append(scalar)
                previousIsLower = true
            case "_":
                name.append("_")
                previousIsLower = false
            case ".", "$":
                // A qualified Java name: only what is behind the last dot counts.
                name = ""
                previousIsLower = false
            default:
                return name
            }
        }
        return name
    }

    private static func afterNested(_ text: Substring) -> Substring? {
        let mark = Array("nested: ".utf8)
        var at = text.utf8.startIndex
        while at < text.utf8.endIndex {
            if text.utf8[at...].starts(with: mark) {
                return text[text.utf8.index(at, offsetBy: mark.count)...]
            }
            at = text.utf8.index(after: at)
        }
        return nil
    }
}

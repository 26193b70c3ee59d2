import Commands
import Testing

@testable import Indexing

@Suite struct ItemClassTests {
    struct Row: Sendable {
        var kind = OperationKind.index
        let status: Int
        var type: String?
        var reason: String?
        let expected: ItemClass
        init(
            _ status: Int, _ type: String?, _ expected: ItemClass, kind: OperationKind = .index,
            reason: String? = nil
        ) {
            (self.status, self.type, self.expected, self.kind, self.reason) = (status, type, expected, kind, reason)
        }
    }

    static let rows: [Row] = [
        Row(200, nil, .done(.applied)), Row(201, nil, .done(.applied)),
        Row(200, nil, .done(.applied), kind: .delete), Row(404, nil, .done(.notFound), kind: .delete),
        Row(404, "index_not_found_exception", .stop(.indexNotFound), kind: .delete),
        Row(404, "index_not_found_exception", .stop(.indexNotFound)),
        Row(404, "IndexMissingException[[x] missing]", .stop(.indexNotFound)),
        Row(409, nil, .done(.stale)), Row(409, "version_conflict_engine_exception", .done(.stale)),
        Row(409, "VersionConflictEngineException[[i][2] [t][1]: version conflict]", .done(.stale)),
        Row(409, "something_else_exception", .again(throttled: false)),
        Row(429, "es_rejected_execution_exception", .again(throttled: true)),
        Row(429, "rejected_execution_exception", .again(throttled: true)),
        Row(429, "circuit_breaking_exception", .again(throttled: true)),
        Row(503, "circuit_breaking_exception", .again(throttled: true)),
        Row(503, "EsRejectedExecutionException[rejected execution (queue capacity 50)]", .again(throttled: true)),
        Row(
            500,
            "RemoteTransportException[[n][inet[/1:9300]][bulk/shard]]; nested: EsRejectedExecutionException[rej];",
            .again(throttled: true)),
        Row(429, nil, .again(throttled: true)),
        Row(403, "cluster_block_exception", .again(throttled: false)),
        Row(429, "cluster_block_exception", .again(throttled: false)),
        Row(403, "ClusterBlockException[blocked by: [FORBIDDEN/5/read-only];]", .again(throttled: false)),
        Row(500, "process_cluster_event_timeout_exception", .again(throttled: false)),
        Row(503, "process_cluster_event_timeout_exception", .again(throttled: false)),
        Row(503, "ProcessClusterEventTimeoutException[failed (put-mapping)]", .again(throttled: false)),
        Row(500, "mapper_exception", .again(throttled: false)),
        Row(503, "unavailable_shards_exception", .again(throttled: false)),
        Row(503, "UnavailableShardsException[[i][0] not enough]", .again(throttled: false)),
        Row(404, "shard_not_found_exception", .again(throttled: false)),
        Row(502, nil, .again(throttled: false)), Row(504, nil, .again(throttled: false)),
        Row(500, "null_pointer_exception", .again(throttled: false)), Row(0, nil, .again(throttled: false)),
        Row(-1, nil, .again(throttled: false)), Row(302, nil, .again(throttled: false)),
        Row(400, "mapper_parsing_exception", .dead("mapper_parsing")),
        Row(400, "MapperParsingException[failed to parse [n]]", .dead("mapper_parsing")),
        Row(500, "MapperParsingException[failed to parse [n]]", .dead("mapper_parsing")),
        Row(400, "document_parsing_exception", .dead("document_parsing")),
        Row(400, "strict_dynamic_mapping_exception", .dead("strict_dynamic_mapping")),
        Row(400, "StrictDynamicMappingException[mapping set to strict]", .dead("strict_dynamic_mapping")),
        Row(
            400, "illegal_argument_exception", .stop(.aliasClosed),
            reason:
                "Alias [a-COPY] has more than one indices associated with it [[a, b]], can't execute a single index "
                + "op"),
        Row(
            400, "ElasticsearchIllegalArgumentException", .stop(.aliasClosed),
            reason:
                "ElasticsearchIllegalArgumentException[Alias [a-COPY] has more than one indices associated with it "
                + "[[a]]"
        ),
        Row(400, "illegal_argument_exception", .dead("illegal_argument"), reason: "Alias [a] has a fault"),
        Row(400, "InvalidIndexNameException[[a-COPY] Invalid index name]", .stop(.invalidIndexName)),
        Row(400, "illegal_argument_exception", .dead("illegal_argument")),
        Row(
            400, "illegal_argument_exception", .dead("field_limit"),
            reason: "Limit of total fields [1000] has been exceeded"),
        Row(
            400, "document_parsing_exception", .dead("field_limit"),
            reason: "[1:17] failed to parse: Limit of total fields [1000] has been exceeded while adding new fields [1]"
        ),
        Row(
            400, "document_parsing_exception", .dead("document_parsing"),
            reason: "[1:17] failed to parse field [n] of type [long]"),
        Row(
            400, "illegal_argument_exception", .stop(.aliasClosed),
            reason: "no write index is defined for alias [copy]. The write index may be explicitly disabled"),
        Row(400, "routing_missing_exception", .dead("routing_missing")),
        Row(400, nil, .dead("status_400")), Row(413, nil, .dead("too_large")),
        Row(403, "security_exception", .stop(.notAllowed)), Row(401, nil, .stop(.notAllowed)),
        Row(404, "type_missing_exception", .dead("type_missing")),
    ]

    @Test(arguments: rows) func everyAnswerHasItsClass(_ row: Row) {
        let found = ItemClass.classify(kind: row.kind, status: row.status, errorType: row.type, reason: row.reason)
        #expect(found == row.expected, "\(row)")
    }

    @Test func classNames() {
        #expect(
            ErrorType("org.elasticsearch.index.mapper.MapperParsingException[x]").name == "mapper_parsing_exception")
        #expect(ErrorType("").name.isEmpty)
        #expect(ErrorType("RemoteTransportException[x]").name == "remote_transport_exception")
    }
}

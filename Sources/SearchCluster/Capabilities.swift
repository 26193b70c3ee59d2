import Commands
import JSONText

/// What a server version can do, and how requests to it must look.
///
/// All differences between versions stand in ``table``, with one row per range of versions. No other code looks at a
/// version number.
package struct Capabilities: Sendable, Equatable {
    /// How an index is read in parts.
    package enum Slicing: Sendable, Equatable {
        /// `slice: {id, max}` in a scroll sorted by `_doc`.
        case slicedScroll
        /// `search_type=scan` with `preference=_shards:n`: one part per shard.
        case shardScan
    }

    /// How `_search/scroll` takes the scroll id.
    package enum ScrollBody: Sendable, Equatable { case plainText, json }

    /// How the server is asked what the user may do.
    package enum PrivilegeQuestion: Sendable, Equatable {
        /// Not at all.
        case none
        /// `_has_privileges`, at this path.
        case path(String)
        /// By requests that are judged and not executed (`perform_permission_check=true`). Source: OpenSearch Security,
        /// pull request 5496. A server without that plugin refuses the parameter, and executes nothing either.
        case trial
    }

    /// How parent and child documents are declared.
    package enum ParentChild: Sendable, Equatable { case parentField, both, joinField }

    /// URLs and mappings need a type name.
    package var typed: Bool
    /// An index has at most one type (from 6.0). Before, ids are unique only within a type.
    package var singleType: Bool
    /// The type name for new indices and, without types, the word in document URLs.
    package var documentType: String
    /// The longest id that the server takes, in bytes; nil: no limit. A longer id fails the whole bulk request with
    /// 400, not only its own item.
    package var maximumIDBytes: Int?
    package var slicing: Slicing
    package var scrollBody: ScrollBody
    /// `hits.total` is an object and is capped unless `track_total_hits` is set.
    package var tracksTotalHits: Bool
    /// `text` and `keyword`; before 5.0 `string` with `index: not_analyzed`.
    package var keywordFields: Bool
    /// `_routing` and `_parent` come with a hit only when named in `fields`.
    package var namesHitMetadata: Bool
    /// Aliases know `is_write_index`. Without it an alias of two indices takes no writes.
    package var writeIndex: Bool
    /// A bulk request through an alias that is closed to writes fails as a whole. Later versions fail its items, with
    /// 400.
    package var closedAliasFailsRequest: Bool
    /// Compare-and-set uses `if_seq_no` and `if_primary_term`. Before, it uses the internal `version`.
    package var sequenceNumbers: Bool
    package var parentChild: ParentChild
    /// The number of shards of an index that is created without `number_of_shards`.
    package var defaultShards: Int
    /// Booleans in documents may also be `on`, `off`, `yes`, `no`, `0`, `1` and so on.
    package var lenientBooleans: Bool
    /// A `bool` of a filter asks for at least one of its `should`, also beside a `must` (before 7.0).
    package var filtersNeedShould: Bool
    /// Field names with dots are refused in mappings (2.0 to 2.x).
    package var refusesDottedNames: Bool
    /// Dates know the format `epoch_millis` (from 2.0).
    package var namesDateFormats: Bool
    /// The answer to the creation of an index comes when its primary shards are ready (from 5.0). Before, the client
    /// has to wait for them.
    package var createWaitsForShards: Bool
    /// Documents name in `_ignored` the fields of which the index ignores a value (from 6.4).
    package var namesIgnored: Bool
    /// The removal of an alias knows `must_exist`: a request that finds the alias gone changes nothing. Tried: 7.17 and
    /// OpenSearch 3 know it, 7.10 does not.
    package var mustExist: Bool
    package var privileges: PrivilegeQuestion

    /// A field mapping for exact text.
    package var keywordMapping: JSONValue {
        keywordFields ? ["type": "keyword"] : ["type": "string", "index": "not_analyzed"]
    }

    /// The mapping of a tombstone's fields (promise P5 in `docs/architecture.md`).
    package var tombstoneProperties: JSONObject {
        // 1.x has no name for this format, but takes numbers as milliseconds by default.
        let time: JSONValue = namesDateFormats ? ["type": "date", "format": "epoch_millis"] : ["type": "date"]
        var properties = JSONObject()
        properties[Tombstone.deleted] = ["type": "boolean"]
        properties[Tombstone.deletedAt] = time
        return properties
    }

    /// The filter of an alias or a query that hides tombstones. It is written the same as a filter (1.x) and as a query
    /// (from 2.0); the contract tests prove that on every version.
    package var notTombstone: JSONValue {
        ["bool": ["must_not": ["term": .object(JSONObject([(Tombstone.deleted, .bool(true))]))]]]
    }

    /// The query that finds tombstones. `before`: only those written before that time, in milliseconds since 1970.
    /// The query asks for both fields, because a document that has only the first may be a user's own.
    package static func tombstones(before: Int64? = nil) -> JSONValue {
        var range: JSONObject = ["gte": 0]
        if let before { range["lt"] = .number(before) }
        return [
            "bool": [
                "must": [
                    ["term": .object(JSONObject([(Tombstone.deleted, .bool(true))]))],
                    ["range": .object(JSONObject([(Tombstone.deletedAt, .object(range))]))],
                ]
            ]
        ]
    }

    /// The query for all documents but tombstones. A source can hold some when it was the target of an earlier
    /// migration.
    package static var allButTombstones: JSONValue { ["bool": ["must_not": tombstones()]] }
}

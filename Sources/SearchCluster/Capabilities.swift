import Commands
import JSONText

/// What a server version can do and how it wants to be asked: the one table, a row a version range. Nothing else in
/// Crossfade asks for a version number.
public struct Capabilities: Sendable, Equatable {
    /// How an index is read in parts.
    public enum Slicing: Sendable, Equatable {
        /// `slice: {id, max}` in a scroll sorted by `_doc`.
        case slicedScroll
        /// `search_type=scan` with `preference=_shards:n`, one part a shard.
        case shardScan
    }

    /// How `_search/scroll` takes the scroll id.
    public enum ScrollBody: Sendable, Equatable { case plainText, json }

    /// How parent and child documents are declared.
    public enum ParentChild: Sendable, Equatable { case parentField, both, joinField }

    /// URLs and mappings need a type name.
    public var typed: Bool
    /// An index holds one type at most (6.0). Before, ids are unique only within a type.
    public var singleType: Bool
    /// The type name for new indices and, without types, the word in document URLs.
    public var documentType: String
    /// Longest id in bytes; nil: no limit. One that is longer fails the whole bulk request with 400, not its item.
    public var maximumIDBytes: Int?
    public var slicing: Slicing
    public var scrollBody: ScrollBody
    /// `hits.total` is an object and is capped unless `track_total_hits` is set.
    public var tracksTotalHits: Bool
    /// `text` and `keyword`; before 5.0 `string` with `index: not_analyzed`.
    public var keywordFields: Bool
    /// `_routing` and `_parent` come with a hit only when named in `fields`.
    public var namesHitMetadata: Bool
    /// `is_write_index` on aliases. Without it an alias of two indices takes no writes.
    public var writeIndex: Bool
    /// A bulk through an alias that is closed to writes fails as a request; later versions fail its items, with 400.
    public var closedAliasFailsRequest: Bool
    /// Compare-and-set by `if_seq_no` and `if_primary_term`; before, by internal `version`.
    public var sequenceNumbers: Bool
    public var parentChild: ParentChild
    /// `number_of_shards` when an index does not say it.
    public var defaultShards: Int
    /// Booleans in documents may also be `on`, `off`, `yes`, `no`, `0`, `1` and so on.
    public var lenientBooleans: Bool
    /// Field names with dots are refused in mappings (2.0 to 2.x).
    public var refusesDottedNames: Bool
    /// Dates take the format `epoch_millis` (2.0).
    public var namesDateFormats: Bool
    /// Creating an index answers when its primary shards can be used (5.0); before, it must be waited for.
    public var createWaitsForShards: Bool

    /// A field mapping for exact text.
    public var keywordMapping: JSONValue {
        keywordFields ? ["type": "keyword"] : ["type": "string", "index": "not_analyzed"]
    }

    /// How a tombstone's fields are mapped (design 6.5).
    public var tombstoneProperties: JSONObject {
        // Numbers are milliseconds where no format says otherwise: 1.x knows no name for that.
        let time: JSONValue = namesDateFormats ? ["type": "date", "format": "epoch_millis"] : ["type": "date"]
        var properties = JSONObject()
        properties[Tombstone.deleted] = ["type": "boolean"]
        properties[Tombstone.deletedAt] = time
        return properties
    }

    /// The filter of an alias or query that hides tombstones. As a filter (1.x) and as a query (2.0 on) it is written
    /// alike, which the contract suite proves on every version.
    public var notTombstone: JSONValue {
        ["bool": ["must_not": ["term": .object(JSONObject([(Tombstone.deleted, .bool(true))]))]]]
    }

    /// The query that finds tombstones, written before `before` (milliseconds since 1970) where that is given. It asks
    /// for both fields: a document of somebody else's that has the first alone is none.
    public static func tombstones(before: Int64? = nil) -> JSONValue {
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

    /// The query for all but tombstones of an earlier migration, for a source that is such a migration's target.
    public static var allButTombstones: JSONValue { ["bool": ["must_not": tombstones()]] }

    /// One row: from a version on, below another.
    public struct Row: Sendable {
        public var product: ServerInfo.Product
        public var from: ServerVersion
        public var below: ServerVersion
        public var capabilities: Capabilities
    }

    /// Every supported version, each row what it changes against the row before.
    public static let table: [Row] = {
        var rows: [Row] = []
        var now = Capabilities(
            typed: true, singleType: false, documentType: "doc", maximumIDBytes: nil,
            slicing: .shardScan, scrollBody: .plainText, tracksTotalHits: false, keywordFields: false,
            namesHitMetadata: true, writeIndex: false, closedAliasFailsRequest: true, sequenceNumbers: false,
            parentChild: .parentField,
            defaultShards: 5, lenientBooleans: true, refusesDottedNames: false, namesDateFormats: false,
            createWaitsForShards: false)
        func row(_ product: ServerInfo.Product, _ from: ServerVersion, _ below: ServerVersion) {
            rows.append(Row(product: product, from: from, below: below, capabilities: now))
        }
        row(.elasticsearch, ServerVersion(1, 7), ServerVersion(2, 0))
        now.scrollBody = .json
        now.namesDateFormats = true
        now.refusesDottedNames = true
        row(.elasticsearch, ServerVersion(2, 0), ServerVersion(5, 0))
        now.slicing = .slicedScroll
        now.namesHitMetadata = false
        now.keywordFields = true
        now.maximumIDBytes = 512
        now.refusesDottedNames = false
        now.createWaitsForShards = true
        row(.elasticsearch, ServerVersion(5, 0), ServerVersion(5, 6))
        now.parentChild = .both
        row(.elasticsearch, ServerVersion(5, 6), ServerVersion(6, 0))
        now.parentChild = .joinField
        now.singleType = true
        now.lenientBooleans = false
        row(.elasticsearch, ServerVersion(6, 0), ServerVersion(6, 2))
        now.documentType = "_doc"
        row(.elasticsearch, ServerVersion(6, 2), ServerVersion(6, 4))
        now.writeIndex = true
        row(.elasticsearch, ServerVersion(6, 4), ServerVersion(6, 7))
        now.sequenceNumbers = true
        row(.elasticsearch, ServerVersion(6, 7), ServerVersion(7, 0))
        now.typed = false
        now.closedAliasFailsRequest = false
        now.tracksTotalHits = true
        now.defaultShards = 1
        row(.elasticsearch, ServerVersion(7, 0), ServerVersion(10, 0))
        row(.opensearch, ServerVersion(1, 0), ServerVersion(4, 0))
        return rows
    }()

    /// The row of a server.
    public static func of(_ product: ServerInfo.Product, _ version: ServerVersion) throws(ClusterError) -> Capabilities
    {
        let row = table.first { $0.product == product && $0.from <= version && version < $0.below }
        if let row { return row.capabilities }
        let known = table.filter { $0.product == product }
        let lowest = known.first?.from ?? version
        let highest = known.last?.below ?? version
        throw ClusterError(
            .unsupported,
            "\(product.rawValue) \(version) is outside what Crossfade supports: from \(lowest.major).\(lowest.minor) "
                + "on, below \(highest.major).\(highest.minor)")
    }
}

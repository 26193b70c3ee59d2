import Indexing
import JSONText

/// A copy of a shard, as the server counts it.
package struct CopyFigures: Sendable, Equatable {
    package var shard: Int
    /// The node that has it.
    package var node: String
    package var isPrimary: Bool
    /// Documents as the server keeps them: nested ones and tombstones count, too.
    package var documents: Int64
    /// The greatest sequence number; nil: the server has none.
    package var sequence: Int64?
    /// Writes and deletes since this copy began on its node; nil: the server does not say it.
    package var written: Int64?

    package init(
        shard: Int, node: String, isPrimary: Bool, documents: Int64, sequence: Int64?, written: Int64? = nil
    ) {
        (self.shard, self.node, self.isPrimary) = (shard, node, isPrimary)
        (self.documents, self.sequence, self.written) = (documents, sequence, written)
    }
}

/// Documents that were written to a shard.
package struct WrittenPage: Sendable {
    package var documents: [FoundDocument]
    /// The sequence number of the last one; nil: there are no more.
    package var last: Int64?
}

/// Counts by which two indices are compared.
extension ClusterReader {
    /// All copies that are started, by shard.
    package func copies(_ index: String) throws(ClusterError) -> [CopyFigures] {
        let answer = try transport.tree(
            .shardStats(index: index), timeoutSeconds: 60, doing: "reading the statistics of \(index)", index: index)
        var found: [CopyFigures] = []
        for (shard, copies) in answer["indices"]?[index]?["shards"]?.object ?? JSONObject() {
            for copy in copies.array ?? [] {
                guard let number = OutsideNumber.size(text: shard), let node = copy["routing"]?["node"]?.string,
                    let documents = copy["docs"]?["count"]?.count,
                    copy["routing"]?["state"]?.string.map({ $0 == "STARTED" }) ?? true
                else { continue }
                let indexing = copy["indexing"]
                found.append(
                    CopyFigures(
                        shard: number, node: node, isPrimary: copy["routing"]?["primary"]?.bool ?? false,
                        documents: documents, sequence: copy["seq_no"]?["max_seq_no"]?.count,
                        written: indexing?["index_total"]?.count.map { $0 + (indexing?["delete_total"]?.count ?? 0) }))
            }
        }
        return found.sorted { one, other in
            if one.shard != other.shard { return one.shard < other.shard }
            return one.isPrimary != other.isPrimary ? one.isPrimary : one.node < other.node
        }
    }

    /// How many documents a search finds in one copy of a shard.
    package func count(_ index: String, in copy: CopyFigures, query: JSONValue?) throws(ClusterError) -> Int64? {
        var body: JSONObject = ["size": 0]
        body["query"] = query
        if capabilities.tracksTotalHits { body["track_total_hits"] = true }
        let place = RequestPath.query("_shards:\(copy.shard)|_only_nodes:\(copy.node)")
        let answer = try transport.tree(
            .search(index: index, parameters: "?preference=\(place)"), body: RequestPath.body(.object(body)),
            timeoutSeconds: 120, doing: "counting a copy of \(index)", index: index)
        guard Self.isWhole(answer) else { return nil }
        let total = answer["hits"]?["total"]
        return total?["value"]?.count ?? total?.count
    }

    /// Documents of one shard by their sequence numbers, the lowest first: those above `after`, up to `last`. What was
    /// written since the last refresh is not among them, and neither is what was deleted.
    ///
    /// - Parameter size: how many at most; the rest is behind ``WrittenPage/last``.
    package func written(
        _ index: String, shard: Int, after: Int64, upTo last: Int64, size: Int
    ) throws(ClusterError) -> WrittenPage {
        let range: JSONValue = ["range": ["_seq_no": ["gt": .number(after), "lte": .number(last)]]]
        let body: JSONValue = [
            "size": .number(size), "version": true, "_source": false, "sort": [["_seq_no": "asc"]],
            "query": ["constant_score": ["filter": range]],
        ]
        let answer = try search(index, body: body, parameters: "?preference=\(RequestPath.query("_shards:\(shard)"))")
        let hits = answer["hits"]?["hits"]?.array ?? []
        if let other = hits.lazy.compactMap({ $0["_index"]?.string }).first(where: { $0 != index }) {
            let shown = ClusterError.shortened(transport.quote(other), limit: 100)
            throw ClusterError.foreignAnswer(
                "searching \(index)", "holds a document of the index \(shown)", index: index)
        }
        return WrittenPage(
            documents: hits.compactMap { foundDocument($0, index) }, last: hits.last?["sort"]?[0]?.count)
    }

    /// How many documents have a value in a field that a search finds. `query`: only of those that it matches.
    package func count(_ index: String, having field: String, query: JSONValue?) throws(ClusterError) -> Int64 {
        try count(index, query: Self.both(["exists": ["field": .string(field)]], query))
    }

    /// Whether the index can be searched for values of the field. `exists` does not tell: most versions find by it what
    /// is not indexed and has doc values, and then refuse to search for a value.
    ///
    /// - Parameter type: of the values that the field is asked for.
    package func seeks(_ index: String, _ field: String, type: String) throws(ClusterError) -> Bool {
        let value: JSONValue? =
            switch type {
            case "keyword", "text", "string", "wildcard", "constant_keyword", "flattened": "a"
            case "byte", "short", "integer", "long", "float", "double", "half_float": 0
            case "boolean": true
            case "ip": "127.0.0.1"
            case "date": "now"
            default: nil
            }
        guard let value else { return true }
        do {
            _ = try count(index, query: ["term": .object(JSONObject([(field, value)]))])
            return true
        } catch {
            guard "\(error)".contains("not indexed") else { throw error }
            return false
        }
    }

    /// Of how many documents the index ignores a value of the field; nil: the server does not say.
    package func count(_ index: String, ignoring field: String, query: JSONValue?) throws(ClusterError) -> Int64? {
        guard capabilities.namesIgnored else { return nil }
        return try count(index, query: Self.both(["term": ["_ignored": .string(field)]], query))
    }

    /// How many documents have a date from `from` on, and before `to`, in milliseconds since 1970.
    package func count(
        _ index: String, date field: String, from: Int64, to: Int64, query: JSONValue?
    ) throws(ClusterError) -> Int64 {
        var range: JSONObject = ["gte": .number(from), "lt": .number(to)]
        if capabilities.namesDateFormats { range["format"] = "epoch_millis" }
        return try count(
            index, query: Self.both(["range": .object(JSONObject([(field, .object(range))]))], query))
    }

    /// The earliest or the latest date of a field, in milliseconds since 1970; nil: no document has one.
    package func bound(
        _ index: String, date field: String, isLatest: Bool, query: JSONValue?
    ) throws(ClusterError) -> Int64? {
        let order: JSONValue = ["order": isLatest ? "desc" : "asc"]
        let answer = try search(
            index,
            body: [
                "size": 1, "_source": false, "query": Self.both(["exists": ["field": .string(field)]], query),
                "sort": [.object(JSONObject([(field, order)]))],
            ])
        return answer["hits"]?["hits"]?[0]?["sort"]?[0]?.time
    }

    /// Both conditions, written so that every version takes it.
    private static func both(_ filter: JSONValue, _ query: JSONValue?) -> JSONValue {
        let filter: JSONValue = ["constant_score": ["filter": filter]]
        return query.map { ["bool": ["must": [filter, $0]]] } ?? filter
    }
}

extension IndexInfo {
    /// The types of the fields that a search can look for, by dotted path. Fields inside nested objects are left out,
    /// and so are those that the index does not index.
    package var searchableFields: [String: String] {
        var found: [String: String] = [:]
        let roots = types.isEmpty ? [mappings] : types.compactMap { mappings[$0] }
        for root in roots { Self.collect(root["properties"], "", into: &found) }
        return found
    }

    /// Types for which no search asks whether a field exists.
    private static let unsearchable: Set<String> = ["nested", "alias", "join", "percolator", "completion", "object"]

    private static func collect(_ properties: JSONValue?, _ before: String, into found: inout [String: String]) {
        for (name, field) in properties?.object ?? JSONObject() {
            let path = before + name
            let type = field["type"]?.string
            let isLeftOut = ["index", "enabled"].contains {
                field[$0]?.bool == false || ["no", "false"].contains(field[$0]?.string)
            }
            guard !isLeftOut, type != "nested" else { continue }
            if let type, !unsearchable.contains(type) { found[path] = type }
            collect(field["properties"], path + ".", into: &found)
            collect(field["fields"], path + ".", into: &found)
        }
    }
}

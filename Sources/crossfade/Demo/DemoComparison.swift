import JSONText
import SearchCluster

/// Compares every document of the new index with the one that the commands result in.
struct DemoComparison: Equatable {
    /// The number of expected documents that were compared.
    var compared = 0
    var missing = 0
    /// The number of documents that should not exist.
    var extra = 0
    var different = 0
    /// The first few differing documents, each with its difference.
    var examples: [String] = []

    var differences: Int { missing + extra + different }

    init(expected: DemoModel, found: [String: JSONValue]) {
        for id in Set(expected.documents.keys).union(found.keys).sorted() {
            let wanted = expected.expected(id)
            if wanted != nil { compared += 1 }
            switch (wanted, found[id]) {
            case (let wanted?, let there?):
                guard wanted != there else { continue }
                different += 1
                note("\(id) is different: \(Self.firstDifference(wanted, there))")
            case (_?, nil):
                missing += 1
                note("\(id) is missing")
            case (nil, _):
                extra += 1
                note("\(id) was deleted, and is there")
            }
        }
    }

    private mutating func note(_ text: String) { if examples.count < 5 { examples.append(text) } }

    /// The first difference between two documents.
    static func firstDifference(_ wanted: JSONValue, _ found: JSONValue, _ path: String = "") -> String {
        if let one = wanted.object, let other = found.object {
            for (key, value) in one {
                let inner = path.isEmpty ? key : "\(path).\(key)"
                guard let there = other[key] else { return "\(inner) is not there" }
                if value != there { return firstDifference(value, there, inner) }
            }
            if let surplus = other.first(where: { one[$0.key] == nil }) { return "\(surplus.key) is one too many" }
        }
        if let one = wanted.array, let other = found.array, one.count == other.count {
            for (at, (value, there)) in zip(one, other).enumerated() where value != there {
                return firstDifference(value, there, "\(path)[\(at)]")
            }
        }
        return "\(path) is \(found.text()) and must be \(wanted.text())"
    }

    /// All documents of an index by id, without tombstones.
    static func read(_ index: String, of cluster: Cluster) throws -> [String: JSONValue] {
        var found: [String: JSONValue] = [:]
        guard let info = try cluster.reader.resolve(index).first else { return found }
        for slice in cluster.reader.slices(info, wanted: 1) {
            let scroll = cluster.reader.openScroll(slice, pageSize: 2000)
            defer { scroll.close() }
            while let page = try scroll.nextPage() {
                for hit in page.hits {
                    guard let id = try JSONValue(parsing: page.bytes(hit.id)).string else { continue }
                    let document = try JSONValue(parsing: page.bytes(hit.source))
                    if document["crossfade_deleted"]?.bool != true { found[id] = document }
                }
                withExtendedLifetime(page) {}
            }
        }
        return found
    }

    /// The number of fields in an index's mapping. Objects and sub-fields count too, as in Elasticsearch's field
    /// limit.
    static func fields(_ index: String, of cluster: Cluster) throws -> Int {
        guard let info = try cluster.reader.resolve(index).first else { return 0 }
        guard cluster.capabilities.typed else { return fields(info.mappings) }
        return (info.mappings.object ?? JSONObject()).reduce(0) { $0 + fields($1.value) }
    }

    private static func fields(_ mapping: JSONValue) -> Int {
        ["properties", "fields"].reduce(0) { sum, part in
            (mapping[part]?.object ?? JSONObject()).reduce(sum) { $0 + 1 + fields($1.value) }
        }
    }
}

import Commands
import JSONText
import SearchCluster
import Testing

/// The parts of the contract, for one server.
struct ContractRun {
    let row: ServerRow
    let cluster: Cluster
    let url: String

    var reader: ClusterReader { cluster.reader }
    var writer: TargetWriter { cluster.writer }
    var can: Capabilities { cluster.capabilities }

    /// An index body as a user of this version would write it.
    func body(shards: Int, properties: JSONObject, extra: JSONObject = [:]) -> JSONValue {
        var mapping = extra
        var all = properties
        for (field, mapping) in can.tombstoneProperties { all[field] = mapping }
        mapping["properties"] = .object(all)
        let mappings: JSONValue =
            can.typed ? .object(JSONObject([(can.documentType, .object(mapping))])) : .object(mapping)
        return [
            "settings": ["index": ["number_of_shards": .number(shards), "number_of_replicas": 0]], "mappings": mappings,
        ]
    }

    /// The code of the error that `work` throws; nil when it throws none.
    func code(_ work: () throws -> Void) -> ClusterError.Code? {
        do { try work() } catch { return (error as? ClusterError)?.code }
        return nil
    }

    func identifies() throws {
        #expect(cluster.server.product == row.product)
        #expect(cluster.server.version == row.version)
        #expect(!cluster.identity.isEmpty)
        let again = try Cluster.connect(ClusterEndpoint(urls: [url]))
        #expect(again.isSame(as: cluster))
        again.close()
    }

    func createsIndices() throws {
        let body = body(shards: 2, properties: ["f": can.keywordMapping, "n": ["type": "long"]])
        #expect(try !writer.indexExists("c-one"))
        try writer.createIndex("c-one", body: body)
        #expect(try writer.indexExists("c-one"))
        #expect(code { try writer.createIndex("c-one", body: body) } == .conflict)
        #expect(code { try writer.createIndex("Not A Name", body: body) } == .badRequest)
        #expect(code { try writer.deleteIndex("c-*") } == .badRequest)
        #expect(code { try writer.deleteIndex("_all") } == .badRequest)
        #expect(try !writer.deleteIndex("c-none"))
        let mapping = try writer.mapping("c-one")
        let properties = can.typed ? mapping[can.documentType]?["properties"] : mapping["properties"]
        #expect(properties?[Tombstone.deleted]?["type"]?.string == "boolean")
        #expect(properties?[Tombstone.deletedAt]?["type"]?.string == "date")
    }

    func answersBulkItems() throws {
        var first = BulkBody()
        first.add("index", id: "a", version: 5, source: ["n": 1])
        first.add("index", id: "b", version: 5, source: ["n": 1])
        first.add("delete", id: "missing", version: 5)
        first.add("index", id: "bad", version: 5, source: ["n": "not a number"])
        let created = try first.send(writer, "c-one")
        #expect(created.map(\.status) == [201, 201, 404, 400])
        #expect(created.map(\.action) == [.index, .index, .delete, .index])
        #expect(created[3].type?.isEmpty == false)
        #expect(created[0].type == nil)
        var second = BulkBody()
        second.add("index", id: "a", version: 5, source: ["n": 2])
        second.add("index", id: "a", version: 4, source: ["n": 2])
        second.add("index", id: "a", version: 6, source: ["n": 2])
        second.add("delete", id: "b", version: 5)
        second.add("delete", id: "b", version: 5, versionType: "external_gte")
        second.add("index", id: "missing", version: 4, source: ["n": 2])
        let then = try second.send(writer, "c-one")
        #expect(then.map(\.status) == [409, 409, 200, 409, 200, 409])
        let conflict = then[0].type ?? ""
        #expect(conflict == "version_conflict_engine_exception" || conflict == "VersionConflictEngineException")
        // Without errors every item still contains its status.
        var third = BulkBody()
        for number in 0..<50 { third.add("index", id: "ok-\(number)", version: 1, source: ["n": .number(number)]) }
        #expect(try third.send(writer, "c-one").map(\.status) == Array(repeating: 201, count: 50))
        // The largest version that Crossfade creates.
        var large = BulkBody()
        large.add("index", id: "large", version: 9_000_000_000_000_000_000, source: ["n": 2])
        #expect(try large.send(writer, "c-one").map(\.status) == [201])
    }

    func limitsIDs() throws {
        var bulk = BulkBody()
        bulk.add("index", id: String(repeating: "x", count: 513), version: 1, source: ["n": 1])
        bulk.add("index", id: "beside", version: 1, source: ["n": 1])
        guard can.maximumIDBytes != nil else {
            #expect(try bulk.send(writer, "c-one").map(\.status) == [201, 201])
            return
        }
        #expect(code { _ = try bulk.send(writer, "c-one") } == .badRequest)
        var longest = BulkBody()
        longest.add("index", id: String(repeating: "x", count: 512), version: 1, source: ["n": 1])
        #expect(try longest.send(writer, "c-one").map(\.status) == [201])
    }

    func readsEveryDocumentOnce() throws {
        let body = body(
            shards: 3, properties: ["f": can.keywordMapping, "n": ["type": "long"]],
            extra: ["_routing": ["required": true]])
        try writer.createIndex("c-many", body: body)
        let total = 2500
        var sent = 0
        while sent < total {
            var bulk = BulkBody()
            for number in sent..<sent + 500 {
                bulk.add(
                    "index", id: "id-\(number) \"ü\"", version: Int64(number + 1), routing: "r\(number % 17)",
                    source: ["n": .number(number), "f": "é\"\\ \(number)"])
            }
            #expect(try bulk.send(writer, "c-many").allSatisfy { $0.status == 201 })
            sent += 500
        }
        var unrouted = BulkBody()
        unrouted.add("index", id: "lost", version: 1, source: ["n": 1])
        #expect(try unrouted.send(writer, "c-many").map(\.status) == [400])
        try writer.refresh("c-many")
        #expect(try reader.count("c-many") == Int64(total))
        #expect(try reader.count("c-many", query: ["range": ["n": ["lt": 100]]]) == 100)
        let index = try #require(try reader.resolve("c-many").first)
        #expect(index.documentCount == Int64(total))
        #expect(index.shards == 3)
        #expect(index.routingRequired)
        #expect(reader.slices(index, wanted: nil).count == 3)
        for wanted in [nil, 1, 3, 5] {
            var seen: [String: Int] = [:]
            for slice in reader.slices(index, wanted: wanted) { try read(slice, into: &seen) }
            #expect(seen.count == total, "\(wanted ?? 0) slices")
            #expect(seen.values.allSatisfy { $0 == 1 }, "\(wanted ?? 0) slices")
        }
    }

    private func read(_ slice: SliceSpec, into seen: inout [String: Int]) throws {
        let scroll = reader.openScroll(slice, pageSize: 170)
        while let page = try scroll.nextPage() {
            #expect(page.hits.count <= 170)
            for hit in page.hits {
                let id = try #require(try JSONValue(parsing: page.bytes(hit.id)).string)
                let source = try JSONValue(parsing: page.bytes(hit.source))
                let number = try #require(source["n"]?.int)
                #expect(id == "id-\(number) \"ü\"")
                #expect(source["f"]?.string == "é\"\\ \(number)")
                #expect(hit.version == number + 1)
                let routing = try #require(hit.routing)
                #expect(try JSONValue(parsing: page.bytes(routing)).string == "r\(number % 17)")
                seen[id, default: 0] += 1
            }
        }
        #expect(scroll.total == scroll.delivered)
        #expect(try scroll.nextPage() == nil)
    }
}

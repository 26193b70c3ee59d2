import JSONText
import SearchCluster
import Testing

extension ContractRun {
    func resolves() throws {
        #expect(try reader.resolve("c-readers").map(\.name) == ["c-tomb"])
        #expect(try reader.resolve("c-*").map(\.name) == ["c-many", "c-one", "c-tomb"])
        #expect(try reader.resolve("nothing-*").isEmpty)
        #expect(code { _ = try reader.resolve("c-absent") } == .notFound)
        let index = try #require(try reader.resolve("c-tomb").first)
        #expect(index.aliases["c-readers"]?["filter"] != nil)
        #expect(index.types == (can.typed ? [can.documentType] : []))
        #expect(index.hasSource)
        #expect(!index.storage.isFiltered)
        #expect(!index.routingRequired)
    }

    func noticesLostScrolls() throws {
        let index = try #require(try reader.resolve("c-many").first)
        let scroll = reader.openScroll(reader.slices(index, wanted: 1)[0], pageSize: 50)
        #expect(try scroll.nextPage()?.hits.count == 50)
        _ = try writer.transport.perform(HTTPRequest(.delete, "/_search/scroll/_all"))
        #expect(code { _ = try scroll.nextPage() } == .scrollExpired)
    }

    func refusesIndexWithoutSource() throws {
        try writer.createIndex(
            "c-bare", body: body(shards: 1, properties: [:], extra: ["_source": ["enabled": false]]))
        var bulk = BulkBody()
        bulk.add("index", id: "bare \"1\"", version: 1, source: ["n": 1])
        #expect(try bulk.send(writer, "c-bare").map(\.status) == [201])
        try writer.refresh("c-bare")
        let index = try #require(try reader.resolve("c-bare").first)
        #expect(!index.hasSource)
        let scroll = reader.openScroll(reader.slices(index, wanted: 1)[0], pageSize: 50)
        do {
            _ = try scroll.nextPage()
            Issue.record("a document without _source was given")
        } catch {
            #expect(error.code == .noSource)
            #expect(error.message.contains("bare \"1\""))
        }
        try writer.createIndex(
            "c-partly", body: body(shards: 1, properties: [:], extra: ["_source": ["excludes": ["secret"]]]))
        #expect(try reader.resolve("c-partly").first?.storage.isFiltered == true)
        #expect(try writer.deleteIndex("c-bare"))
        #expect(try writer.deleteIndex("c-partly"))
    }

    /// Parent, child and several types, in versions that have them.
    func carriesParents() throws {
        guard !can.singleType else { return }
        try writer.createIndex(
            "c-family",
            body: [
                "settings": ["number_of_shards": 2, "number_of_replicas": 0],
                "mappings": ["house": [:], "person": ["_parent": ["type": "house"]]],
            ])
        var houses = BulkBody()
        houses.add("index", id: "1", version: 3, source: ["street": "a"])
        #expect(try houses.send(writer, "c-family", type: "house").map(\.status) == [201])
        var people = BulkBody()
        people.add("index", id: "1", version: 4, source: ["name": "b"], extra: ["parent": "1"])
        #expect(try people.send(writer, "c-family", type: "person").map(\.status) == [201])
        try writer.refresh("c-family")
        let index = try #require(try reader.resolve("c-family").first)
        #expect(Set(index.types) == ["house", "person"])
        #expect(index.parentTypes == ["person": "house"])
        #expect(index.liveQuery == Optional.none)
        var found: [String: String] = [:]
        for slice in reader.slices(index, wanted: 2) {
            let scroll = reader.openScroll(slice, pageSize: 10)
            while let page = try scroll.nextPage() {
                for hit in page.hits {
                    let type = String(repairing: page.bytes(try #require(hit.type)))
                    let parent = hit.parent.map { String(repairing: page.bytes($0)) } ?? "none"
                    let routing = hit.routing.map { String(repairing: page.bytes($0)) } ?? "none"
                    found[type] = "\(parent) \(routing) \(hit.version ?? 0)"
                }
            }
        }
        #expect(found == ["\"house\"": "none none 3", "\"person\"": "\"1\" \"1\" 4"])
        #expect(try writer.deleteIndex("c-family"))
    }

    func administers() throws {
        try writer.putSettings("c-one", ["index": ["refresh_interval": "7s"]])
        #expect(try writer.settings("c-one")["index"]?["refresh_interval"]?.string == "7s")
        try writer.putMapping("c-one", ["properties": ["added": can.keywordMapping]])
        let mapping = try writer.mapping("c-one")
        let properties = can.typed ? mapping[can.documentType]?["properties"] : mapping["properties"]
        #expect(properties?["added"] != nil)
        let health = try writer.health("c-one", waitFor: .green, seconds: 20)
        #expect(health.status == .green)
        #expect(health.activeShards == 2)
        #expect(try writer.health().dataNodes == 1)
        // A blocked index is a temporary problem, not a problem of the document.
        try writer.putSettings("c-one", ["index": ["blocks": ["write": true]]])
        var bulk = BulkBody()
        bulk.add("index", id: "blocked", version: 1, source: ["n": 1])
        let items = try bulk.send(writer, "c-one")
        #expect(items.map(\.status) == [403])
        #expect(["cluster_block_exception", "ClusterBlockException"].contains(items.first?.type ?? ""))
        try writer.putSettings("c-one", ["index": ["blocks": ["write": false]]])
        #expect(try bulk.send(writer, "c-one").map(\.status) == [201])
        // A body that is not NDJSON fails as a whole request.
        let broken = ByteBuffer()
        broken.append("{\"index\":{\"_id\":\"1\"}}\n{\"n\": 1}")
        let answer = try writer.transport.perform(writer.bulkRequest(writer.bulkPath("c-one"), body: broken))
        let error = ClusterError(answer: answer, from: writer.transport, doing: "bulk")
        #expect(error == nil || error?.code == .badRequest)
    }
}

import Commands
import Indexing
import JSONText
import SearchCluster
import Testing

// The server features that tombstones and the copy's alias need (docs/architecture.md, P5).
extension ContractRun {
    /// An index with its aliases, whose mapping accepts no unknown field, as `init` creates it.
    func hidesTombstones() throws {
        var create = body(shards: 1, properties: ["n": ["type": "long"]], extra: ["dynamic": "strict"])
        if case .object(var members) = create {
            var aliases = JSONObject()
            aliases["c-readers"] = ["filter": can.notTombstone]
            aliases["c-tomb-WRITE"] = [:]
            if can.writeIndex { aliases["c-tomb-COPY"] = ["is_write_index": false] }
            members["aliases"] = .object(aliases)
            create = .object(members)
        }
        try writer.createIndex("c-tomb", body: create)
        var bulk = BulkBody()
        bulk.add("index", id: "alive", version: 1, source: ["n": 1])
        bulk.add("index", id: "plain", version: 1, source: ["n": 2])
        bulk.add("index", id: "dead", version: 2, source: try tombstone(1_700_000_000_000))
        bulk.add("index", id: "newly", version: 3, routing: "far", source: try tombstone(1_700_000_000_001))
        #expect(try bulk.send(writer, "c-tomb-WRITE").map(\.status) == [201, 201, 201, 201])
        try writer.refresh("c-tomb")
        #expect(try reader.count("c-tomb") == 4)
        #expect(try reader.count("c-readers") == 2)
        #expect(try reader.count("c-tomb", query: can.notTombstone) == 2)
        #expect(try reader.count("c-tomb", query: Capabilities.allButTombstones) == 2)
        #expect(try reader.count("c-tomb", query: Capabilities.tombstones()) == 2)
        #expect(try reader.count("c-tomb", query: Capabilities.tombstones(before: 1_700_000_000_001)) == 1)
        #expect(try reader.count("c-tomb", query: Capabilities.tombstones(before: 1_700_000_000_000)) == 0)
        let hits = try reader.search("c-readers", body: ["size": 10])["hits"]?["hits"]?.array ?? []
        #expect(Set(hits.compactMap { $0["_id"]?.string }) == ["alive", "plain"])
        // Scrolls with this query, as verification reads a target.
        #expect(try scrolled("c-tomb", can.notTombstone).keys.sorted() == ["alive", "plain"])
        let index = try #require(try reader.resolve("c-tomb").first)
        #expect(index.documentCount == 4)
        #expect(index.liveCount == 2)
        #expect(try writer.indices(behind: "c-readers").map(\.index) == ["c-tomb"])
        #expect(try writer.indices(behind: "c-nobody").isEmpty)
    }

    private func tombstone(_ time: Int64) throws -> JSONValue {
        let buffer = ByteBuffer()
        Tombstone.append(to: buffer, time: time)
        #expect(Tombstone.isOne(buffer.bytes))
        return try JSONValue(parsing: buffer.bytes)
    }

    /// The ids that the query finds, with their versions.
    private func scrolled(_ name: String, _ query: JSONValue) throws -> [String: Int64] {
        var found: [String: Int64] = [:]
        let index = try #require(try reader.resolve(name).first)
        for slice in reader.slices(index, wanted: 2) {
            let scroll = reader.openScroll(slice, pageSize: 10, query: query)
            while let page = try scroll.nextPage() {
                for hit in page.hits {
                    let id = try #require(try JSONValue(parsing: page.bytes(hit.id)).string)
                    found[id] = hit.version
                }
            }
        }
        return found
    }

    /// A tombstone can be deleted with its own version. A newer document is not deleted.
    func purgesTombstones() throws {
        #expect(
            try scrolled("c-tomb", Capabilities.tombstones(before: 1_700_000_000_002)) == ["dead": 2, "newly": 3])
        var revived = BulkBody()
        revived.add("index", id: "dead", version: 7, source: ["n": 7])
        #expect(try revived.send(writer, "c-tomb-WRITE").map(\.status) == [200])
        var purge = BulkBody()
        purge.add("delete", id: "dead", version: 2, versionType: "external_gte")
        purge.add("delete", id: "newly", version: 3, versionType: "external_gte", routing: "far")
        purge.add("delete", id: "nobody", version: 3, versionType: "external_gte")
        #expect(try purge.send(writer, "c-tomb-WRITE").map(\.status) == [409, 200, 404])
        // The server remembers the version for a while (`gc_deletes`).
        var late = BulkBody()
        late.add("index", id: "newly", version: 2, routing: "far", source: ["n": 1])
        #expect(try late.send(writer, "c-tomb-WRITE").map(\.status) == [409])
        try writer.refresh("c-tomb")
        #expect(try reader.count("c-tomb", query: Capabilities.tombstones()) == 0)
        #expect(try reader.count("c-readers") == 3)
    }

    /// An open alias accepts pages, and a closed one accepts none, whichever way the server has to close it.
    func closesAliasToWrites() throws {
        let state = "c-tomb-state"
        try writer.createIndex(state, body: body(shards: 1, properties: [:]))
        try setCopyAlias(open: true, state)
        var open = BulkBody()
        open.add("index", id: "page", version: 1, source: ["n": 1])
        #expect(try open.send(writer, "c-tomb-COPY").map(\.status) == [201])
        try setCopyAlias(open: false, state)
        var late = BulkBody()
        late.add("index", id: "late", version: 1, source: ["n": 1])
        late.add("delete", id: "page", version: 9)
        try expectClosed(late, "c-tomb-COPY")
        let request = MultiGetRequest()
        request.append("late")
        request.append("page")
        #expect(try reader.multiGet("c-tomb", request).documents.map(\.found) == [false, true])
        // Writes through the other alias still work, and this alias can be opened again.
        var other = BulkBody()
        other.add("index", id: "other", version: 1, source: ["n": 1])
        #expect(try other.send(writer, "c-tomb-WRITE").map(\.status) == [201])
        try setCopyAlias(open: true, state)
        #expect(try late.send(writer, "c-tomb-COPY").map(\.status) == [201, 200])
        try writer.deleteIndex(state)
    }

    /// Writes as the copy does.
    private func setCopyAlias(open: Bool, _ state: String) throws {
        if can.writeIndex {
            return try writer.updateAliases([
                ["add": ["index": "c-tomb", "alias": "c-tomb-COPY", "is_write_index": .bool(open)]]
            ])
        }
        let present = try writer.indices(behind: "c-tomb-COPY").map(\.index)
        var actions: [JSONValue] = [["add": ["index": "c-tomb", "alias": "c-tomb-COPY"]]]
        if !open {
            actions.append(["add": ["index": .string(state), "alias": "c-tomb-COPY"]])
        } else if present.contains(state) {
            actions.append(["remove": ["index": .string(state), "alias": "c-tomb-COPY"]])
        }
        try writer.updateAliases(.array(actions))
    }

    private func expectClosed(_ bulk: BulkBody, _ alias: String) throws {
        if can.closedAliasFailsRequest {
            let answer = try writer.transport.perform(writer.bulkRequest(writer.bulkPath(alias), body: bulk.buffer))
            let error = try #require(ClusterError(answer: answer, from: writer.transport, doing: "bulk"))
            #expect(error.status == 400)
            #expect(
                ItemClass.classify(
                    kind: .index, status: 400, errorType: error.serverType, reason: error.underlying)
                    == .stop(.aliasClosed))
        } else {
            #expect(try bulk.classes(writer, alias) == [.stop(.aliasClosed), .stop(.aliasClosed)])
        }
    }

    /// After an index was deleted with its aliases, a late write cannot create it again: no index can have an alias's
    /// name.
    func makesNoIndexOfALateWrite() throws {
        let before = Set(try reader.resolve("c-*").map(\.name))
        #expect(before.contains("c-tomb"))
        let uuid = try #require(try writer.indexUUID("c-tomb"))
        try writer.deleteIndex("c-tomb")
        #expect(try writer.indexUUID("c-tomb") == nil)
        var late = BulkBody()
        late.add("index", id: "late", version: 1, source: ["n": 1])
        #expect(try late.classes(writer, "c-tomb-WRITE") == [.stop(.invalidIndexName)])
        #expect(try late.classes(writer, "c-tomb-COPY") == [.stop(.invalidIndexName)])
        #expect(Set(try reader.resolve("c-*").map(\.name)) == before.subtracting(["c-tomb"]))
        try writer.createIndex("c-tomb", body: body(shards: 1, properties: [:]))
        #expect(try writer.indexUUID("c-tomb") != uuid)
        try writer.updateAliases([
            ["add": ["index": "c-tomb", "alias": "c-readers", "filter": can.notTombstone]]
        ])
        #expect(try writer.aliases(of: "c-tomb").keys == ["c-readers"])
    }
}

extension BulkBody {
    /// Sends the body and returns the meaning of each item's answer.
    func classes(_ writer: TargetWriter, _ index: String) throws -> [ItemClass] {
        let answer = try writer.transport.perform(writer.bulkRequest(writer.bulkPath(index), body: buffer))
        if let error = ClusterError(answer: answer, from: writer.transport, doing: "bulk") { throw error }
        var classes: [ItemClass] = []
        try withExtendedLifetime(answer.body) {
            let bytes = answer.body.bytes
            try BulkResponse.scan(bytes, expected: count, sent: nil) { _, item in
                classes.append(
                    ItemClass.classify(
                        kind: .index, status: item.status,
                        errorType: item.errorType.map { String(repairing: Bytes(rebasing: bytes[$0])) },
                        reason: item.errorReason.map { String(repairing: Bytes(rebasing: bytes[$0])) }))
            }
        }
        return classes
    }
}

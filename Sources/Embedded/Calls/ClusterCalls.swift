import JSONText

// Calls about the cluster itself.
extension SearchNode {
    /// The answer to `/`.
    var description: JSONValue {
        let number = persona.version.description
        var version = JSONObject()
        if persona.isOpenSearch { version["distribution"] = "opensearch" }
        version["number"] = .string(number)
        if persona.since(6), !persona.isOpenSearch { version["build_flavor"] = "default" }
        if persona.since(6) { version["build_type"] = "tar" }
        version["build_hash"] = "embedded"
        version[persona.since(5) ? "build_date" : "build_timestamp"] = "2026-01-01T00:00:00.000000Z"
        version["build_snapshot"] = false
        version["lucene_version"] = .string(lucene)
        if persona.since(6) {
            version["minimum_wire_compatibility_version"] = .string(wire.0)
            version["minimum_index_compatibility_version"] = .string(wire.1)
        }
        var answer = JSONObject()
        if !persona.since(2) { answer["status"] = 200 }
        answer["name"] = .string(identity.nodeName)
        answer["cluster_name"] = .string(identity.clusterName)
        if persona.since(2) { answer["cluster_uuid"] = .string(identity.clusterUUID) }
        answer["version"] = .object(version)
        answer["tagline"] =
            persona.isOpenSearch
            ? "The OpenSearch Project: https://opensearch.org/" : "You Know, for Search"
        return .object(answer)
    }

    private var lucene: String {
        if persona.isOpenSearch { return ["8.10.1", "9.12.1", "10.3.1"][min(max(persona.version.major, 1), 3) - 1] }
        let known = [1: "4.10.4", 2: "5.5.4", 5: "6.6.1", 6: "7.7.3", 7: "8.11.3", 8: "9.12.0", 9: "10.1.0"]
        return known[persona.version.major] ?? "9.12.0"
    }

    private var wire: (String, String) {
        if persona.isOpenSearch {
            return persona.version.major == 1
                ? ("6.8.0", "6.0.0-beta1") : ("\(persona.version.major - 1).0.0", "\(persona.version.major - 1).0.0")
        }
        let known = [
            6: ("5.6.0", "5.0.0"), 7: ("6.8.0", "6.0.0-beta1"), 8: ("7.17.0", "7.0.0"), 9: ("8.18.0", "8.0.0"),
        ]
        return known[persona.version.major] ?? ("8.18.0", "8.0.0")
    }

    func nodes() -> NodeAnswer {
        let node: JSONValue = [
            "name": .string(identity.nodeName), "version": .string(persona.version.description),
            "roles": ["master", "data", "ingest"],
        ]
        return .json([
            "cluster_name": .string(identity.clusterName),
            "nodes": .object(JSONObject([(identity.nodeID, node)])),
        ])
    }

    func cluster(_ call: NodeCall, _ what: String?) throws(NodeError) -> NodeAnswer {
        switch (call.method, what) {
        case ("GET", "health"): return try health(call, call.path.count > 2 ? call.path[2] : nil)
        case ("GET", "state"): return state()
        case ("GET", "settings"): return clusterSettings()
        case ("PUT", "settings"): return try putClusterSettings(call)
        case ("GET", "stats"):
            return .json([
                "cluster_name": .string(identity.clusterName), "status": "green",
                "indices": ["count": .number(catalogue.withLock { $0.indices.count })],
            ])
        default: throw persona.unsupported("[\(call.wholePath)]")
        }
    }

    private func health(_ call: NodeCall, _ index: String?) throws(NodeError) -> NodeAnswer {
        let expand = Catalogue.Expand(open: true, closed: false, ignoresMissing: true)
        let reached = try catalogue.withLock { catalogue throws(NodeError) in
            try catalogue.reach(index, expand, persona: persona)
        }
        let isMissing = index.map { !$0.contains("*") && reached.isEmpty } ?? false
        var primaries = 0
        var unassigned = 0
        for one in reached {
            let (shards, replicas) = one.index.withLock { ($0.primaries, $0.replicas) }
            primaries += shards
            unassigned += shards * max(replicas, 0)
        }
        let status = isMissing ? "red" : unassigned > 0 ? "yellow" : "green"
        let wanted = call.parameter("wait_for_status")
        let isLate = isMissing || wanted == "green" && status != "green"
        let total = primaries + unassigned
        var answer: JSONObject = [
            "cluster_name": .string(identity.clusterName), "status": .string(status), "timed_out": .bool(isLate),
            "number_of_nodes": 1, "number_of_data_nodes": 1,
        ]
        if persona.isOpenSearch {
            answer["discovered_master"] = true
            if persona.version.major >= 2 { answer["discovered_cluster_manager"] = true }
        }
        answer["active_primary_shards"] = .number(primaries)
        answer["active_shards"] = .number(primaries)
        for name in ["relocating_shards", "initializing_shards"] { answer[name] = 0 }
        answer["unassigned_shards"] = .number(unassigned)
        for name in ["delayed_unassigned_shards", "number_of_pending_tasks", "number_of_in_flight_fetch"] {
            answer[name] = 0
        }
        if persona.since(2) {
            answer["task_max_waiting_in_queue_millis"] = 0
            let percent = total == 0 ? 100 : Double(primaries) * 100 / Double(total)
            answer["active_shards_percent_as_number"] = .number(String(percent))
        }
        return .json(.object(answer), status: isLate && persona.since(2) ? 408 : 200)
    }

    private func state() -> NodeAnswer {
        var indices = JSONObject()
        for (name, index) in catalogue.withLock({ $0.indices }).sorted(by: { $0.key < $1.key }) {
            let (isOpen, settings, mappings) = index.withLock {
                ($0.isOpen, $0.settings.json(flat: false), $0.mappings(typed: true))
            }
            let aliases = catalogue.withLock { $0.aliases(of: name).map { JSONValue.string($0.name) } }
            indices[name] = [
                "state": isOpen ? "open" : "close", "settings": settings, "mappings": mappings,
                "aliases": .array(aliases),
            ]
        }
        return .json([
            "cluster_name": .string(identity.clusterName), "cluster_uuid": .string(identity.clusterUUID),
            "metadata": ["cluster_uuid": .string(identity.clusterUUID), "indices": .object(indices)],
        ])
    }

    private func clusterSettings() -> NodeAnswer {
        let all = catalogue.withLock { $0.clusterSettings }
        return .json([
            "persistent": .object(all["persistent"] ?? [:]), "transient": .object(all["transient"] ?? [:]),
        ])
    }

    /// Stores cluster settings and returns them. The node does not follow them.
    private func putClusterSettings(_ call: NodeCall) throws(NodeError) -> NodeAnswer {
        let body = try call.json(persona)
        catalogue.withLock { catalogue in
            for group in ["persistent", "transient"] {
                for (name, value) in body[group]?.object ?? JSONObject() {
                    catalogue.clusterSettings[group]?[name] = value.isNull ? Optional.none : value
                }
            }
        }
        guard case .json(let settings) = clusterSettings().body, case .object(let members) = settings else {
            return .acknowledged
        }
        return .json(.object(JSONObject([("acknowledged", .bool(true))] + members.map { ($0.key, $0.value) })))
    }

    func stats(_ call: NodeCall, _ index: String?) throws(NodeError) -> NodeAnswer {
        let reached = try reach(index)
        var indices = JSONObject()
        var total = EmbeddedIndex.Counters()
        var documents = 0
        var shards = 0
        for one in reached {
            let (counters, copies, own) = one.index.withLock { index in
                index.refreshIfDue(clock.now)
                return (index.counters, index.shards.map { ($0.visibleCount, $0.sequence) }, index.primaries)
            }
            let count = copies.reduce(0) { $0 + $1.0 }
            total.indexed += counters.indexed
            total.deleted += counters.deleted
            total.failed += counters.failed
            documents += count
            shards += own
            let figures = figures(counters, count)
            var answer: JSONObject = ["primaries": figures, "total": figures]
            if call.parameter("level") == "shards" { answer["shards"] = .object(shardFigures(copies)) }
            indices[one.index.name] = .object(answer)
        }
        let figures = figures(total, documents)
        return .json([
            "_shards": ["total": .number(shards), "successful": .number(shards), "failed": 0],
            "_all": ["primaries": figures, "total": figures], "indices": .object(indices),
        ])
    }

    /// What each shard holds: its documents and its greatest sequence number.
    private func shardFigures(_ shards: [(documents: Int, sequence: Int64)]) -> JSONObject {
        var found = JSONObject()
        for (number, shard) in shards.enumerated() {
            var copy: JSONObject = [
                "routing": ["state": "STARTED", "primary": true, "node": "embedded"],
                "docs": ["count": .number(shard.documents), "deleted": 0],
            ]
            if persona.since(6) {
                let sequence = JSONValue.number(shard.sequence)
                copy["seq_no"] = [
                    "max_seq_no": sequence, "local_checkpoint": sequence, "global_checkpoint": sequence,
                ]
            }
            found["\(number)"] = .array([.object(copy)])
        }
        return found
    }

    private func figures(_ counters: EmbeddedIndex.Counters, _ documents: Int) -> JSONValue {
        [
            "docs": ["count": .number(documents), "deleted": 0],
            "indexing": [
                "index_total": .number(counters.indexed), "index_failed": .number(counters.failed),
                "index_current": 0, "delete_total": .number(counters.deleted), "delete_current": 0,
                "is_throttled": false,
            ],
        ]
    }

    /// `_cat/indices`, `_cat/count` and `_cat/health`: columns, with titles only when `v` is set.
    func catalogueText(_ call: NodeCall, _ what: String?) throws(NodeError) -> NodeAnswer {
        let name = call.path.count > 2 ? call.path[2] : nil
        var rows: [[String]] = []
        switch what {
        case "indices":
            rows.append(["health", "status", "index", "pri", "rep", "docs.count"])
            for one in try reach(name) {
                rows.append(
                    one.index.withLock { index in
                        index.refreshIfDue(clock.now)
                        return [
                            index.replicas > 0 ? "yellow" : "green", index.isOpen ? "open" : "close", index.name,
                            String(index.primaries), String(index.replicas),
                            String(index.shards.reduce(0) { $0 + $1.visibleCount }),
                        ]
                    })
            }
        case "count":
            rows.append(["count"])
            let total = try reach(name).reduce(0) { sum, one in
                sum
                    + one.index.withLock { index in
                        index.refreshIfDue(clock.now)
                        return index.shards.reduce(0) { $0 + $1.visibleCount }
                    }
            }
            rows.append([String(total)])
        case "health": rows = [["cluster", "status"], [identity.clusterName, "green"]]
        default: throw persona.unsupported("[\(call.wholePath)]")
        }
        let shown = call.isYes("v") ? rows[...] : rows.dropFirst()
        return .text(shown.map { $0.joined(separator: " ") + "\n" }.joined())
    }
}

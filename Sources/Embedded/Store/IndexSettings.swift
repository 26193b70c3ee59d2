import JSONText

/// The settings of an index as texts, with flat names that begin with `index.`.
struct IndexSettings {
    private(set) var values: JSONObject

    init(_ given: JSONValue?, persona: ServerPersona) throws(NodeError) {
        values = JSONObject()
        try set(given, persona: persona, isNew: true)
    }

    /// Flattens nested objects, and adds `index.` to names without it.
    static func flat(_ value: JSONValue?) -> JSONObject {
        var flat = JSONObject()
        add(value ?? .object(JSONObject()), "", &flat)
        return flat
    }

    private static func add(_ value: JSONValue, _ path: String, _ flat: inout JSONObject) {
        switch value {
        case .object(let object):
            for (name, member) in object { add(member, path.isEmpty ? name : path + "." + name, &flat) }
        case .array(let elements): flat[named(path)] = .array(elements.map { text($0) })
        case .null: flat[named(path)] = .null
        default: flat[named(path)] = text(value)
        }
    }

    private static func named(_ path: String) -> String { path.hasPrefix("index.") ? path : "index." + path }

    private static func text(_ value: JSONValue) -> JSONValue {
        switch value {
        case .bool(let flag): .string(flag ? "true" : "false")
        case .number(let text): .string(text)
        default: value
        }
    }

    private static let fixed: Set<String> = [
        "index.number_of_shards", "index.codec", "index.soft_deletes.enabled", "index.routing_partition_size",
        "index.number_of_routing_shards", "index.sort.field", "index.sort.order",
    ]

    mutating func set(
        _ given: JSONValue?, persona: ServerPersona, isNew: Bool, about index: String = ""
    ) throws(NodeError) {
        let changes = IndexSettings.flat(given)
        for (name, _) in changes {
            if persona.since(5), !KnownSettings.has(name) {
                throw persona.illegal(
                    "unknown setting [\(name)] please check that any required plugins are installed, or check the "
                        + "breaking changes documentation for removed settings")
            }
            guard !isNew, IndexSettings.fixed.contains(name) else { continue }
            var reason = "Can't update non dynamic settings [[\(name)]] for open indices [\(index)]"
            if persona.since(8) {
                reason +=
                    " unless the `reopen` query parameter is set to true. Alternatively, close the indices, apply "
                    + "the settings changes, and reopen the indices"
            }
            throw persona.illegal(reason)
        }
        for (name, value) in changes { values[name] = value.isNull ? Optional.none : value }
    }

    mutating func setDefault(_ name: String, _ value: String) {
        if values[name] == nil { values[name] = .string(value) }
    }

    func text(_ name: String) -> String? { values["index." + name]?.string }

    func int(_ name: String) -> Int? { text(name).flatMap { Int($0) } }

    func isYes(_ name: String) -> Bool { ["true", "1", "on", "yes"].contains(text(name) ?? "") }

    /// Milliseconds of `1s`, `500ms`, `2m`; nil: not set or not a duration.
    func time(_ name: String) -> Int64? { text(name).flatMap { IndexSettings.milliseconds($0) } }

    static func milliseconds(_ text: String) -> Int64? {
        let units: [(String, Double)] = [
            ("ms", 1), ("micros", 0.001), ("nanos", 0.000_001), ("s", 1000), ("m", 60_000), ("h", 3_600_000),
            ("d", 86_400_000), ("w", 604_800_000),
        ]
        if let number = Int64(text) { return number }
        for (suffix, factor) in units where text.hasSuffix(suffix) {
            guard let number = Double(text.dropLast(suffix.count)), number.isFinite, abs(number * factor) < 1e15 else {
                continue
            }
            return Int64(number * factor)
        }
        return nil
    }

    /// The settings in the server's form: `{"index": {...}}`, or flat names.
    func json(flat: Bool) -> JSONValue {
        if flat {
            var sorted = JSONObject()
            for key in values.keys.sorted() { sorted[key] = values[key] }
            return .object(sorted)
        }
        var tree = JSONObject()
        for (name, value) in values {
            IndexSettings.put(value, name.split(separator: ".").map(String.init)[...], &tree)
        }
        return .object(tree)
    }

    static func put(_ value: JSONValue, _ path: ArraySlice<String>, _ tree: inout JSONObject) {
        guard let name = path.first else { return }
        if path.count == 1 {
            tree[name] = value
            return
        }
        var inner = tree[name]?.object ?? JSONObject()
        put(value, path.dropFirst(), &inner)
        tree[name] = .object(inner)
    }
}

/// The settings that servers since 5.0 accept.
enum KnownSettings {
    private static let names: Set<String> = [
        "index.refresh_interval", "index.codec", "index.gc_deletes", "index.hidden", "index.priority",
        "index.auto_expand_replicas", "index.data_path", "index.default_pipeline", "index.final_pipeline",
        "index.load_fixed_bitset_filters_eagerly", "index.shared_filesystem", "index.format", "index.uuid",
        "index.provided_name", "index.creation_date", "index.knn", "index.mode", "index.compound_format",
    ]
    private static let groups = [
        "index.number_of_", "index.mapping.", "index.mapper.", "index.analysis.", "index.blocks.", "index.routing.",
        "index.routing_", "index.translog.", "index.merge.", "index.max_", "index.lifecycle.", "index.sort.",
        "index.similarity.", "index.search.", "index.indexing.", "index.unassigned.", "index.soft_deletes.",
        "index.query.", "index.query_string.", "index.shard.", "index.store.", "index.write.", "index.warmer.",
        "index.requests.", "index.allocation.", "index.highlight.", "index.knn.", "index.plugins.",
        "index.replication.", "index.percolator.", "index.fielddata.", "index.version.", "index.recovery.",
        "index.resize.", "index.verified_", "index.queries.", "index.flush_", "index.time_series.", "index.search_",
    ]

    static func has(_ name: String) -> Bool {
        names.contains(name) || groups.contains { name.hasPrefix($0) }
    }
}

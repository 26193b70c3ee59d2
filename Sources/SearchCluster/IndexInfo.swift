import Commands
import JSONText

/// A concrete index as the cluster describes it.
public struct IndexInfo: Sendable, Equatable {
    public var name: String
    /// Alias names to their definitions (`filter`, `index_routing`, ...).
    public var aliases: JSONObject
    /// Documents that a search finds, nested ones not counted.
    public var documentCount: Int64
    /// The same without tombstones, where the index is the target of an earlier migration.
    public var liveCount: Int64
    public var shards: Int
    /// Type names; empty where the server has none.
    public var types: [String]
    /// False when `_source` is switched off for any type: such an index cannot be copied.
    public var hasSource: Bool
    /// True when `_source` is stored with includes or excludes: what is copied lacks fields.
    public var sourceIsFiltered: Bool
    /// Whether any type requires routing.
    public var routingRequired: Bool
    /// As the server gives them: by type where there are types, else `{"properties": ...}`.
    public var mappings: JSONValue
    public var settings: JSONValue
    /// Whether it was the target of an earlier migration, so that it may hold tombstones.
    public private(set) var mapsTombstones = false
    /// Child type to parent type (before 6.0).
    public var parentTypes: [String: String]

    init(name: String, answer: JSONValue, typed: Bool, documentCount: Int64) {
        self.name = name
        self.documentCount = documentCount
        liveCount = documentCount
        aliases = answer["aliases"]?.object ?? JSONObject()
        mappings = answer["mappings"] ?? .object(JSONObject())
        settings = answer["settings"] ?? .object(JSONObject())
        let count = settings["index"]?["number_of_shards"]
        shards = count?.string.flatMap { Int($0) } ?? count?.int.map { Int($0) } ?? 1
        types = []
        parentTypes = [:]
        hasSource = true
        sourceIsFiltered = false
        routingRequired = false
        guard typed else {
            read(mappings)
            return
        }
        for (type, mapping) in mappings.object ?? JSONObject() where type != "_default_" {
            types.append(type)
            if let parent = mapping["_parent"]?["type"]?.string { parentTypes[type] = parent }
            read(mapping)
        }
    }

    /// What finds its documents: without tombstones, where an earlier migration has left some; nil: all.
    public var liveQuery: JSONValue? {
        guard mapsTombstones else { return Optional.none }
        return Capabilities.allButTombstones
    }

    private mutating func read(_ mapping: JSONValue) {
        if mapping["properties"]?[Tombstone.deletedAt] != nil { mapsTombstones = true }
        let source = mapping["_source"]
        // 1.x keeps what the user wrote: false, "false", "no".
        if let enabled = source?["enabled"], enabled.bool == false || enabled.string == "false" { hasSource = false }
        for key in ["includes", "excludes"] {
            if let list = source?[key]?.array, !list.isEmpty { sourceIsFiltered = true }
        }
        if let required = mapping["_routing"]?["required"], required.bool == true || required.string == "true" {
            routingRequired = true
        }
    }
}

/// A part of an index that is read by one scroll: the unit of a copy's progress.
public struct SliceSpec: Sendable, Hashable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        /// The whole index.
        case whole
        /// One of `of` slices.
        case slice
        /// One of `of` shards.
        case shard
    }

    public var index: String
    public var kind: Kind
    /// From 0.
    public var number: Int
    public var of: Int

    public init(index: String, kind: Kind, number: Int, of: Int) {
        self.index = index
        self.kind = kind
        self.number = number
        self.of = of
    }

    public var description: String { "\(index) \(kind.rawValue) \(number)/\(of)" }
}

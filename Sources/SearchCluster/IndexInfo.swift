import Commands
import JSONText

/// A concrete index, not an alias, as the cluster describes it.
package struct IndexInfo: Sendable, Equatable {
    package var name: String
    /// The definition (`filter`, `index_routing`, ...) of each alias, by its name.
    package var aliases: JSONObject
    /// The number of documents that a search finds, without nested ones.
    package var documentCount: Int64
    /// The same without tombstones, which an earlier migration may have left.
    package var liveCount: Int64
    package var shards: Int
    /// Names of the types; empty when the server has none.
    package var types: [String]
    /// False when `_source` is switched off for any type. Such an index cannot be copied.
    package var hasSource: Bool
    /// True when `_source` is stored with includes or excludes. A copy of such an index lacks fields.
    package var sourceIsFiltered: Bool
    /// Whether any type requires routing.
    package var routingRequired: Bool
    /// As the server gives them: by type if there are types, else `{"properties": ...}`.
    package var mappings: JSONValue
    package var settings: JSONValue
    /// Whether the index was the target of an earlier migration, so that it may hold tombstones.
    package private(set) var mapsTombstones = false
    /// The parent type of each child type (before 6.0).
    package var parentTypes: [String: String]

    init(name: String, answer: JSONValue, typed: Bool, documentCount: Int64) {
        (self.name, self.documentCount) = (name, documentCount)
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

    /// The query that finds the documents without tombstones; nil when the index has no tombstones, so that all count.
    package var liveQuery: JSONValue? {
        guard mapsTombstones else { return Optional.none }
        return Capabilities.allButTombstones
    }

    private mutating func read(_ mapping: JSONValue) {
        if mapping["properties"]?[Tombstone.deletedAt] != nil { mapsTombstones = true }
        let source = mapping["_source"]
        // 1.x gives this setting as the user wrote it: false or "false".
        if let enabled = source?["enabled"], enabled.bool == false || enabled.string == "false" { hasSource = false }
        for key in ["includes", "excludes"] {
            if let list = source?[key]?.array, !list.isEmpty { sourceIsFiltered = true }
        }
        if let required = mapping["_routing"]?["required"], required.bool == true || required.string == "true" {
            routingRequired = true
        }
    }
}

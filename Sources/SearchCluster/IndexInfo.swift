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
    /// How the texts of its documents are kept.
    package private(set) var storage = SourceStorage()
    /// False when `_source` is switched off for any type. Such an index cannot be copied.
    package var hasSource: Bool { !storage.isDisabled }
    /// The only documents of the index that are meant; nil: all. It is written the same as a filter (1.x) and as a
    /// query (from 2.0).
    package var filter: JSONValue?
    /// Whether any type requires routing.
    package var routingRequired: Bool
    /// As the server gives them: by type if there are types, else `{"properties": ...}`.
    package var mappings: JSONValue
    package var settings: JSONValue
    /// nil: the server does not say it.
    package var uuid: String? { settings["index"]?["uuid"]?.string }
    /// Whether the index was the target of an earlier migration, so that it may hold tombstones.
    package private(set) var mapsTombstones = false
    /// The parent type of each child type (before 6.0).
    package var parentTypes: [String: String]

    /// More than any server allows (`es.index.max_number_of_shards` is 1,024), so a wrong answer asks for no more.
    private static let mostShards = 1 << 14

    init(name: String, answer: JSONValue, typed: Bool, documentCount: Int64) {
        (self.name, self.documentCount) = (name, documentCount)
        liveCount = documentCount
        aliases = answer["aliases"]?.object ?? JSONObject()
        mappings = answer["mappings"] ?? .object(JSONObject())
        settings = answer["settings"] ?? .object(JSONObject())
        let count = settings["index"]?["number_of_shards"]
        shards = min(
            max(1, count?.string.flatMap { OutsideNumber.size(text: $0) } ?? count?.size ?? 1), Self.mostShards)
        types = []
        parentTypes = [:]
        routingRequired = false
        guard typed else {
            storage = SourceStorage(mappings: [mappings], settings: settings)
            read(mappings)
            return
        }
        for (type, mapping) in mappings.object ?? JSONObject() where type != "_default_" {
            types.append(type)
            if let parent = mapping["_parent"]?["type"]?.string { parentTypes[type] = parent }
            read(mapping)
        }
        let byType = mappings.object?.filter { $0.key != "_default_" }.map(\.value) ?? []
        storage = SourceStorage(mappings: byType, settings: settings)
    }

    /// The query that finds the documents that are meant, without tombstones; nil when those are all.
    package var liveQuery: JSONValue? {
        let filtered: JSONValue? = filter.map { ["constant_score": ["filter": $0]] }
        guard mapsTombstones else { return filtered }
        guard let filtered else { return Capabilities.allButTombstones }
        return ["bool": ["must": filtered, "must_not": Capabilities.tombstones()]]
    }

    /// The type of a mapped field, by the first type of documents that has it; nil: it is not mapped.
    package func fieldType(_ path: [String]) -> String? {
        for root in types.isEmpty ? [mappings] : types.compactMap({ mappings[$0] }) {
            let field = path.reduce(JSONValue?.some(root)) { $0?["properties"]?[$1] }
            if let field { return field["type"]?.string ?? "object" }
        }
        return nil
    }

    private mutating func read(_ mapping: JSONValue) {
        if mapping["properties"]?[Tombstone.deletedAt] != nil { mapsTombstones = true }
        if let required = mapping["_routing"]?["required"], required.bool == true || required.string == "true" {
            routingRequired = true
        }
    }
}

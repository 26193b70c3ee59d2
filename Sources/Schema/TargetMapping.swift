import JSONText
import Failures
import Transform

/// The body with which `init` creates a target index: the recipe's mapping or the source's, plus what Crossfade
/// itself needs: the two fields of every flattened map, the tombstone's fields, required routing.
package enum TargetMapping {
    /// Keys that a mapping has at its top; anything else there is the name of a type that wraps it.
    private static let rootKeys: Set<String> = [
        "properties", "dynamic", "dynamic_templates", "date_detection", "numeric_detection", "dynamic_date_formats",
        "_source", "_routing", "_meta", "_all", "_field_names", "_size", "_parent", "_default_", "runtime", "enabled",
        "_timestamp", "_ttl", "_type", "_id", "_index", "_analyzer", "_data_stream_timestamp", "subobjects",
    ]

    /// A mapping without a type around it, whichever way it was written.
    package static func bare(_ mapping: JSONValue) -> JSONObject {
        guard let object = mapping.object else { return JSONObject() }
        if let inner = object["mappings"] { return bare(inner) }
        if object.count == 1, let only = object.first, !rootKeys.contains(only.key), let inner = only.value.object {
            return inner
        }
        return object
    }

    /// `base` with all that Crossfade needs in it. Throws when the recipe maps a flattened field in a way that cannot
    /// hold pairs. `routingRequired`: whether each write must have a routing; nil: as the mapping says.
    package static func complete(
        _ base: JSONObject, index: String, transform: [TransformStep], routingRequired: Bool?, fromSource: Bool,
        tombstoneProperties: JSONObject
    ) throws(WorkError) -> JSONObject {
        var mapping = base
        if mapping["enabled"]?.bool == false {
            throw WorkError(
                .recipe,
                "the mapping for \(index) is not enabled: no field could be searched, not even the mark of deleted "
                    + "documents"
            )
        }
        if mapping["properties"]?.object == nil { mapping["properties"] = [:] }
        for case .keyToValue(let step) in transform {
            mapping = try place(step, in: mapping, names: step.field.names[...], index: index, replace: fromSource)
        }
        var properties = mapping["properties"]?.object ?? JSONObject()
        for (field, mapping) in tombstoneProperties { properties[field] = mapping }
        mapping["properties"] = .object(properties)
        // What the recipe's own mapping says is not changed to the contrary: a rail refuses it.
        if let routingRequired, routingRequired || (fromSource && mapping["_routing"] != nil) {
            var routing = mapping["_routing"]?.object ?? JSONObject()
            routing["required"] = .bool(routingRequired)
            mapping["_routing"] = .object(routing)
        }
        return mapping
    }

    private static func place(
        _ step: KeyToValue, in object: JSONObject, names: ArraySlice<String>, index: String, replace: Bool
    ) throws(WorkError) -> JSONObject {
        guard let name = names.first else { return object }
        var object = object
        var properties = object["properties"]?.object ?? JSONObject()
        if names.count > 1 {
            let inner = properties[name]?.object ?? ["properties": [:]]
            properties[name] = .object(
                try place(step, in: inner, names: names.dropFirst(), index: index, replace: replace))
        } else if replace || properties[name] == nil {
            properties[name] = Transformer.mappingProperties(step)
        } else if properties[name]?["properties"]?["keyToValue"] == nil
            || properties[name]?["properties"]?["value"] == nil
        {
            throw WorkError(
                .recipe,
                "the mapping for \(index) maps the field \(step.field), which keyToValue makes into pairs, without the "
                    + "properties keyToValue and value: leave the field out of the mapping file, or map both as keyword"
            )
        }
        object["properties"] = .object(properties)
        return object
    }

    /// The whole body of the create request for a server, with a type around the mapping where it wants one.
    package static func createBody(
        mapping: JSONObject, settings: JSONValue?, documentType: String?, aliases: JSONValue? = nil
    ) -> JSONValue {
        var body = JSONObject()
        if let aliases { body["aliases"] = aliases }
        if let settings { body["settings"] = settings["settings"] ?? settings }
        if let documentType {
            body["mappings"] = .object(JSONObject([(documentType, .object(mapping))]))
        } else {
            body["mappings"] = .object(mapping)
        }
        return .object(body)
    }

    /// Fields of a mapping as the total-fields limit counts them: every property, object or multi-field.
    package static func fieldCount(_ mapping: JSONObject) -> Int {
        var count = 0
        for key in ["properties", "fields"] {
            guard let members = mapping[key]?.object else { continue }
            for (_, value) in members { count += 1 + (value.object.map(fieldCount) ?? 0) }
        }
        return count
    }

    /// The most fields that the mapping of an index with these settings may have.
    package static func limit(_ settings: JSONValue?) -> Int { number(settings, "mapping.total_fields.limit") ?? 1000 }

    /// A setting that is a number; nil: the settings do not have it.
    package static func number(_ settings: JSONValue?, _ name: String) -> Int? {
        let value = setting(settings, name)
        return (value?.int ?? value?.string.flatMap { Int64($0) }).flatMap { Int(exactly: $0) }
    }

    /// A setting by its name without `index.`, in whichever way it is nested.
    package static func setting(_ settings: JSONValue?, _ name: String) -> JSONValue? {
        let root = settings?["settings"] ?? settings ?? [:]
        return find("index." + name, in: root) ?? find(name, in: root)
    }

    private static func find(_ name: String, in settings: JSONValue) -> JSONValue? {
        if let value = settings[name] { return value }
        for (key, inner) in settings.object ?? JSONObject() where name.hasPrefix(key + ".") {
            if let value = find(String(name.dropFirst(key.count + 1)), in: inner) { return value }
        }
        return nil
    }
}

import JSONText

/// Merges two mappings.
struct MappingMerge {
    let persona: ServerPersona

    /// `new` overrides `old`. Both have the form `{"dynamic": ..., "properties": ...}`.
    func merged(_ old: JSONObject, _ new: JSONObject) throws(NodeError) -> JSONObject {
        try object(old, new, path: "")
    }

    private func object(_ old: JSONObject, _ new: JSONObject, path: String) throws(NodeError) -> JSONObject {
        var result = old
        for (key, value) in new {
            guard key == "properties" else {
                result[key] = value
                continue
            }
            var properties = old["properties"]?.object ?? JSONObject()
            for (name, definition) in value.object ?? JSONObject() {
                let here = path.isEmpty ? name : path + "." + name
                guard let before = properties[name]?.object, let after = definition.object else {
                    properties[name] = definition
                    continue
                }
                properties[name] = .object(try field(before, after, path: here))
            }
            result["properties"] = .object(properties)
        }
        return result
    }

    private func field(_ old: JSONObject, _ new: JSONObject, path: String) throws(NodeError) -> JSONObject {
        let before = type(old)
        let after = type(new)
        let wasObject = before == "object" || before == "nested"
        let isObject = after == "object" || after == "nested"
        guard before == after || (wasObject && isObject && new["type"] == nil) else {
            throw conflict(path, before, after, isObject: isObject || wasObject)
        }
        if wasObject {
            var result = try object(old, new, path: path)
            if result["properties"] != nil, before == "object" { result.removeValue(forKey: "type") }
            return result
        }
        var result = old
        for (key, value) in new where key != "fields" { result[key] = value }
        if let fields = new["fields"]?.object {
            var all = old["fields"]?.object ?? JSONObject()
            for (name, definition) in fields { all[name] = definition }
            result["fields"] = .object(all)
        }
        return result
    }

    private func type(_ definition: JSONObject) -> String { definition["type"]?.string ?? "object" }

    private func conflict(_ path: String, _ before: String, _ after: String, isObject: Bool) -> NodeError {
        let reason: String
        if isObject, persona.since(7) {
            reason = "can't merge a non object mapping [\(path)] with an object mapping"
        } else if persona.since(7) {
            reason = "mapper [\(path)] cannot be changed from type [\(before)] to [\(after)]"
        } else {
            reason = "mapper [\(path)] of different type, current_type [\(before)], merged_type [\(after)]"
        }
        return persona.illegal(reason).classic(
            "Merge failed with failures {[\(reason)]}", name: "MergeMappingException")
    }
}

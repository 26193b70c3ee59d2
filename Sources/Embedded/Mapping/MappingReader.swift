import JSONText

/// Reads the mappings of a request into fields.
struct MappingReader {
    let persona: ServerPersona
    let typeName: String

    func tree(_ mapping: JSONObject) throws(NodeError) -> FieldNode {
        let root = FieldNode(
            name: typeName, path: "", kind: .object, parameters: JSONObject(), dynamic: dynamic(mapping["dynamic"]))
        try properties(mapping["properties"], into: root)
        return root
    }

    private func properties(_ value: JSONValue?, into parent: FieldNode) throws(NodeError) {
        guard let value else { return }
        guard let properties = value.object else {
            throw failed("expected map for property [properties] on field [\(parent.name)]")
        }
        for (name, definition) in properties {
            guard let object = definition.object else {
                throw failed("Expected map for property [fields] on field [\(name)]")
            }
            try field(name, object, into: parent)
        }
    }

    private func field(_ name: String, _ definition: JSONObject, into parent: FieldNode) throws(NodeError) {
        if name.contains(".") {
            if persona.capabilities.refusesDottedNames { throw failed("Field name [\(name)] cannot contain '.'") }
            if persona.since(5) { return try dotted(name, definition, into: parent) }
        }
        if name.isEmpty, persona.since(5) { throw failed("name cannot be empty string") }
        let path = parent.path.isEmpty ? name : parent.path + "." + name
        parent.add(try node(name, path, definition))
    }

    /// `{"a.b": {...}}` means `{"a": {"properties": {"b": {...}}}}`.
    private func dotted(_ name: String, _ definition: JSONObject, into parent: FieldNode) throws(NodeError) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard !parts.contains("") else { throw failed("field name cannot start or end with a [.]: [\(name)]") }
        var node = parent
        for part in parts.dropLast() {
            if let there = node.child(part) {
                node = there
                continue
            }
            let path = node.path.isEmpty ? part : node.path + "." + part
            let object = FieldNode(name: part, path: path, kind: .object, parameters: JSONObject())
            node.add(object)
            node = object
        }
        try field(parts[parts.count - 1], definition, into: node)
    }

    /// Reads the definition of one field.
    func node(_ name: String, _ path: String, _ definition: JSONObject) throws(NodeError) -> FieldNode {
        guard let type = type(of: definition) else { throw failed("No type specified for field [\(name)]") }
        guard KnownTypes.has(type, persona) else {
            throw failed("No handler for type [\(type)] declared on field [\(name)]")
        }
        var parameters = JSONObject()
        if type != "object" { parameters["type"] = .string(type) }
        for (key, value) in definition where !["type", "properties", "fields", "dynamic", "enabled"].contains(key) {
            if !isDefault(key, value) { parameters[key] = value }
        }
        if type == "object" || type == "nested" {
            let isOff = definition["enabled"] == .bool(false) || definition["enabled"]?.string == "false"
            let node = FieldNode(
                name: name, path: path, kind: isOff ? .disabled : type == "nested" ? .nested : .object,
                parameters: parameters, dynamic: dynamic(definition["dynamic"]))
            try properties(definition["properties"], into: node)
            return node
        }
        addFormat(type, &parameters)
        let node = FieldNode(
            name: name, path: path, kind: .leaf(KnownTypes.check(type, parameters, persona)), parameters: parameters)
        for (inner, value) in definition["fields"]?.object ?? JSONObject() {
            guard let object = value.object else { continue }
            node.fields.append(try self.node(inner, path + "." + inner, object))
        }
        return node
    }

    private func type(of definition: JSONObject) -> String? {
        if let type = definition["type"]?.string { return type }
        let isObject = definition["properties"] != nil || definition["dynamic"] != nil || definition["enabled"] != nil
        return isObject || definition.isEmpty ? "object" : nil
    }

    /// Before 5.0 the mapping of a date always contains its format.
    private func addFormat(_ type: String, _ parameters: inout JSONObject) {
        guard type == "date", !persona.since(5), parameters["format"] == nil else { return }
        parameters["format"] = persona.since(2) ? "strict_date_optional_time||epoch_millis" : "dateOptionalTime"
    }

    /// Servers leave out parameters that have their default.
    private func isDefault(_ key: String, _ value: JSONValue) -> Bool {
        switch key {
        case "index": value == .bool(true) || value.string == "analyzed"
        case "doc_values": value == .bool(true) && persona.since(2)
        case "store": value == .bool(false)
        case "format": persona.since(5) && value.string == "strict_date_optional_time||epoch_millis"
        default: false
        }
    }

    func dynamic(_ value: JSONValue?) -> FieldNode.Dynamic? {
        switch value {
        case .bool(let flag): flag ? .yes : .no
        case .string(let text): FieldNode.Dynamic(rawValue: text)
        default: nil
        }
    }

    private func failed(_ reason: String) -> NodeError {
        let prefix = persona.since(7) ? "Failed to parse mapping: " : "Failed to parse mapping [\(typeName)]: "
        return NodeError(
            400, "mapper_parsing_exception", prefix + reason,
            causes: [NodeError.Cause(type: "mapper_parsing_exception", reason: reason)]
        ).classic("mapping [\(typeName)]")
    }
}

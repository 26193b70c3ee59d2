import JSONText

// Settings and mappings of existing indices.

extension SearchNode {
    func getSettings(_ call: NodeCall, _ name: String?) throws(NodeError) -> NodeAnswer {
        var answer = JSONObject()
        for one in try reach(name, expand(call)) {
            let settings = one.index.withLock { $0.settings.json(flat: call.isYes("flat_settings")) }
            answer[one.index.name] = ["settings": settings]
        }
        return .json(.object(answer))
    }

    func putSettings(_ call: NodeCall, _ name: String?) throws(NodeError) -> NodeAnswer {
        let body = try call.json(persona)
        let changes = body["settings"] ?? body
        for one in try reach(name, expand(call)) {
            try one.index.withLock { index throws(NodeError) in try index.set(changes) }
        }
        return .acknowledged
    }

    func getMapping(_ call: NodeCall, _ name: String?, type: String?) throws(NodeError) -> NodeAnswer {
        var answer = JSONObject()
        for one in try reach(name, expand(call)) {
            var mappings = one.index.withLock { $0.mappings(typed: isTyped(call)) }
            if let type, isTyped(call), case .object(let all) = mappings {
                mappings = .object(JSONObject(all.filter { Wildcard.matches(type, $0.key) }.map { ($0.key, $0.value) }))
            }
            answer[one.index.name] = ["mappings": mappings]
        }
        return .json(.object(answer))
    }

    func getFieldMapping(_ call: NodeCall, _ name: String, field: String) throws(NodeError) -> NodeAnswer {
        var answer = JSONObject()
        for one in try reach(name, expand(call)) {
            let byType = one.index.withLock { index in
                index.types.map { type -> (String, JSONValue) in
                    var found = JSONObject()
                    type.root.visit { node in
                        guard Wildcard.matches(field, node.path), !node.isObject else { return }
                        found[node.path] = [
                            "full_name": .string(node.path),
                            "mapping": .object(JSONObject([(node.name, .object(node.json()))])),
                        ]
                    }
                    return (type.name, .object(found))
                }
            }
            let typed = isTyped(call)
            let mappings = typed ? .object(JSONObject(byType)) : byType.first?.1 ?? .object(JSONObject())
            answer[one.index.name] = ["mappings": mappings]
        }
        return .json(.object(answer))
    }

    func putMapping(_ call: NodeCall, _ name: String, type: String?) throws(NodeError) -> NodeAnswer {
        var body = try call.json(persona).object ?? JSONObject()
        // The form `{"type": {"properties": ...}}` is accepted too.
        if let type, body.count == 1, let inner = body[type]?.object { body = inner }
        if !persona.isTyped, body.count == 1, let inner = body["_doc"]?.object { body = inner }
        let given = body
        let typeName = type ?? persona.capabilities.documentType
        for one in try reach(name, expand(call)) {
            try one.index.withLock { index throws(NodeError) in
                try index.merge(persona.isTyped ? typeName : index.types.first?.name ?? "_doc", given)
            }
        }
        return .acknowledged
    }
}

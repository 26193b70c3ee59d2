import JSONText

// Calls that create, delete and describe indices.
extension SearchNode {
    /// The indices behind a name, by the rules of searches and most other calls.
    func reach(_ expression: String?, _ expand: Catalogue.Expand = Catalogue.Expand()) throws(NodeError)
        -> [Catalogue.Reached]
    {
        try catalogue.withLock { catalogue throws(NodeError) in
            try catalogue.reach(expression, expand, persona: persona)
        }
    }

    func expand(_ call: NodeCall) -> Catalogue.Expand {
        var expand = Catalogue.Expand()
        if let states = call.parameter("expand_wildcards") {
            let wanted = states.split(separator: ",")
            let isAll = wanted.contains("all")
            expand.open = isAll || wanted.contains("open")
            expand.closed = isAll || wanted.contains("closed")
        }
        expand.ignoresMissing = call.isYes("ignore_unavailable")
        return expand
    }

    func indexCall(_ call: NodeCall, _ name: String) throws(NodeError) -> NodeAnswer {
        switch call.method {
        case "PUT", "POST": return try create(name, body: try call.json(persona), call)
        case "DELETE": return try delete(name)
        case "HEAD": return NodeAnswer(status: try exists(name) ? 200 : 404, body: .bytes([]))
        case "GET": return try describe(call, name)
        default: throw persona.unsupported("method \(call.method) for an index")
        }
    }

    private func exists(_ name: String) throws(NodeError) -> Bool {
        do throws(NodeError) {
            let found = try reach(name, Catalogue.Expand(open: true, closed: true))
            return !found.isEmpty || name.contains("*")
        } catch {
            guard error.status == 404 else { throw error }
            return false
        }
    }

    private func describe(_ call: NodeCall, _ name: String) throws(NodeError) -> NodeAnswer {
        var answer = JSONObject()
        for one in try reach(name, expand(call)) {
            let index = one.index
            var description = JSONObject()
            description["aliases"] = aliasesJSON(of: index.name)
            index.withLock { index in
                description["mappings"] = index.mappings(typed: isTyped(call))
                description["settings"] = index.settings.json(flat: call.isYes("flat_settings"))
            }
            if !persona.since(5) { description["warmers"] = [:] }
            answer[index.name] = .object(description)
        }
        return .json(.object(answer))
    }

    func aliasesJSON(of index: String) -> JSONValue {
        .object(JSONObject(catalogue.withLock { $0.aliases(of: index) }.map { ($0.name, $0.alias.json) }))
    }

    /// Whether the answer puts mappings under a type name.
    func isTyped(_ call: NodeCall) -> Bool {
        if let said = call.parameter("include_type_name"), persona.since(6, 7), !persona.since(8) {
            return said != "false"
        }
        return persona.isTyped
    }

    // MARK: Creating

    func create(_ name: String, body: JSONValue, _ call: NodeCall?) throws(NodeError) -> NodeAnswer {
        try checkName(name)
        let plan = try plan(name, body: body, typed: call.map { isTyped($0) } ?? persona.isTyped)
        let index = EmbeddedIndex(
            name: name, uuid: newIdentifier(), settings: plan.settings, persona: persona, clock: clock, memory: memory)
        try index.withLock { index throws(NodeError) in
            for (type, mapping) in plan.mappings { try index.merge(type, mapping) }
        }
        try addUUID(index)
        try catalogue.withLock { catalogue throws(NodeError) in
            if catalogue.aliases[name] != nil { throw invalidName(name, "already exists as alias") }
            if let there = catalogue.indices[name] { throw alreadyThere(there) }
            for (alias, _) in plan.aliases where catalogue.indices[alias] != nil { throw aliasIsIndex(alias) }
            catalogue.insert(index)
            for (alias, definition) in plan.aliases { catalogue.setAlias(alias, of: name, definition) }
        }
        guard persona.since(5) else { return .acknowledged }
        return .json(
            persona.since(5, 6)
                ? ["acknowledged": true, "shards_acknowledged": true, "index": .string(name)]
                : ["acknowledged": true, "shards_acknowledged": true])
    }

    private func addUUID(_ index: EmbeddedIndex) throws(NodeError) {
        var own: JSONObject = ["creation_date": .string(String(clock.now)), "uuid": .string(index.uuid)]
        if persona.since(5) { own["provided_name"] = .string(index.name) }
        let version = persona.version
        var created = version.major * 1_000_000 + version.minor * 10_000 + version.patch * 100 + 99
        // OpenSearch marks its version numbers with this bit.
        if persona.isOpenSearch { created ^= 0x0800_0000 }
        own["version.created"] = .string(String(created))
        let values = own
        try index.withLock { index throws(NodeError) in try index.set(.object(values)) }
    }

    private func alreadyThere(_ index: EmbeddedIndex) -> NodeError {
        if persona.since(6) {
            return persona.about(
                NodeError(
                    400, "resource_already_exists_exception", "index [\(index.name)/\(index.uuid)] already exists"),
                index.name, index.uuid)
        }
        let reason = persona.since(5) ? "index [\(index.name)/\(index.uuid)] already exists" : "already exists"
        return persona.about(
            NodeError(400, "index_already_exists_exception", reason), index.name, index.uuid
        ).classic("[\(index.name)] already exists")
    }

    func invalidName(_ name: String, _ why: String) -> NodeError {
        persona.about(
            NodeError(400, "invalid_index_name_exception", "Invalid index name [\(name)], \(why)"), name, "_na_"
        ).classic("[\(name)] Invalid index name [\(name)], \(why)")
    }

    func checkName(_ name: String) throws(NodeError) {
        if name.contains(where: { "\\/*?\"<>| ,".contains($0) }) {
            throw invalidName(
                name, "must not contain the following characters [ , \", *, \\, <, |, ,, >, /, ?]")
        }
        if name.contains("#") { throw invalidName(name, "must not contain '#'") }
        if name.contains(":"), persona.since(7) { throw invalidName(name, "must not contain ':'") }
        if let first = name.first, first == "_" || persona.since(5) && (first == "-" || first == "+") {
            throw invalidName(name, "must not start with '_'\(persona.since(5) ? ", '-', or '+'" : "")")
        }
        if name != name.lowercased() { throw invalidName(name, "must be lowercase") }
        if name == "." || name == ".." { throw invalidName(name, "must not be '.' or '..'") }
        if name.utf8.count > 255 { throw invalidName(name, "index name is too long, (\(name.utf8.count) > 255)") }
    }

    // MARK: Deleting and closing

    private func delete(_ expression: String) throws(NodeError) -> NodeAnswer {
        let removed = try catalogue.withLock { catalogue throws(NodeError) -> [EmbeddedIndex] in
            for part in expression.split(separator: ",").map(String.init) where persona.since(6) {
                guard catalogue.aliases[part] != nil, catalogue.indices[part] == nil else { continue }
                throw persona.illegal(
                    "The provided expression [\(part)] matches an alias, specify the corresponding concrete indices "
                        + "instead.")
            }
            let isPattern = expression == "_all" || expression.contains("*")
            if isPattern, persona.since(8) {
                throw persona.illegal("Wildcard expressions or all indices are not allowed")
            }
            let expand = Catalogue.Expand(open: true, closed: true)
            return try catalogue.reach(expression, expand, persona: persona).compactMap {
                catalogue.remove($0.index.name)
            }
        }
        for index in removed { index.withLock { $0.empty() } }
        return .acknowledged
    }

    func setOpen(_ call: NodeCall, _ name: String, _ isOpen: Bool) throws(NodeError) -> NodeAnswer {
        var closed = JSONObject()
        for one in try reach(name, Catalogue.Expand(open: true, closed: true)) {
            one.index.withLock { $0.isOpen = isOpen }
            closed[one.index.name] = ["closed": true]
        }
        if isOpen {
            return .json(
                persona.since(6) ? ["acknowledged": true, "shards_acknowledged": true] : ["acknowledged": true])
        }
        guard persona.since(7, 2) else { return .acknowledged }
        return .json(["acknowledged": true, "shards_acknowledged": true, "indices": .object(closed)])
    }

    func refresh(_ call: NodeCall, _ name: String?) throws(NodeError) -> NodeAnswer {
        let now = clock.now
        var shards = 0
        for one in try reach(name) {
            shards += one.index.withLock { index in
                index.refresh(now)
                return index.primaries
            }
        }
        return .json(["_shards": ["total": .number(shards), "successful": .number(shards), "failed": 0]])
    }

    // MARK: Settings and mappings

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

extension FieldNode {
    /// This field and all fields in it, including multi-fields.
    func visit(_ each: (FieldNode) -> Void) {
        if !path.isEmpty { each(self) }
        for field in fields { each(field) }
        for child in children { child.visit(each) }
    }
}

extension EmbeddedIndex {
    /// Subtracts the bytes of a deleted index from the node's total.
    func empty() {
        let bytes = shards.reduce(0) { $0 + $1.slots.reduce(0) { $0 + ($1.current?.bytes ?? 0) } }
        memory.add(-bytes)
        shards = Array(repeating: Shard(), count: shardCount)
        isOpen = false
    }
}

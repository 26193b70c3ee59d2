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

    func exists(_ name: String) throws(NodeError) -> Bool {
        do throws(NodeError) {
            let found = try reach(name, Catalogue.Expand(open: true, closed: true))
            return !found.isEmpty || name.contains("*")
        } catch {
            guard error.status == 404 else { throw error }
            return false
        }
    }

    func describe(_ call: NodeCall, _ name: String) throws(NodeError) -> NodeAnswer {
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

    // MARK: Deleting and closing

    func delete(_ expression: String) throws(NodeError) -> NodeAnswer {
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

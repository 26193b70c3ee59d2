import JSONText

extension SearchNode {
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

    func addUUID(_ index: EmbeddedIndex) throws(NodeError) {
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

    func alreadyThere(_ index: EmbeddedIndex) -> NodeError {
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
}

import JSONText

// Index templates, and the settings and mappings of a new index.
extension SearchNode {
    struct IndexPlan {
        var settings: IndexSettings
        var mappings: [(String, JSONObject)]
        var aliases: [(String, Catalogue.Alias)]
    }

    /// The templates that match the name, then the request itself.
    func plan(_ name: String, body: JSONValue, typed: Bool) throws(NodeError) -> IndexPlan {
        var settings = JSONObject()
        var mappings: [(String, JSONObject)] = []
        var aliases: [(String, Catalogue.Alias)] = []
        for source in templates(for: name) + [body.object ?? JSONObject()] {
            for (key, value) in IndexSettings.flat(source["settings"]) { settings[key] = value }
            for (type, mapping) in try byType(source["mappings"], typed: typed) {
                if let place = mappings.firstIndex(where: { $0.0 == type }) {
                    mappings[place].1 = try MappingMerge(persona: persona).merged(mappings[place].1, mapping)
                } else {
                    mappings.append((type, mapping))
                }
            }
            for (alias, definition) in source["aliases"]?.object ?? JSONObject() {
                aliases.removeAll { $0.0 == alias }
                aliases.append((alias, Catalogue.Alias(definition)))
            }
        }
        let named = mappings.map(\.0).filter { $0 != "_default_" }
        if persona.capabilities.singleType, named.count > 1 {
            throw persona.illegal(
                "Rejecting mapping update to [\(name)] as the final mapping would have more than 1 type: "
                    + "[\(named.joined(separator: ", "))]")
        }
        var all = try IndexSettings(.object(settings), persona: persona)
        all.setDefault("index.number_of_shards", String(persona.capabilities.defaultShards))
        all.setDefault("index.number_of_replicas", "1")
        return IndexPlan(settings: all, mappings: mappings, aliases: aliases)
    }

    /// Mappings by type name.
    private func byType(_ mappings: JSONValue?, typed: Bool) throws(NodeError) -> [(String, JSONObject)] {
        guard let object = mappings?.object, !object.isEmpty else { return [] }
        guard typed else {
            let own: Set<String> = [
                "properties", "dynamic", "dynamic_templates", "date_detection", "numeric_detection",
            ]
            let isPlain = object.keys.contains { own.contains($0) || $0.hasPrefix("_") && $0 != "_doc" }
            guard !isPlain, object.count == 1, let first = object.first else { return [("_doc", object)] }
            // Before 8.0 some clients send a type. Since 8.0 it is an unknown parameter.
            if first.key == "_doc", !persona.since(8), let inner = first.value.object { return [("_doc", inner)] }
            throw NodeError(
                400, "mapper_parsing_exception",
                "Failed to parse mapping: Root mapping definition has unsupported parameters:  [\(first.key) : "
                    + "\(first.value.text())]")
        }
        var types: [(String, JSONObject)] = []
        for (type, mapping) in object {
            guard let mapping = mapping.object else {
                throw NodeError(400, "mapper_parsing_exception", "mapping for type [\(type)] is no object")
            }
            // The body may repeat the type name.
            types.append((type, mapping.count == 1 ? mapping[type]?.object ?? mapping : mapping))
        }
        return types
    }

    private func templates(for name: String) -> [JSONObject] {
        let (old, composable) = catalogue.withLock { ($0.templates, $0.composableTemplates) }
        func matches(_ template: JSONObject) -> Bool {
            let patterns = TypeMapping.texts(template["index_patterns"] ?? template["template"])
            return patterns.contains { Wildcard.matches($0, name) }
        }
        let chosen = composable.values.filter(matches).max { priority($0) < priority($1) }
        // A matching composable template replaces all old-style templates.
        if let chosen { return [chosen["template"]?.object ?? JSONObject()] }
        return old.values.filter(matches).sorted { ($0["order"]?.int ?? 0) < ($1["order"]?.int ?? 0) }
    }

    private func priority(_ template: JSONObject) -> Int64 { template["priority"]?.int ?? 0 }

    func templateCall(_ call: NodeCall, name: String?) throws(NodeError) -> NodeAnswer {
        switch (call.method, name) {
        case ("PUT", let name?), ("POST", let name?):
            let body = try call.json(persona).object ?? JSONObject()
            let key = persona.since(6) ? "index_patterns" : "template"
            guard let patterns = body[key] ?? (persona.since(8) ? Optional.none : body["template"]) else {
                throw persona.invalid([persona.since(6) ? "index patterns are missing" : "template is missing"])
            }
            var template = JSONObject()
            template["order"] = body["order"] ?? 0
            template["version"] = body["version"]
            template[key] = persona.since(6) ? .array(TypeMapping.texts(patterns).map { .string($0) }) : patterns
            template["settings"] = IndexSettingsText.nested(body["settings"])
            template["mappings"] = body["mappings"] ?? [:]
            template["aliases"] = body["aliases"] ?? [:]
            let made = template
            catalogue.withLock { $0.templates[name] = made }
            return .acknowledged
        case ("DELETE", let name?):
            let isGone = catalogue.withLock { catalogue in
                let found = catalogue.templates.keys.filter { Wildcard.matches(name, $0) }
                for one in found { catalogue.templates[one] = nil }
                return found.isEmpty && !name.contains("*")
            }
            guard !isGone else {
                throw NodeError(404, "index_template_missing_exception", "index_template [\(name)] missing")
            }
            return .acknowledged
        default:
            let all = catalogue.withLock { $0.templates }.sorted { $0.key < $1.key }
            let names = name?.split(separator: ",").map(String.init)
            let found = all.filter { entry in names?.contains { Wildcard.matches($0, entry.key) } ?? true }
            let isMissing = found.isEmpty && name.map { !$0.contains("*") } ?? false
            return .json(
                .object(JSONObject(found.map { ($0.key, .object($0.value)) })), status: isMissing ? 404 : 200)
        }
    }

    /// What a new index of this name would get; nothing where no composable template matches.
    func simulateIndex(_ name: String) -> NodeAnswer {
        let all = catalogue.withLock { $0.composableTemplates }
        let isComposable = all.values.contains { template in
            TypeMapping.texts(template["index_patterns"]).contains { Wildcard.matches($0, name) }
        }
        guard isComposable, var template = templates(for: name).first else { return .json([:]) }
        template["settings"] = IndexSettingsText.nested(template["settings"])
        return .json(["template": .object(template), "overlapping": []])
    }

    func composableTemplateCall(_ call: NodeCall, name: String?) throws(NodeError) -> NodeAnswer {
        switch (call.method, name) {
        case ("PUT", let name?), ("POST", let name?):
            let body = try call.json(persona).object ?? JSONObject()
            guard body["composed_of"]?.array?.isEmpty ?? true else { throw persona.unsupported("component templates") }
            guard body["data_stream"] == nil else { throw persona.unsupported("data streams") }
            catalogue.withLock { $0.composableTemplates[name] = body }
            return .acknowledged
        case ("DELETE", let name?):
            let there = catalogue.withLock { $0.composableTemplates.removeValue(forKey: name) != nil }
            guard there else {
                throw NodeError(404, "index_template_missing_exception", "index_template [\(name)] missing")
            }
            return .acknowledged
        default:
            let all = catalogue.withLock { $0.composableTemplates }.sorted { $0.key < $1.key }
            let found = all.filter { entry in name.map { Wildcard.matches($0, entry.key) } ?? true }
            if let name, found.isEmpty, !name.contains("*") {
                throw NodeError(
                    404, "resource_not_found_exception", "index template matching [\(name)] not found")
            }
            return .json([
                "index_templates": .array(
                    found.map { ["name": .string($0.key), "index_template": .object($0.value)] })
            ])
        }
    }
}

/// The settings of a template in the form that servers return.
enum IndexSettingsText {
    static func nested(_ settings: JSONValue?) -> JSONValue {
        var tree = JSONObject()
        for (name, value) in IndexSettings.flat(settings) {
            IndexSettings.put(value, name.split(separator: ".").map(String.init)[...], &tree)
        }
        return .object(tree)
    }
}

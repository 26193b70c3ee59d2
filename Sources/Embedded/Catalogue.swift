import JSONText

/// All indices, aliases and templates of a node. The node's lock protects this value.
struct Catalogue {
    /// An alias of one index.
    struct Alias {
        var filter: JSONValue?
        var indexRouting: String?
        var searchRouting: String?
        var isWriteIndex: Bool?
        var isHidden: Bool?

        init(_ definition: JSONValue) {
            if let filter = definition["filter"], !filter.isNull { self.filter = filter }
            let routing = Alias.text(definition["routing"])
            indexRouting = Alias.text(definition["index_routing"]) ?? Alias.text(definition["indexRouting"]) ?? routing
            searchRouting =
                Alias.text(definition["search_routing"]) ?? Alias.text(definition["searchRouting"]) ?? routing
            isWriteIndex = definition["is_write_index"]?.bool
            isHidden = definition["is_hidden"]?.bool
        }

        private static func text(_ value: JSONValue?) -> String? {
            switch value {
            case .string(let text), .number(let text): text
            default: nil
            }
        }

        var json: JSONValue {
            var object = JSONObject()
            object["filter"] = filter
            object["index_routing"] = indexRouting.map { .string($0) }
            object["search_routing"] = searchRouting.map { .string($0) }
            object["is_write_index"] = isWriteIndex.map { .bool($0) }
            object["is_hidden"] = isHidden.map { .bool($0) }
            return .object(object)
        }
    }

    private(set) var indices: [String: EmbeddedIndex] = [:]
    /// By alias name, then by index name.
    private(set) var aliases: [String: [String: Alias]] = [:]
    /// Templates as the client sent them, sorted by name.
    var templates: [String: JSONObject] = [:]
    var composableTemplates: [String: JSONObject] = [:]
    var clusterSettings: [String: JSONObject] = ["persistent": [:], "transient": [:]]

    var names: [String] { indices.keys.sorted() }

    mutating func insert(_ index: EmbeddedIndex) { indices[index.name] = index }

    mutating func remove(_ name: String) -> EmbeddedIndex? {
        for alias in aliases.keys { removeAlias(alias, from: name) }
        return indices.removeValue(forKey: name)
    }

    mutating func setAlias(_ alias: String, of index: String, _ definition: Alias) {
        aliases[alias, default: [:]][index] = definition
    }

    mutating func removeAlias(_ alias: String, from index: String) {
        aliases[alias]?.removeValue(forKey: index)
        if aliases[alias]?.isEmpty == true { aliases.removeValue(forKey: alias) }
    }

    func aliases(of index: String) -> [(name: String, alias: Alias)] {
        aliases.compactMap { name, indices in indices[index].map { (name, $0) } }.sorted { $0.name < $1.name }
    }

    // MARK: Names in requests

    /// An index that a request reaches, with the filter and routing of its alias.
    struct Reached {
        var index: EmbeddedIndex
        /// At least one of these filters must match; empty: all documents match.
        var filters: [JSONValue] = []
        /// Nil: all shards.
        var routings: Set<String>?
    }

    /// Which index states a pattern matches.
    struct Expand {
        var open = true
        var closed = false
        var ignoresMissing = false
    }

    /// The indices behind a list of names, patterns and aliases. `nil`: all indices.
    func reach(_ expression: String?, _ expand: Expand, persona: ServerPersona) throws(NodeError) -> [Reached] {
        var found: [String: Reached] = [:]
        var order: [String] = []
        func add(_ name: String, _ alias: Alias?) {
            guard let index = indices[name] else { return }
            if found[name] == nil {
                order.append(name)
                found[name] = Reached(
                    index: index, filters: alias?.filter.map { [$0] } ?? [],
                    routings: alias?.searchRouting.map { Set($0.split(separator: ",").map(String.init)) })
            } else if alias?.filter == nil {
                found[name]?.filters = []
                found[name]?.routings = nil
            } else if let filter = alias?.filter, found[name]?.filters.isEmpty == false {
                found[name]?.filters.append(filter)
            }
        }
        for part in (expression ?? "_all").split(separator: ",").map(String.init) {
            if part == "_all" || part.contains("*") {
                let isNot = part.hasPrefix("-") && !order.isEmpty
                let pattern = part == "_all" ? "*" : isNot ? String(part.dropFirst()) : part
                for name in names where Wildcard.matches(pattern, name) && isWanted(name, expand) {
                    if isNot { found[name] = nil } else { add(name, nil) }
                }
                guard part != "_all", !isNot else { continue }
                for alias in aliases.keys.sorted() where Wildcard.matches(pattern, alias) {
                    for (name, definition) in aliases[alias] ?? [:] where isWanted(name, expand) {
                        add(name, definition)
                    }
                }
            } else if indices[part] != nil {
                add(part, nil)
            } else if let behind = aliases[part] {
                for name in behind.keys.sorted() { add(name, behind[name]) }
            } else if part.hasPrefix("-"), !order.isEmpty {
                found[String(part.dropFirst())] = nil
            } else if !expand.ignoresMissing {
                throw persona.missing(part)
            }
        }
        return order.compactMap { found[$0] }
    }

    private func isWanted(_ name: String, _ expand: Expand) -> Bool {
        let isOpen = indices[name]?.withLock { $0.isOpen } ?? true
        return isOpen ? expand.open : expand.closed
    }

    /// The index that a write to this name goes to; nil when there is none.
    func writeTarget(_ name: String, persona: ServerPersona) throws(NodeError) -> (EmbeddedIndex, Alias?)? {
        if let index = indices[name] { return (index, nil) }
        guard let behind = aliases[name] else { return nil }
        let chosen: String?
        if persona.capabilities.writeIndex {
            let marked = behind.first { $0.value.isWriteIndex == true }
            let only = behind.count == 1 ? behind.first.flatMap { $0.value.isWriteIndex == false ? nil : $0 } : nil
            chosen = (marked ?? only)?.key
        } else {
            chosen = behind.count == 1 ? behind.first?.key : nil
        }
        if let chosen, let index = indices[chosen] { return (index, behind[chosen]) }
        if persona.capabilities.writeIndex {
            throw persona.illegal(
                "no write index is defined for alias [\(name)]. The write index may be explicitly disabled using "
                    + "is_write_index=false or the alias points to multiple indices without one being designated as a "
                    + "write index")
        }
        let list = behind.keys.sorted().joined(separator: ", ")
        throw persona.illegal(
            "Alias [\(name)] has more than one indices associated with it [[\(list)]], can't execute a single index op")
    }
}

import JSONText

// Alias calls. One request changes all of its aliases or none.
extension SearchNode {
    private var changed: NodeAnswer {
        persona.since(8, 12) ? .json(["acknowledged": true, "errors": false]) : .acknowledged
    }

    func aliasIsIndex(_ alias: String) -> NodeError {
        let reason =
            persona.since(8)
            ? "Invalid alias name [\(alias)]: an index or data stream exists with the same name as the alias"
            : "Invalid alias name [\(alias)], an index exists with the same name as the alias"
        return NodeError(400, "invalid_alias_name_exception", reason).classic("[\(alias)] \(reason)")
    }

    private func missingAlias(_ names: [String]) -> NodeError {
        let list = names.joined(separator: ",")
        return NodeError(404, "aliases_not_found_exception", "aliases [\(list)] missing")
            .with("resource.type", "aliases").with("resource.id", .string(list))
            .classic("aliases [[\(list)]] missing")
    }

    func changeAliases(_ call: NodeCall) throws(NodeError) -> NodeAnswer {
        let actions = try call.json(persona)["actions"]?.array ?? []
        guard !actions.isEmpty else { throw persona.invalid(["Must specify at least one alias action"]) }
        var dropped: [EmbeddedIndex] = []
        try catalogue.withLock { catalogue throws(NodeError) in
            // The actions change a copy, so a failing action leaves the aliases unchanged.
            var next = catalogue
            for action in actions {
                guard let (name, arguments) = action.object?.first else {
                    throw persona.illegal("Malformed action: it must be an object with one member")
                }
                if let index = try change(name, arguments, &next) { dropped.append(index) }
            }
            try checkWriteIndices(next)
            catalogue = next
        }
        for index in dropped { index.withLock { $0.empty() } }
        return changed
    }

    private func change(
        _ action: String, _ arguments: JSONValue, _ catalogue: inout Catalogue
    ) throws(NodeError) -> EmbeddedIndex? {
        let indices = names(arguments, "index", "indices")
        let aliases = names(arguments, "alias", "aliases")
        var targets: [String] = []
        for expression in indices {
            let expand = Catalogue.Expand(open: true, closed: true)
            targets += try catalogue.reach(expression, expand, persona: persona).map(\.index.name)
        }
        switch action {
        case "add":
            for alias in aliases {
                guard catalogue.indices[alias] == nil else { throw aliasIsIndex(alias) }
                for index in targets { catalogue.setAlias(alias, of: index, Catalogue.Alias(arguments)) }
            }
        case "remove":
            var removed = false
            for index in targets {
                for alias in catalogue.aliases(of: index)
                where aliases.contains(where: { Wildcard.matches($0, alias.name) }) {
                    catalogue.removeAlias(alias.name, from: index)
                    removed = true
                }
            }
            if !removed, arguments["must_exist"] != .bool(false) { throw missingAlias(aliases) }
        case "remove_index":
            guard persona.since(5) else { throw persona.illegal("Alias action [\(action)] not supported") }
            return targets.compactMap { catalogue.remove($0) }.first
        default: throw persona.illegal("Alias action [\(action)] not supported")
        }
        return nil
    }

    private func names(_ arguments: JSONValue, _ one: String, _ many: String) -> [String] {
        TypeMapping.texts(arguments[one]) + TypeMapping.texts(arguments[many])
    }

    private func checkWriteIndices(_ catalogue: Catalogue) throws(NodeError) {
        for (alias, indices) in catalogue.aliases {
            let writers = indices.filter { $0.value.isWriteIndex == true }.map(\.key).sorted()
            guard writers.count > 1 else { continue }
            throw NodeError(
                500, "illegal_state_exception",
                "alias [\(alias)] has more than one write index [\(writers.joined(separator: ","))]")
        }
    }

    /// `_alias` and `_aliases`, except `POST /_aliases`.
    func aliasCall(_ call: NodeCall, index: String?, name: String?) throws(NodeError) -> NodeAnswer {
        switch call.method {
        case "PUT", "POST":
            guard let index, let name else { throw persona.unsupported("[\(call.wholePath)]") }
            let body = try call.json(persona)
            let targets = try reach(index, Catalogue.Expand(open: true, closed: true)).map(\.index.name)
            try catalogue.withLock { catalogue throws(NodeError) in
                guard catalogue.indices[name] == nil else { throw aliasIsIndex(name) }
                for target in targets { catalogue.setAlias(name, of: target, Catalogue.Alias(body)) }
            }
            return changed
        case "DELETE":
            guard let index, let name else { throw persona.unsupported("[\(call.wholePath)]") }
            let targets = try reach(index, Catalogue.Expand(open: true, closed: true)).map(\.index.name)
            let removed = catalogue.withLock { catalogue in
                var removed = false
                for target in targets {
                    for alias in catalogue.aliases(of: target) where Wildcard.matches(name, alias.name) {
                        catalogue.removeAlias(alias.name, from: target)
                        removed = true
                    }
                }
                return removed
            }
            guard removed else { throw missingAlias([name]) }
            return changed
        default: return try aliases(call, index: index, name: name)
        }
    }

    private func aliases(_ call: NodeCall, index: String?, name: String?) throws(NodeError) -> NodeAnswer {
        let reached: [Catalogue.Reached]
        do throws(NodeError) {
            reached = try reach(index, Catalogue.Expand(open: true, closed: true))
        } catch {
            guard error.status == 404, !persona.since(2) else { throw error }
            return .json([:])
        }
        let names = name?.split(separator: ",").map(String.init)
        var answer = JSONObject()
        var seen: Set<String> = []
        for one in reached {
            var found = JSONObject()
            for (alias, definition) in catalogue.withLock({ $0.aliases(of: one.index.name) }) {
                guard names?.contains(where: { Wildcard.matches($0, alias) || $0 == "_all" }) ?? true else { continue }
                found[alias] = definition.json
                seen.insert(alias)
            }
            if !found.isEmpty || name == nil { answer[one.index.name] = ["aliases": .object(found)] }
        }
        let missing = (names ?? []).filter { !$0.contains("*") && $0 != "_all" && !seen.contains($0) }
        if call.method == "HEAD" {
            return NodeAnswer(status: answer.isEmpty || !missing.isEmpty ? 404 : 200, body: .bytes([]))
        }
        guard !missing.isEmpty else { return .json(.object(answer)) }
        let word = missing.count == 1 ? "alias" : "aliases"
        answer["error"] = .string("\(word) [\(missing.joined(separator: ","))] missing")
        answer["status"] = 404
        return .json(.object(answer), status: 404)
    }
}

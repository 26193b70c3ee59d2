import JSONText

// The bulk call.
extension SearchNode {
    func bulk(_ call: NodeCall, index: String?, type: String?, started: Int64) throws(NodeError) -> NodeAnswer {
        guard call.method == "POST" || call.method == "PUT" else {
            throw NodeError(405, "illegal_argument_exception", "method [\(call.method)] is not allowed for [_bulk]")
        }
        guard call.hasBody else { throw emptyBulk }
        let answer = BulkAnswer(persona: persona, filter: call.filter)
        let result = call.request.body.withUnsafeBufferPointer { body -> Result<Void, NodeError> in
            do throws(NodeError) {
                let actions = try readActions(body, index: index, type: type)
                perform(actions, body, call, into: answer)
                return .success(())
            } catch { return .failure(error) }
        }
        try result.get()
        return answer.finished(took: max(clock.now - started, 0))
    }

    private var emptyBulk: NodeError {
        guard persona.since(5) else { return NodeError(400, "parse_exception", "Failed to derive xcontent") }
        return NodeError(400, "parse_exception", "request body is required")
    }

    /// Reads all lines before it performs any action: an invalid line fails the whole request.
    private func readActions(_ body: Bytes, index: String?, type: String?) throws(NodeError) -> [BulkAction] {
        guard let text = body.baseAddress else { throw emptyBulk }
        var lines = BulkLines(text, body.count, persona: persona)
        var actions: [BulkAction] = []
        actions.reserveCapacity(body.count / 300 + 4)
        var problems: [String] = []
        let standard = type ?? (persona.isTyped ? nil : "_doc")
        while var action = try lines.next() {
            action.index = action.index ?? index
            if let named = action.type ?? standard {
                action.operation.type = named
            } else {
                action.operation.type = persona.capabilities.documentType
            }
            if action.index == nil {
                problems.append("index is missing")
                if persona.isTyped, action.type == nil, type == nil { problems.append("type is missing") }
            } else if persona.isTyped, action.type == nil, type == nil {
                problems.append("type is missing")
            }
            if !action.hasID {
                if action.operation.kind == .delete || action.operation.kind == .update {
                    problems.append("id is missing")
                }
                action.operation.id = String(newIdentifier().filter { $0 != "-" })
            }
            if let problem = problem(action.operation) { problems.append(problem) }
            actions.append(action)
        }
        guard problems.isEmpty else { throw persona.invalid(problems) }
        guard !actions.isEmpty else { throw persona.invalid(["no requests added"]) }
        try checkClosedAliases(actions)
        return actions
    }

    /// Before 7.0 an alias that is closed to writes fails the whole request.
    private func checkClosedAliases(_ actions: [BulkAction]) throws(NodeError) {
        guard persona.capabilities.closedAliasFailsRequest else { return }
        var last: String?
        for action in actions where action.index != last {
            last = action.index
            guard let name = action.index else { continue }
            _ = try catalogue.withLock { catalogue throws(NodeError) in
                try catalogue.writeTarget(name, persona: persona)
            }
        }
    }

    /// Consecutive actions on one index are performed under its lock together.
    private func perform(_ actions: [BulkAction], _ body: Bytes, _ call: NodeCall, into answer: BulkAnswer) {
        let mayFail = faults.hasItems
        let now = clock.now
        var touched: [ObjectIdentifier: EmbeddedIndex] = [:]
        var at = 0
        while at < actions.count {
            let name = actions[at].index ?? ""
            var end = at + 1
            while end < actions.count, actions[end].index == name, actions[end].operation.kind != .update,
                actions[at].operation.kind != .update
            { end += 1 }
            let group = actions[at..<end]
            at = end
            if actions[group.startIndex].operation.kind == .update {
                update(actions[group.startIndex], name, body, into: answer)
                continue
            }
            do throws(NodeError) {
                // The group may contain other actions that do create the index.
                let maker = group.first { $0.operation.kind != .delete } ?? group[group.startIndex]
                let (target, alias) = try writeTarget(name, maker.operation)
                touched[ObjectIdentifier(target)] = target
                target.withLock { target in
                    write(group, to: target, alias, body, now: now, mayFail: mayFail, into: answer)
                }
            } catch {
                for action in group { answer.add(action, index: name, error) }
            }
        }
        if refreshes(call) { for index in touched.values { index.withLock { $0.refresh(now) } } }
    }

    private func write(
        _ group: ArraySlice<BulkAction>, to target: EmbeddedIndex, _ alias: Catalogue.Alias?, _ body: Bytes, now: Int64,
        mayFail: Bool, into answer: BulkAnswer
    ) {
        let replicas = target.replicas
        for action in group {
            if mayFail, let fault = faults.nextItem(persona) {
                answer.add(action, index: target.name, fault)
                continue
            }
            var operation = action.operation
            if operation.routing == nil, let routing = alias?.indexRouting { operation.routing = routing }
            do throws(NodeError) {
                let source = Bytes(rebasing: body[action.source])
                let result = try target.write(operation, source: source, now: now)
                answer.add(action, index: target.name, result, replicas: replicas)
            } catch {
                answer.add(action, index: target.name, error)
            }
        }
    }

    private func update(_ action: BulkAction, _ index: String, _ body: Bytes, into answer: BulkAnswer) {
        do throws(NodeError) {
            let tree: JSONValue
            do throws(JSONError) {
                tree = try JSONValue(parsing: Bytes(rebasing: body[action.source]))
            } catch {
                throw persona.unreadable(error)
            }
            let written = try update(action.operation, index: index, body: tree, nil)
            answer.add(action, index: written.index, written.result, replicas: written.replicas)
        } catch {
            answer.add(action, index: index, error)
        }
    }
}

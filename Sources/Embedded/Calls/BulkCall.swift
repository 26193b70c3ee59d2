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

/// Writes the answer of a bulk request item by item.
final class BulkAnswer {
    private let persona: ServerPersona
    private let filter: FilterPath?
    /// The members to write per item. When the filter looks inside members, all of them are written and filtered
    /// afterwards.
    private let isFilteredAtEnd: Bool
    private let out = ByteBuffer(capacity: 1 << 14)
    private var count = 0
    private var hasErrors = false
    private let gives: Set<String>

    private static let members = [
        "_index", "_type", "_id", "_version", "result", "_shards", "_seq_no", "_primary_term", "created", "found",
        "status", "error",
    ]

    init(persona: ServerPersona, filter: FilterPath?) {
        self.persona = persona
        self.filter = filter
        guard let filter else {
            gives = Set(BulkAnswer.members)
            isFilteredAtEnd = false
            return
        }
        // A filter that names no action keeps the same members of all actions.
        let kinds = ["index", "create", "delete", "update"]
        let given = kinds.map { kind in Set(BulkAnswer.members.filter { filter.gives(["items", kind, $0]) }) }
        isFilteredAtEnd = given.contains { $0 != given[0] } || filter.divides(["items", "index", "error"])
        gives = isFilteredAtEnd ? Set(BulkAnswer.members) : given[0]
        isStatusOnly = !isFilteredAtEnd && gives == ["status", "error"]
    }

    /// The filter that Crossfade uses: only the status, and the error if there is one.
    private var isStatusOnly = false

    private func begin(_ action: BulkAction) {
        if count > 0 { out.append(UInt8(ascii: ",")) }
        count += 1
        switch action.operation.kind {
        case .index: out.append("{\"index\":{")
        case .create: out.append("{\"create\":{")
        case .delete: out.append("{\"delete\":{")
        case .update: out.append("{\"update\":{")
        }
    }

    func add(_ action: BulkAction, index: String, _ result: WriteResult, replicas: Int) {
        begin(action)
        if isStatusOnly {
            out.append("\"status\":")
            out.append(decimal: Int64(result.status))
            return out.append("}}")
        }
        var writer = MemberWriter(out: out, gives: gives)
        let isDelete = action.operation.kind == .delete
        let wasThere = result.outcome == .deleted
        let isFifth = persona.since(5) && !persona.since(6)
        if isDelete, isFifth { writer.flag("found", wasThere) }
        head(action, index, &writer)
        writer.number("_version", result.version)
        if persona.since(5) { writer.text("result", result.outcome.rawValue) }
        if persona.since(2), writer.begin("_shards") {
            out.append("{\"total\":")
            out.append(decimal: Int64(1 + max(replicas, 0)))
            out.append(",\"successful\":1,\"failed\":0}")
        }
        if persona.since(6) {
            writer.number("_seq_no", result.sequence)
            writer.number("_primary_term", 1)
        } else if isFifth, !isDelete {
            writer.flag("created", result.outcome == .created)
        }
        writer.number("status", Int64(result.status))
        if isDelete, !persona.since(5) { writer.flag("found", wasThere) }
        out.append("}}")
    }

    func add(_ action: BulkAction, index: String, _ error: NodeError) {
        hasErrors = true
        begin(action)
        var writer = MemberWriter(out: out, gives: gives)
        head(action, index, &writer)
        writer.number("status", Int64(error.status))
        if writer.begin("error") { error.value(persona).write(into: out) }
        out.append("}}")
    }

    private func head(_ action: BulkAction, _ index: String, _ writer: inout MemberWriter) {
        writer.text("_index", index)
        if persona.answersWithType { writer.text("_type", action.operation.type) }
        writer.text("_id", action.operation.id)
    }

    func finished(took: Int64) -> NodeAnswer {
        let answer = ByteBuffer(capacity: out.count + 64)
        var isFirst = true
        func member(_ name: StaticString, _ value: String) {
            if !isFilteredAtEnd, let filter, !filter.gives(["\(name)"]) { return }
            answer.append(isFirst ? "{\"" : ",\"")
            isFirst = false
            answer.append(name)
            answer.append("\":")
            answer.append(value)
        }
        if persona.since(8) {
            member("errors", hasErrors ? "true" : "false")
            member("took", String(took))
        } else {
            member("took", String(took))
            member("errors", hasErrors ? "true" : "false")
        }
        if !gives.isEmpty {
            answer.append(isFirst ? "{\"items\":[" : ",\"items\":[")
            answer.append(out.bytes)
            answer.append("]}")
        } else {
            answer.append(isFirst ? "{}" : "}")
        }
        if isFilteredAtEnd, let whole = try? JSONValue(parsing: answer.bytes) { return .json(whole) }
        return NodeAnswer(status: 200, body: .bytes(Array(answer.bytes)))
    }
}

/// Writes those members of one object that the filter keeps.
struct MemberWriter {
    let out: ByteBuffer
    let gives: Set<String>
    private var isFirst = true

    init(out: ByteBuffer, gives: Set<String>) {
        self.out = out
        self.gives = gives
    }

    /// Writes the member's name if the filter keeps it, and returns whether it does.
    mutating func begin(_ name: StaticString) -> Bool {
        guard gives.contains("\(name)") else { return false }
        out.append(isFirst ? "\"" : ",\"")
        isFirst = false
        out.append(name)
        out.append("\":")
        return true
    }

    mutating func text(_ name: StaticString, _ value: String) {
        guard begin(name) else { return }
        var value = value
        value.withUTF8 { JSONString.escape($0, into: out) }
    }

    mutating func number(_ name: StaticString, _ value: Int64) { if begin(name) { out.append(decimal: value) } }

    mutating func flag(_ name: StaticString, _ value: Bool) {
        guard begin(name) else { return }
        if value { out.append("true") } else { out.append("false") }
    }
}

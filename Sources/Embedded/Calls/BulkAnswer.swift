import JSONText

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

import JSONText

// Calls about one document.
extension SearchNode {
    /// The document that a call names.
    struct DocumentPlace {
        var type: String
        var id: String?
        var action: String?
    }

    func documentCall(_ call: NodeCall, _ index: String) throws(NodeError) -> NodeAnswer? {
        guard let place = place(call) else { return nil }
        let isUpdate = place.action == "_update"
        switch call.method {
        case "GET" where place.id != nil, "HEAD" where place.id != nil:
            return try get(call, index, place)
        case "PUT" where place.id != nil && !isUpdate, "POST" where !isUpdate:
            return try put(call, index, place)
        case "POST" where isUpdate && place.id != nil: return try update(call, index, place)
        case "DELETE" where place.id != nil && place.action == nil: return try remove(call, index, place)
        default: return nil
        }
    }

    func place(_ call: NodeCall) -> DocumentPlace? {
        let path = call.path
        guard path.count >= 2, path.count <= 4 else { return nil }
        if ["_create", "_update", "_source"].contains(path[1]) {
            guard path.count == 3, persona.since(7) else { return nil }
            return DocumentPlace(type: "_doc", id: path[2], action: path[1])
        }
        let isPlain = path[1] == "_doc"
        guard persona.isTyped || isPlain else { return nil }
        // Type names with a leading underscore are reserved, except `_doc` since 6.2, and `_all` in a get.
        guard !path[1].hasPrefix("_") || isPlain && persona.since(6, 2) || path[1] == "_all" else { return nil }
        let action = path.count == 4 ? path[3] : nil
        if let action, !["_create", "_update", "_source"].contains(action) || persona.since(7) { return nil }
        return DocumentPlace(type: path[1], id: path.count > 2 ? path[2] : nil, action: action)
    }

    // MARK: Get

    func get(_ call: NodeCall, _ index: String, _ place: DocumentPlace) throws(NodeError) -> NodeAnswer {
        let id = place.id ?? ""
        let asked = Asked(
            index: index, type: place.type, id: id, routing: call.parameter("routing") ?? call.parameter("parent"),
            source: SourceFilter(call) ?? .whole)
        let found = try find(asked, requiresRouting: true)
        guard place.action == "_source" else {
            return .json(answer(asked, found), status: found.document == nil ? 404 : 200)
        }
        guard let document = found.document else {
            guard persona.since(7) else { return NodeAnswer(status: 404, body: .bytes([])) }
            throw NodeError(404, "resource_not_found_exception", "Document not found [\(index)]/[\(id)]")
        }
        return .json(asked.source.apply(document.tree))
    }

    /// A document that a get names.
    struct Asked {
        var index: String
        var type: String?
        var id: String
        var routing: String?
        var source: SourceFilter
    }

    /// The index's own name, and the document if it exists.
    func find(_ asked: Asked, requiresRouting: Bool) throws(NodeError) -> (index: String, document: StoredDocument?) {
        let target = try catalogue.withLock { catalogue throws(NodeError) -> Catalogue.Reached? in
            do throws(NodeError) {
                return try catalogue.reach(asked.index, Catalogue.Expand(), persona: persona).first
            } catch {
                throw error.status == 404 ? persona.missing(asked.index, byDocument: true) : error
            }
        }
        guard let target else { throw persona.missing(asked.index, byDocument: true) }
        let routing = asked.routing ?? target.routings?.first
        let type = persona.isTyped ? asked.type : nil
        let document = try target.index.withLock { index throws(NodeError) -> StoredDocument? in
            guard index.isOpen else { throw persona.closed(index.name, uuid: index.uuid) }
            let mapping = type.flatMap { index.type($0) } ?? (persona.isTyped ? nil : index.types.first)
            if requiresRouting, routing == nil, let mapping, mapping.routingRequired {
                throw persona.routingMissing(index.name, type: mapping.name, id: asked.id)
            }
            guard let found = index.get(asked.id, type: type, routing: routing) else { return nil }
            if let type, type != "_all", type != "_doc", let own = found.type, own != type { return nil }
            return found
        }
        return (target.index.name, document)
    }

    func answer(_ asked: Asked, _ found: (index: String, document: StoredDocument?)) -> JSONValue {
        var answer: JSONObject = ["_index": .string(found.index)]
        if persona.answersWithType {
            let named = asked.type.map { JSONValue.string($0) }
            answer["_type"] = found.document?.type.map { .string($0) } ?? named ?? (persona.isTyped ? .null : "_doc")
        }
        answer["_id"] = .string(asked.id)
        guard let document = found.document else {
            answer["found"] = false
            return .object(answer)
        }
        answer["_version"] = .number(document.version)
        if persona.since(6, 6) {
            answer["_seq_no"] = .number(document.sequence)
            answer["_primary_term"] = 1
        }
        if persona.since(2) {
            answer["_routing"] = document.routing.map { .string($0) }
            answer["_parent"] = document.parent.map { .string($0) }
        }
        answer["found"] = true
        if asked.source.isGiven, !document.source.isEmpty { answer["_source"] = asked.source.apply(document.tree) }
        return .object(answer)
    }
}

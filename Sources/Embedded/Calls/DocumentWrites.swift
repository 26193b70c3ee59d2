import JSONText

// Calls that write one document.

extension SearchNode {
    func operation(
        _ call: NodeCall, _ kind: WriteOperation.Kind, _ place: DocumentPlace
    ) throws(NodeError) -> WriteOperation {
        let id = place.id ?? newIdentifier().replacingDashes
        var operation = WriteOperation(kind: kind, id: id, type: place.type)
        operation.routing = call.parameter("routing")
        operation.parent = call.parameter("parent")
        operation.version = try call.whole("version", persona)
        if let name = call.parameter("version_type") {
            guard let type = WriteOperation.VersionType(rawValue: name == "external_gt" ? "external" : name) else {
                throw persona.illegal("No version type match [\(name)]")
            }
            operation.versionType = type
        }
        if persona.since(6, 6) {
            operation.sequence = try call.whole("if_seq_no", persona)
            operation.term = try call.whole("if_primary_term", persona)
        } else if persona.since(5), call.parameter("if_seq_no") != nil {
            throw persona.illegal(
                "request [\(call.wholePath)] contains unrecognized parameters: [if_primary_term], [if_seq_no]")
        }
        if let problem = problem(operation) { throw persona.invalid([problem]) }
        return operation
    }

    /// Checks that a server makes before it looks at the document.
    func problem(_ operation: WriteOperation) -> String? {
        if let longest = persona.capabilities.maximumIDBytes, operation.kind != .delete,
            operation.id.utf8.count > longest
        {
            let start = persona.since(7, 15) ? "id [\(operation.id)]" : "id"
            return "\(start) is too long, must be no longer than \(longest) bytes but was: \(operation.id.utf8.count)"
        }
        if operation.versionType == .force, persona.since(6) {
            return "version type [force] may no longer be used"
        }
        guard let version = operation.version else { return nil }
        if operation.versionType != .internal, version < 0 {
            let name = operation.versionType == .external ? "EXTERNAL" : "EXTERNAL_GTE"
            return "illegal version value [\(version)] for version type [\(name)]"
        }
        if operation.versionType == .internal, persona.since(7), operation.kind != .update {
            return "internal versioning can not be used for optimistic concurrency control. Please use `if_seq_no` and "
                + "`if_primary_term` instead"
        }
        return nil
    }

    func put(_ call: NodeCall, _ index: String, _ place: DocumentPlace) throws(NodeError) -> NodeAnswer {
        let isCreate = place.action == "_create" || call.parameter("op_type") == "create"
        guard place.action == nil || place.action == "_create" else { throw persona.unsupported(call.wholePath) }
        let operation = try operation(call, isCreate ? .create : .index, place)
        guard call.hasBody else { throw persona.invalid(["source is missing"]) }
        let written = try write(operation, index: index, body: call.request.body, call)
        return .json(answer(operation, written.index, written.result, written.replicas), status: written.result.status)
    }

    func remove(_ call: NodeCall, _ index: String, _ place: DocumentPlace) throws(NodeError) -> NodeAnswer {
        let operation = try operation(call, .delete, place)
        let written = try write(operation, index: index, body: [], call)
        return .json(answer(operation, written.index, written.result, written.replicas), status: written.result.status)
    }

    typealias Written = (index: String, result: WriteResult, replicas: Int)

    func write(
        _ operation: WriteOperation, index: String, body: [UInt8], _ call: NodeCall?
    ) throws(NodeError) -> Written {
        let (target, alias) = try writeTarget(index, operation)
        var operation = operation
        if operation.routing == nil { operation.routing = alias?.indexRouting }
        let final = operation
        let now = clock.now
        let isRefreshed = call.map { refreshes($0) } ?? false
        return try target.withLock { target throws(NodeError) in
            // The bytes are valid only inside the closure.
            let result = body.withUnsafeBufferPointer { bytes -> Result<WriteResult, NodeError> in
                do throws(NodeError) {
                    return .success(try target.write(final, source: bytes, now: now))
                } catch { return .failure(error) }
            }
            let done = try result.get()
            if isRefreshed { target.refresh(now) }
            return (target.name, done, target.replicas)
        }
    }

    func refreshes(_ call: NodeCall) -> Bool { call.isYes("refresh") }

    /// The index that a write goes to. A missing index is created, as servers do by default.
    func writeTarget(
        _ name: String, _ operation: WriteOperation
    ) throws(NodeError) -> (EmbeddedIndex, Catalogue.Alias?) {
        let there = try catalogue.withLock { catalogue throws(NodeError) in
            try catalogue.writeTarget(name, persona: persona)
        }
        if let there { return there }
        // Since 6.0 a delete creates an index only when it has an external version.
        let isVersioned = operation.versionType == .external || operation.versionType == .externalOrEqual
        if operation.kind == .delete, persona.since(6), !isVersioned { throw persona.missing(name, byDocument: true) }
        let automatic = catalogue.withLock { catalogue in
            let both = ["transient", "persistent"].compactMap { catalogue.clusterSettings[$0] }
            return both.compactMap { IndexSettings.flat(.object($0))["index.action.auto_create_index"]?.string }.first
        }
        if automatic == "false" { throw persona.missing(name) }
        do throws(NodeError) {
            _ = try create(name, body: [:], nil)
        } catch {
            // Another request created it first.
            guard error.type.contains("already_exists") else { throw error }
        }
        let made = try catalogue.withLock { catalogue throws(NodeError) in
            try catalogue.writeTarget(name, persona: persona)
        }
        guard let made else { throw persona.missing(name) }
        return made
    }

    /// The answer to a write of one document.
    func answer(_ operation: WriteOperation, _ index: String, _ result: WriteResult, _ replicas: Int) -> JSONValue {
        var answer = JSONObject()
        let isDelete = operation.kind == .delete
        let wasThere = result.outcome == .deleted
        if isDelete, !persona.since(6) { answer["found"] = .bool(wasThere) }
        answer["_index"] = .string(index)
        if persona.answersWithType { answer["_type"] = .string(operation.type) }
        answer["_id"] = .string(operation.id)
        answer["_version"] = .number(result.version)
        if persona.since(5) { answer["result"] = .string(result.outcome.rawValue) }
        if persona.since(2) {
            answer["_shards"] = ["total": .number(1 + max(replicas, 0)), "successful": 1, "failed": 0]
        }
        if persona.since(6) {
            answer["_seq_no"] = .number(result.sequence)
            answer["_primary_term"] = 1
        } else if !isDelete, operation.kind != .update {
            answer["created"] = .bool(result.outcome == .created)
        }
        return .object(answer)
    }

    // MARK: Update

    func update(_ call: NodeCall, _ index: String, _ place: DocumentPlace) throws(NodeError) -> NodeAnswer {
        let operation = try operation(call, .update, place)
        let written = try update(operation, index: index, body: try call.json(persona), call)
        return .json(answer(operation, written.index, written.result, written.replicas), status: written.result.status)
    }

    /// Merges a partial document into the stored one.
    func update(
        _ operation: WriteOperation, index: String, body: JSONValue, _ call: NodeCall?
    ) throws(NodeError) -> Written {
        guard body["script"] == nil else { throw persona.unsupported("scripts") }
        let asked = Asked(
            index: index, type: operation.type, id: operation.id, routing: operation.routing ?? operation.parent,
            source: .whole)
        let found = try find(asked, requiresRouting: true)
        var next = operation
        next.kind = .index
        next.version = nil
        guard let document = found.document else {
            let upsert = body["upsert"] ?? (body["doc_as_upsert"] == .bool(true) ? body["doc"] : Optional.none)
            guard let upsert else { throw missingDocument(operation, found.index) }
            return try write(next, index: index, body: Array(upsert.text().utf8), call)
        }
        if next.sequence == nil, persona.since(6, 6) {
            next.sequence = document.sequence
            next.term = 1
        }
        let before = document.tree
        let after = JSONMerge.merged(before, body["doc"] ?? [:])
        if after == before, body["detect_noop"] != .bool(false), persona.since(2) {
            let result = WriteResult(outcome: .noop, version: document.version, sequence: document.sequence)
            return (found.index, result, 0)
        }
        if next.routing == nil { next.routing = document.routing }
        return try write(next, index: index, body: Array(after.text().utf8), call)
    }

    func missingDocument(_ operation: WriteOperation, _ index: String) -> NodeError {
        let who = persona.since(7) ? "[\(operation.id)]" : "[\(operation.type)][\(operation.id)]"
        let error = NodeError(404, "document_missing_exception", "\(who): document missing")
        return error.with("index", .string(index)).classic("[\(index)][0] \(who): document missing")
    }
}

import JSONText

/// One write of one document.
struct WriteOperation {
    enum Kind: String { case index, create, delete, update }
    enum VersionType: String {
        case `internal`
        case external
        case externalOrEqual = "external_gte"
        case force
    }

    var kind: Kind
    var id: String
    var type: String
    var routing: String?
    var parent: String?
    var version: Int64?
    var versionType = VersionType.internal
    var sequence: Int64?
    var term: Int64?
}

/// The result of a write.
struct WriteResult {
    enum Outcome: String { case created, updated, deleted, notFound = "not_found", noop }

    var outcome: Outcome
    var version: Int64
    var sequence: Int64

    var status: Int {
        switch outcome {
        case .created: 201
        case .notFound: 404
        case .updated, .deleted, .noop: 200
        }
    }
}

// Called under the index's lock.
extension EmbeddedIndex {
    /// Performs the write. `source` is the document's text; empty for a delete.
    func write(_ operation: WriteOperation, source: Bytes, now: Int64) throws(NodeError) -> WriteResult {
        do throws(NodeError) {
            if let writeBlock { throw writeBlock }
            noteWrite(at: now)
            return operation.kind == .delete
                ? try delete(operation, now: now) : try put(operation, source: source, now: now)
        } catch {
            if operation.kind != .delete { counters.failed += 1 }
            throw error
        }
    }

    private func mapping(for type: String) throws(NodeError) -> TypeMapping {
        if let there = self.type(type) { return there }
        // In a version without types the index has one type, whatever the URL names.
        if !persona.isTyped, let only = types.first { return only }
        try merge(type, JSONObject())
        guard let made = self.type(type) else { throw persona.illegal("there is no mapping for type [\(type)]") }
        return made
    }

    private func put(_ operation: WriteOperation, source: Bytes, now: Int64) throws(NodeError) -> WriteResult {
        if memory.isFull { throw persona.memoryFull(limit: memory.limit) }
        let mapping = try mapping(for: operation.type)
        let routing = operation.routing ?? operation.parent
        try checkRouting(operation, mapping, routing)
        try check(source, mapping, operation.id)
        let key = Shard.key(operation.id, type: persona.capabilities.singleType ? nil : mapping.name)
        let number = shard(of: operation.id, routing: routing)
        let found = shards[number].find(key, now: now, gcDeletes: gcDeletes)
        let version = try nextVersion(operation, found, shard: number)
        let sequence = shards[number].nextSequence()
        let document = StoredDocument(
            id: operation.id, type: persona.answersWithType ? mapping.name : nil, routing: routing,
            parent: operation.parent, version: version, sequence: sequence, source: kept(source, mapping))
        memory.add(document.bytes - shards[number].put(document, key: key))
        counters.indexed += 1
        var isNew = true
        if case .document = found { isNew = false }
        return WriteResult(outcome: isNew ? .created : .updated, version: version, sequence: sequence)
    }

    private func checkRouting(
        _ operation: WriteOperation, _ mapping: TypeMapping, _ routing: String?
    ) throws(NodeError) {
        guard mapping.routingRequired, routing == nil else { return }
        throw persona.routingMissing(name, type: mapping.name, id: operation.id)
    }

    private func check(_ source: Bytes, _ mapping: TypeMapping, _ id: String) throws(NodeError) {
        // An empty source has no address. This blank byte stands for it.
        var nothing: UInt8 = 0x20
        let text = source.baseAddress
        let additions = try withUnsafePointer(to: &nothing) { blank throws(NodeError) in
            var check = DocumentCheck(
                text ?? blank, text == nil ? 0 : source.count, mapping: mapping, persona: persona, id: id,
                objects: objects, depthLimit: depthLimit)
            defer { objects = check.objectsSeen }
            try check.run()
            return check.additions
        }
        if !additions.isEmpty { try add(additions) }
    }

    private func kept(_ source: Bytes, _ mapping: TypeMapping) -> [UInt8] {
        guard mapping.keepsSource else { return [] }
        let whole = Array(source)
        guard !mapping.sourceIncludes.isEmpty || !mapping.sourceExcludes.isEmpty else { return whole }
        return SourceFilter(includes: mapping.sourceIncludes, excludes: mapping.sourceExcludes).apply(whole)
    }

    private func delete(_ operation: WriteOperation, now: Int64) throws(NodeError) -> WriteResult {
        let routing = operation.routing ?? operation.parent
        // 1.x sends a delete without routing to all shards.
        if let mapping = type(operation.type) ?? types.first, persona.since(2) {
            try checkRouting(operation, mapping, routing)
        }
        let type = persona.capabilities.singleType ? nil : operation.type
        let key = Shard.key(operation.id, type: type)
        var number = shard(of: operation.id, routing: routing)
        if !persona.since(2), routing == nil, let other = shards.firstIndex(where: { $0.document(key) != nil }) {
            number = other
        }
        let found = shards[number].find(key, now: now, gcDeletes: gcDeletes)
        let version = try nextVersion(operation, found, shard: number)
        let sequence = shards[number].nextSequence()
        memory.add(-shards[number].delete(key, version: version, now: now))
        counters.deleted += 1
        var wasThere = false
        if case .document = found { wasThere = true }
        return WriteResult(outcome: wasThere ? .deleted : .notFound, version: version, sequence: sequence)
    }

    // MARK: Versions

    private func nextVersion(
        _ operation: WriteOperation, _ found: Shard.Found, shard: Int
    ) throws(NodeError) -> Int64 {
        if let sequence = operation.sequence {
            try checkSequence(operation, sequence, found, shard: shard)
        }
        let current: Int64?
        var isDeleted = true
        switch found {
        case .nothing: current = nil
        case .deleted(let version): current = version
        case .document(let document):
            current = document.version
            isDeleted = false
        }
        if operation.kind == .create, !isDeleted, let current { throw alreadyThere(operation, current, shard) }
        guard operation.versionType != .internal, let given = operation.version else {
            if let given = operation.version, given != -3 {
                // An internal version must equal the current one.
                guard !isDeleted, current == given else {
                    throw conflict(operation, current, given, isDeleted: isDeleted, shard)
                }
            }
            return (current ?? 0) &+ 1
        }
        if let current {
            let isOld =
                switch operation.versionType {
                case .externalOrEqual: current > given
                case .external: current >= given
                case .internal, .force: false
                }
            if isOld { throw conflict(operation, current, given, isDeleted: isDeleted, shard) }
        }
        return given
    }

    private func checkSequence(
        _ operation: WriteOperation, _ sequence: Int64, _ found: Shard.Found, shard: Int
    ) throws(NodeError) {
        let term = operation.term ?? 1
        let wanted = "required seqNo [\(sequence)], primary term [\(term)]"
        guard case .document(let document) = found else {
            throw conflict(operation, "\(wanted) but no document was found", shard)
        }
        guard document.sequence == sequence, term == 1 else {
            throw conflict(
                operation,
                "\(wanted). current document has seqNo [\(document.sequence)] and primary term [1]", shard)
        }
    }

    private func conflict(
        _ operation: WriteOperation, _ current: Int64?, _ given: Int64, isDeleted: Bool, _ shard: Int
    ) -> NodeError {
        guard persona.since(5) else {
            return conflict(operation, "current [\(current ?? -1)], provided [\(given)]", shard)
        }
        if operation.versionType == .internal, isDeleted {
            return conflict(operation, "document does not exist (expected version [\(given)])", shard)
        }
        let relation =
            switch operation.versionType {
            case .internal, .force: "different than"
            case .external: "higher or equal to"
            case .externalOrEqual: "higher than"
            }
        return conflict(
            operation, "current version [\(current ?? -1)] is \(relation) the one provided [\(given)]", shard)
    }

    private func conflict(_ operation: WriteOperation, _ what: String, _ shard: Int) -> NodeError {
        let who = persona.since(7) ? "[\(operation.id)]" : "[\(operation.type)][\(operation.id)]"
        return aboutShard(
            NodeError(409, "version_conflict_engine_exception", "\(who): version conflict, \(what)"), shard)
    }

    private func alreadyThere(_ operation: WriteOperation, _ current: Int64, _ shard: Int) -> NodeError {
        if persona.since(5) {
            return conflict(operation, "document already exists (current version [\(current)])", shard)
        }
        return aboutShard(
            NodeError(
                409, "document_already_exists_exception",
                "[\(operation.type)][\(operation.id)]: document already exists"), shard)
    }

    private func aboutShard(_ error: NodeError, _ shard: Int) -> NodeError {
        var error = error
        if persona.since(5) { error.details["index_uuid"] = .string(uuid) }
        error.details["shard"] = .string(String(shard))
        error.details["index"] = .string(name)
        return error.classic("[\(name)][\(shard)] \(error.reason)")
    }

    // MARK: Reading one document

    /// The current document, whether a search sees it or not.
    func get(_ id: String, type: String?, routing: String?) -> StoredDocument? {
        let number = shard(of: id, routing: routing)
        if persona.capabilities.singleType { return shards[number].document(id) }
        if let type, type != "_all" { return shards[number].document(Shard.key(id, type: type)) }
        for type in types {
            if let found = shards[number].document(Shard.key(id, type: type.name)) { return found }
        }
        return nil
    }
}

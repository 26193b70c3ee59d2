import JSONText

/// A document that a search found.
struct FoundDocument {
    var document: StoredDocument
    var index: String
    var sort: [SortValue] = []
}

/// The hits of a search, in order.
struct SearchResult {
    var found: [FoundDocument] = []
    var shards = 0
    /// The types of the sort fields.
    var sortTypes: [FieldType?] = []
}

// Finding.
extension SearchNode {
    /// All matching documents, sorted.
    func find(
        _ request: SearchRequest, _ reached: [Catalogue.Reached], type: String?
    ) throws(NodeError) -> SearchResult {
        var result = SearchResult()
        let now = clock.now
        for one in reached {
            let seen = try look(at: one, request, now: now)
            result.shards += seen.shards
            let index = one.index.name
            let query = try condition(request, one, seen.fields, now: now)
            let sorts = try sortTypes(request, seen.fields, index: index)
            result.sortTypes = sorts
            let types = type.map { Set($0.split(separator: ",").map(String.init)) }
            for documents in seen.documents {
                for document in documents {
                    if let types, let own = document.type, !types.contains(own) { continue }
                    if let slice = request.slice, Self.slot(document.id) % slice.of != slice.id { continue }
                    let isPlain = query.isEmpty && request.sort.allSatisfy { $0.field == "_doc" }
                    if isPlain {
                        result.found.append(FoundDocument(document: document, index: index))
                        continue
                    }
                    let subject = SeenDocument(document, index: index)
                    guard query.allSatisfy({ $0.matches(subject) }) else { continue }
                    var one = FoundDocument(document: document, index: index)
                    one.sort = zip(request.sort, sorts).map { key, type in
                        value(of: subject, key, type, seen.fields)
                    }
                    result.found.append(one)
                }
            }
        }
        sort(&result, request)
        return result
    }

    /// The slice of an id. It is always the same one, whatever the shard.
    private static func slot(_ id: String) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in id.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: (hash ^ hash >> 32) & 0x7FFF_FFFF)
    }

    private struct Seen {
        var documents: [[StoredDocument]]
        var fields: MappedFields
        var shards: Int
    }

    private func look(
        at one: Catalogue.Reached, _ request: SearchRequest, now: Int64
    ) throws(NodeError) -> Seen {
        try one.index.withLock { index throws(NodeError) in
            guard index.isOpen else { throw persona.closed(index.name, uuid: index.uuid) }
            index.refreshIfDue(now)
            var numbers = Set(index.shards.indices)
            if let routings = request.routings ?? one.routings {
                numbers = Set(routings.map { index.shard(of: "", routing: $0) })
            }
            if let wanted = request.shards { numbers.formIntersection(wanted) }
            let documents = numbers.sorted().map { index.shards[$0].documents() }
            return Seen(documents: documents, fields: index.fields, shards: numbers.count)
        }
    }

    /// The predicates that must all match; empty: every document matches.
    private func condition(
        _ request: SearchRequest, _ one: Catalogue.Reached, _ fields: MappedFields, now: Int64
    ) throws(NodeError) -> [Query] {
        var queries: [Query] = []
        do throws(QueryError) {
            if let json = request.query {
                let query = try Query(json, fields: fields, persona: persona, now: now)
                if !query.matchesAll { queries.append(query) }
            }
            if let json = request.postFilter {
                queries.append(try Query(filter: json, fields: fields, persona: persona, now: now))
            }
            if let first = one.filters.first {
                let filter: JSONValue =
                    one.filters.count == 1 ? first : ["bool": ["should": .array(one.filters)]]
                queries.append(try Query(filter: filter, fields: fields, persona: persona, now: now))
            }
        } catch {
            var refused = NodeError(400, error.type, error.reason)
            let source = request.query.map { JSONValue.object(JSONObject([("query", $0)])).text() } ?? ""
            refused.whole = error.body(persona: persona, index: one.index.name, source: source)
            throw refused
        }
        return queries
    }

    // MARK: Sorting

    private func sortTypes(
        _ request: SearchRequest, _ fields: MappedFields, index: String
    ) throws(NodeError) -> [FieldType?] {
        var types: [FieldType?] = []
        for key in request.sort {
            if key.field.hasPrefix("_") {
                types.append(nil)
                continue
            }
            let type = fields.type(of: key.field)
            if type == nil, key.unmappedType == nil {
                throw NodeError.ofShards(
                    400, "query_shard_exception", "No mapping found for [\(key.field)] in order to sort on",
                    index: index,
                    persona: persona)
            }
            if type == .text, persona.since(5) {
                throw NodeError.ofShards(
                    400, "illegal_argument_exception",
                    "Fielddata is disabled on text fields by default. Please use a keyword field instead of "
                        + "[\(key.field)].", index: index, persona: persona)
            }
            types.append(type)
        }
        return types
    }

    private func value(
        of subject: SeenDocument, _ key: SortKey, _ type: FieldType?, _ fields: MappedFields
    ) -> SortValue {
        switch key.field {
        case "_doc", "_shard_doc": return .whole(0)
        case "_score": return .number(1)
        case "_id": return .text(subject.id)
        case SeenDocument.sequenceField: return .whole(subject.document.sequence)
        case "_uid": return .text("\(subject.type ?? "")#\(subject.id)")
        case "_type": return subject.type.map { .text($0) } ?? .missing
        case "_index": return .text(subject.index)
        default: break
        }
        guard let type else { return .missing }
        let values = subject.values(fields.sourcePath(of: key.field)).map { one($0, type) }.filter { $0 != .missing }
        // A document with several values sorts by the lowest one, or by the highest one in descending order.
        let rule = SortKey(field: key.field, isDescending: key.isDescending)
        return values.min { $0.precedes($1, rule) ?? false } ?? .missing
    }

    private func one(_ value: JSONValue, _ type: FieldType) -> SortValue {
        switch type {
        case .integer, .date: FieldValues.integer(value, type).map { .whole($0) } ?? .missing
        case .double, .float: FieldValues.double(value, type).map { .number($0) } ?? .missing
        case .boolean: FieldValues.boolean(value).map { .whole($0 ? 1 : 0) } ?? .missing
        case .keyword: FieldValues.keyword(value, type).map { .text($0) } ?? .missing
        default: .text(FieldValues.text(of: value))
        }
    }

    private func sort(_ result: inout SearchResult, _ request: SearchRequest) {
        guard request.sort.contains(where: { $0.field != "_doc" && $0.field != "_score" }) else { return }
        let keys = request.sort
        func comes(_ one: [SortValue], before other: [SortValue]) -> Bool {
            for (number, key) in keys.enumerated() where number < one.count && number < other.count {
                if let answer = one[number].precedes(other[number], key) { return answer }
            }
            return false
        }
        // Equal hits stay in shard order, as on real servers.
        let order = result.found.indices.sorted { one, other in
            let (left, right) = (result.found[one].sort, result.found[other].sort)
            return comes(left, before: right) || !comes(right, before: left) && one < other
        }
        result.found = order.map { result.found[$0] }
        guard !request.searchAfter.isEmpty else { return }
        let after = request.searchAfter.map { SortValue($0) }
        result.found.removeAll { !comes(after, before: $0.sort) }
    }
}

import JSONText

/// A query of the query DSL, parsed for the fields of one index by the rules of one version.
package struct Query: Sendable {
    let predicate: Predicate

    /// `json`: the value of `query`. `now`: milliseconds since 1970, for dates like `now-1h`.
    package init(
        _ json: JSONValue, fields: any FieldTypes, persona: ServerPersona, now: Int64
    ) throws(QueryError) {
        predicate = try QueryReader(fields: fields, persona: persona, now: now).query(json)
    }

    /// Parses a filter of 1.x and 2.x: an alias's `filter`, `post_filter`.
    package init(
        filter json: JSONValue, fields: any FieldTypes, persona: ServerPersona, now: Int64
    ) throws(QueryError) {
        var reader = QueryReader(fields: fields, persona: persona, now: now)
        reader.isFilter = true
        predicate = try reader.query(json)
    }

    package func matches(_ document: some SearchableDocument) -> Bool { predicate.matches(document) }

    /// The only ids that can match, if the query lists ids. This is a shortcut: each document must still be matched.
    package var ids: [String]? { predicate.ids.map { Array($0) } }

    package var matchesAll: Bool {
        if case .all = predicate { return true }
        return false
    }
}

extension Predicate {
    fileprivate var ids: Set<String>? {
        switch self {
        case .meta(.id, .oneOf(let ids)): return ids
        case .none: return []
        case .bool(let must, let should, _, let minimum):
            let given = must.compactMap { $0.ids }.min { $0.count < $1.count }
            if let given { return given }
            guard minimum > 0 else { return nil }
            let each = should.map { $0.ids }
            return each.contains { $0 == nil } ? nil : each.reduce(into: []) { $0.formUnion($1 ?? []) }
        default: return nil
        }
    }
}

import Basics
import Failures
import JSONText
import Recipe
import SearchCluster
import State

/// `copy --since`: what a later copy reads of the source.
package enum CopySince: Sendable, Equatable {
    /// What was written since the copies before, by the recipe's `copy.since`.
    case last
    /// Documents whose field has this value or a greater one; `isAbove`: a greater one only.
    case field(JSONPath, isAbove: Bool, value: JSONValue)
    /// What a query finds.
    case query(JSONValue)

    package struct Unreadable: Error { package let message: String }

    /// `last`, `modified_at>=2026-11-01`, `rev>17`, or a query as a JSON object.
    package init(parsing text: String) throws(Unreadable) {
        if text == "last" {
            self = .last
            return
        }
        if text.hasPrefix("{") {
            guard let query = try? JSONValue(parsing: text), query.object?.count == 1 else {
                throw Unreadable(message: "it is not a query: a JSON object with one member, such as {\"range\": ...}")
            }
            self = .query(query)
            return
        }
        guard let sign = text.firstIndex(of: ">") else {
            throw Unreadable(
                message: "it must be last, FIELD>=VALUE, FIELD>VALUE, or a query as JSON in the source's language")
        }
        var rest = text[text.index(after: sign)...]
        let isAbove = rest.first != "="
        if !isAbove { rest = rest.dropFirst() }
        let name = text[..<sign].trimmingPrefix { $0 == " " }
        let (field, value) = (String(name.reversed().drop { $0 == " " }.reversed()), rest.drop { $0 == " " })
        guard let path = try? JSONPath(parsing: field), !value.isEmpty, !field.contains("<") else {
            throw Unreadable(message: "it must be FIELD>=VALUE, such as modified_at>=2026-11-01")
        }
        guard !field.hasPrefix("_") else {
            throw Unreadable(message: "\(field) cannot be searched for on every server; name a field of the documents")
        }
        let number = (try? JSONValue(parsing: String(value))).flatMap { value -> JSONValue? in
            if case .number = value { value } else { nil }
        }
        self = .field(path, isAbove: isAbove, value: number ?? .string(String(value)))
    }

    /// Whether an interrupted copy of `part` is what is asked for.
    package func isSame(as part: MigrationState.Copy.Part?) -> Bool {
        switch self {
        case .last: part?.isChained == true
        case .field, .query: part.map { $0.words == words } ?? false
        }
    }

    /// As a person would type it.
    package var words: String {
        switch self {
        case .last: "last"
        case .field(let path, let isAbove, let value): "\(path)\(isAbove ? ">" : ">=")\(value.string ?? value.text())"
        case .query(let query): query.text()
        }
    }

    /// What is to be read, for the source as it is. Throws where the field would leave out documents unseen.
    /// - Parameter before: until when the copies before hold everything.
    package func part(_ prepared: Preflight, before: Int64) throws(WorkError) -> MigrationState.Copy.Part {
        switch self {
        case .query(let query): return .init(words: words, query: query, before: before, isChained: false)
        case .field(let path, let isAbove, let value):
            _ = try kind(of: path, prepared)
            return .init(
                words: words, query: Self.range(path, isAbove ? "gt" : "gte", value), before: before, isChained: false)
        case .last:
            guard let since = prepared.recipe.copy.since else {
                throw WorkError(
                    .recipe,
                    "--since last needs the recipe to say which field has the time of a document's last change: "
                        + "copy.since: { field: modified_at }. Or name field and value: --since "
                        + "'modified_at>=2026-11-01'")
            }
            let time = before - since.margin
            switch try kind(of: since.field, prepared) {
            case .date:
                let value: JSONValue = ["gte": .string(ISOTime.text(time)), "format": "date_optional_time"]
                return .init(
                    words: "\(since.field)>=\(ISOTime.text(time))",
                    query: ["range": .object(JSONObject([(Self.name(since.field), value)]))], before: before,
                    isChained: true)
            case .number:
                return .init(
                    words: "\(since.field)>=\(time)", query: Self.range(since.field, "gte", .number(time)),
                    before: before, isChained: true)
            case .other:
                throw WorkError(
                    .refused,
                    "copy.since.field is \(since.field), which is neither a date nor a number in the source, so that "
                        + "nobody can compare it with a time")
            }
        }
    }

    private enum Kind { case date, number, other }

    /// What the field is in all indices of the source. Throws where one does not have it.
    private func kind(of path: JSONPath, _ prepared: Preflight) throws(WorkError) -> Kind {
        var found: Set<Kind> = []
        for index in prepared.survey.entries.flatMap(\.source) {
            switch index.fieldType(path.names) {
            case nil:
                throw WorkError(
                    .refused,
                    "the source index \(index.name) does not map the field \(path), so that no document of it would "
                        + "be found: copy without --since, or name another field")
            case "date", "date_nanos": found.insert(.date)
            case "long", "integer", "double", "unsigned_long": found.insert(.number)
            default: found.insert(.other)
            }
        }
        guard found.count == 1, let kind = found.first else { return .other }
        return kind
    }

    private static func name(_ path: JSONPath) -> String { path.names.joined(separator: ".") }

    private static func range(_ path: JSONPath, _ word: String, _ value: JSONValue) -> JSONValue {
        ["range": .object(JSONObject([(name(path), .object(JSONObject([(word, value)])))]))]
    }

    /// Documents that have no such field; a delta never finds them. Written so that every version understands it.
    package var without: JSONValue? {
        guard case .field(let path, _, _) = self else { return nil }
        return Self.without(path)
    }

    package static func without(_ path: JSONPath) -> JSONValue {
        ["bool": ["must_not": ["constant_score": ["filter": ["exists": ["field": .string(name(path))]]]]]]
    }
}

extension MigrationState.Copy {
    /// Which documents of an index this copy reads; nil: all.
    package func query(_ index: IndexInfo) -> JSONValue? { Self.query(index, part) }

    package static func query(_ index: IndexInfo, _ part: Part?) -> JSONValue? {
        guard let part else { return index.liveQuery }
        return index.liveQuery.map { ["bool": ["must": [$0, part.query]]] } ?? part.query
    }
}

import Commands
import JSONText
import Recipe
import SearchCluster

/// The part of an index that `from` shows: an alias may have a filter.
enum SourceFilter {
    /// The filter through which `from` shows the index; nil: it shows all of it. As a search does it: one name without
    /// a filter shows everything, and several filters show what any of them does.
    static func of(_ index: IndexInfo, from: String) -> JSONValue? {
        let parts = from.split(separator: ",").map(String.init)
        func isNamed(_ name: String) -> Bool { parts.contains { RecipeRules.matches(name, pattern: $0) } }
        guard !isNamed(index.name) else { return nil }
        let aliases = index.aliases.filter { isNamed($0.key) }
        let filters = aliases.compactMap { $0.value["filter"] }
        guard !filters.isEmpty, filters.count == aliases.count else { return nil }
        return any(filters)
    }

    /// What any of the filters shows.
    static func any(_ filters: [JSONValue]) -> JSONValue {
        let different = filters.reduce(into: [JSONValue]()) { if !$0.contains($1) { $0.append($1) } }
        return different.count == 1 ? different[0] : ["bool": ["should": .array(different)]]
    }

    /// The alias by which `from` names the index, if a search through it goes to some shards only.
    static func routed(_ index: IndexInfo, from: String) -> String? {
        let parts = from.split(separator: ",").map(String.init)
        guard !parts.contains(where: { RecipeRules.matches(index.name, pattern: $0) }) else { return nil }
        return index.aliases.first { alias in
            parts.contains { RecipeRules.matches(alias.key, pattern: $0) }
                && (alias.value["search_routing"] ?? alias.value["routing"]) != nil
        }?.key
    }

    // MARK: select

    /// Whether `select` lets through the commands of just those documents that the filter shows.
    static func isSame(_ filter: JSONValue, as select: CommandFormat.Selector?, _ format: CommandFormat) -> Bool {
        guard let select, let field = format.inDocument(select)?.names.joined(separator: "."),
            let (name, value) = term(filter)
        else {
            return false
        }
        // A field of the mapping may have a second form, such as `kind.keyword`.
        let isField = name == field || (name.hasPrefix(field + ".") && !name.dropFirst(field.count + 1).contains("."))
        return isField && value == select.equals
    }

    /// The field and the value of a filter that asks for one value of one field; nil: it asks for something else.
    private static func term(_ filter: JSONValue) -> (field: String, value: String)? {
        let ignored: Set = ["boost", "_name", "_cache", "adjust_pure_negative", "disable_coord", "execution"]
        let members = (filter.object ?? JSONObject()).filter { !ignored.contains($0.key) }
        guard members.count == 1, let (kind, inner) = members.first else { return nil }
        switch kind {
        case "term", "terms":
            let fields = (inner.object ?? JSONObject()).filter { !ignored.contains($0.key) }
            guard fields.count == 1, let (field, value) = fields.first else { return nil }
            let one = value["value"] ?? (value.array?.count == 1 ? value[0] : value)
            return (one?.string ?? scalar(one)).map { (field, $0) }
        case "bool", "constant_score", "query", "filter", "must", "and", "filters":
            return inner.array == nil ? term(inner) : only(inner)
        default: return nil
        }
    }

    private static func only(_ list: JSONValue) -> (field: String, value: String)? {
        list.array?.count == 1 ? list[0].flatMap(term) : nil
    }

    private static func scalar(_ value: JSONValue?) -> String? {
        guard let value, value.object == nil, value.array == nil, !value.isNull else { return nil }
        return value.text()
    }
}

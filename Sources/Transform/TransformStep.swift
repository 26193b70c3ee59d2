import JSONText

/// One step of an entry's `transform`, as the recipe says it. Steps run in the recipe's order. Each works on what the
/// step before it left.
public enum TransformStep: Equatable, Sendable {
    /// A map of unbounded keys becomes an array of pairs with two fields.
    case keyToValue(KeyToValue)
    case rename(from: JSONPath, to: JSONPath)
    case remove([JSONPath])
    /// Only these paths stay.
    case keep([JSONPath])
    /// Sets a constant, given as JSON text; with `ifMissing` only where the field is absent or null.
    case set(field: JSONPath, json: String, ifMissing: Bool)
    case copy(from: JSONPath, to: JSONPath)
    /// A field gets a new value, made of its old one: `cast`, `lowercase`, `split`, `join`.
    case change(JSONPath, ValueChange)

    /// The fields that it reads, writes or keeps.
    var paths: [JSONPath] {
        switch self {
        case .keyToValue(let options): [options.field]
        case .rename(let from, let to), .copy(let from, let to): [from, to]
        case .remove(let paths), .keep(let paths): paths
        case .set(let path, _, _), .change(let path, _): [path]
        }
    }

    /// Whether documents keep the field as it is, with all that is in it.
    package func leaves(_ path: JSONPath) -> Bool {
        if case .keep(let kept) = self { return kept.contains { path.names.starts(with: $0.names) } }
        return !paths.contains { path.names.starts(with: $0.names) || $0.names.starts(with: path.names) }
    }
}

/// Options of `keyToValue`.
public struct KeyToValue: Equatable, Sendable {
    /// What to do with a null or an empty string.
    public enum Empty: String, CaseIterable, Sendable { case keep, drop }

    public var field: JSONPath
    /// `{"k": null}`: dropped, or kept as `{"keyToValue": "k:", "value": null}`.
    public var null: Empty
    /// `{"k": ""}`: dropped, or kept as `{"keyToValue": "k:", "value": ""}`.
    public var empty: Empty
    /// The mapping is `nested`, for queries that need a key and its value in one pair and more beside.
    public var nested: Bool
    /// Values longer than this many characters are stored but not indexed (the mapping parameter of that name).
    public var ignoreAbove: Int?
    /// Values (not keys) in lower case.
    public var lowercase: Bool

    public init(
        field: JSONPath, null: Empty = .drop, empty: Empty = .keep, nested: Bool = false, ignoreAbove: Int? = nil,
        lowercase: Bool = false
    ) {
        self.field = field
        self.null = null
        self.empty = empty
        self.nested = nested
        self.ignoreAbove = ignoreAbove
        self.lowercase = lowercase
    }
}

/// How a partial document is merged.
public enum MergeMode: String, CaseIterable, Sendable {
    /// Objects merge key by key, and everything else is replaced, as Elasticsearch's update API does it.
    case deep
    /// Top-level fields are replaced whole.
    case shallow
}

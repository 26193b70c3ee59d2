import JSONText

/// One step of an entry's `transform`, as the recipe says it. Steps run in the recipe's order, each on what the one
/// before left.
public enum TransformStep: Equatable, Sendable {
    /// A map of unbounded keys becomes an array of pairs with two fields (design 10).
    case keyToValue(KeyToValue)
    case rename(from: JSONPath, to: JSONPath)
    case remove([JSONPath])
    /// Only these paths stay.
    case keep([JSONPath])
    /// Sets a constant, given as JSON text; with `ifMissing` only where the field is absent or null.
    case set(field: JSONPath, json: String, ifMissing: Bool)
    case copy(from: JSONPath, to: JSONPath)
    case cast(field: JSONPath, to: CastTarget)
    /// Strings, and strings in arrays, in lower case.
    case lowercase(JSONPath)
    /// A string becomes an array of strings.
    case split(field: JSONPath, separator: String)
    /// An array of scalars becomes a string.
    case join(field: JSONPath, separator: String)

    /// The fields that it reads, writes or keeps.
    var paths: [JSONPath] {
        switch self {
        case .keyToValue(let options): [options.field]
        case .rename(let from, let to), .copy(let from, let to): [from, to]
        case .remove(let paths), .keep(let paths): paths
        case .set(let path, _, _), .cast(let path, _), .lowercase(let path), .split(let path, _), .join(let path, _):
            [path]
        }
    }
}

/// What `cast` makes of a value.
public enum CastTarget: String, CaseIterable, Sendable {
    case number, boolean, string
    /// ISO 8601 in UTC with milliseconds, from epoch milliseconds or an ISO text.
    case dateISO = "date_iso"
    /// Epoch milliseconds, from an ISO text or a number.
    case dateEpoch = "date_epoch"
}

/// Options of `keyToValue` (design 10).
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
    /// Objects merge key by key, everything else is replaced, as Elasticsearch's update API does.
    case deep
    /// Top-level fields are replaced whole.
    case shallow
}

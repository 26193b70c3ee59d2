import JSONText

/// The parsed parameters and body of a search.
struct SearchRequest {
    enum Total {
        case exact
        case upTo(Int)
        case none
    }

    var query: JSONValue?
    var postFilter: JSONValue?
    var from = 0
    var size = 10
    var sort: [SortKey] = []
    var searchAfter: [JSONValue] = []
    var source = SourceFilter.whole
    var givesVersion = false
    var givesSequence = false
    /// Before 5.0 this metadata is returned only when the request names it.
    var fields: [String]?
    var total = Total.upTo(10_000)
    var slice: (id: Int, of: Int)?
    /// `_shards:0,1`; nil: all shards.
    var shards: Set<Int>?
    var routings: Set<String>?
    var isScan = false
    /// Milliseconds; nil: no scroll.
    var keepAlive: Int64?

    private static let passedOver: Set<String> = [
        "timeout", "track_scores", "explain", "profile", "stats", "ext", "min_score", "terminate_after",
        "docvalue_fields", "indices_boost", "highlight", "runtime_mappings",
    ]

    init(_ call: NodeCall, persona: ServerPersona, index: String) throws(NodeError) {
        if !persona.since(7) { total = .exact }
        let body = try call.json(persona)
        for (name, value) in body.object ?? JSONObject() {
            try read(name, value, persona: persona, index: index)
        }
        try read(call, persona)
    }

    private mutating func read(
        _ name: String, _ value: JSONValue, persona: ServerPersona, index: String
    ) throws(NodeError) {
        switch name {
        case "query": query = value
        case "post_filter", "filter": postFilter = value
        case "from": from = try number(name, value, persona)
        case "size": size = try number(name, value, persona)
        case "sort": sort = SortKey.list(value)
        case "_source": source = SourceFilter(value)
        case "version": givesVersion = value == .bool(true)
        case "seq_no_primary_term" where persona.since(6, 7): givesSequence = value == .bool(true)
        case "fields" where !persona.since(5), "stored_fields" where persona.since(5):
            let names = TypeMapping.texts(value)
            fields = names
            if !names.contains("_source") { source = .none }
        case "track_total_hits" where persona.since(6): read(total: value)
        case "search_after" where persona.since(5): searchAfter = value.array ?? []
        case "slice" where persona.since(5):
            let id = try number("slice", value["id"] ?? 0, persona)
            let of = try number("slice", value["max"] ?? 1, persona)
            guard id >= 0, of > 1, id < of else { throw persona.illegal("max must be greater than id") }
            slice = (id, of)
        case "aggs", "aggregations", "facets", "suggest", "rescore", "collapse", "script_fields", "knn", "pit":
            throw persona.unsupported("[\(name)] in a search")
        default:
            guard SearchRequest.passedOver.contains(name) else {
                let reason = "Unknown key for a \(SearchRequest.token(value)) in [\(name)]."
                if persona.since(5) { throw NodeError(400, "parsing_exception", reason) }
                throw NodeError.ofShards(
                    400, "search_parse_exception", "No parser for element [\(name)]", index: index, persona: persona)
            }
        }
    }

    private static func token(_ value: JSONValue) -> String {
        switch value {
        case .null: "VALUE_NULL"
        case .bool: "VALUE_BOOLEAN"
        case .number: "VALUE_NUMBER"
        case .string: "VALUE_STRING"
        case .array: "START_ARRAY"
        case .object: "START_OBJECT"
        }
    }

    private mutating func read(total value: JSONValue) {
        if let flag = value.bool { total = flag ? .exact : .none }
        if let limit = value.int.flatMap({ Int(exactly: $0) }) { total = limit < 0 ? .exact : .upTo(limit) }
    }

    private mutating func read(_ call: NodeCall, _ persona: ServerPersona) throws(NodeError) {
        if let text = call.parameter("q") { query = ["query_string": ["query": .string(text)]] }
        if let given = try call.whole("size", persona, as: Int32.self) { size = Int(given) }
        if let given = try call.whole("from", persona, as: Int32.self) { from = Int(given) }
        if let text = call.parameter("sort") { sort = SortKey.list(text) }
        if let filter = SourceFilter(call) { source = filter }
        if call.isYes("version") { givesVersion = true }
        if let text = call.parameter("track_total_hits"), persona.since(7) {
            read(total: Int64(text) == nil ? .bool(text != "false") : .number(text))
        }
        if call.isYes("rest_total_hits_as_int") { total = .exact }
        if let routing = call.parameter("routing") { routings = Set(routing.split(separator: ",").map(String.init)) }
        if let preference = call.parameter("preference"), preference.hasPrefix("_shards:") {
            let list = preference.dropFirst(8).prefix { $0 != ";" && $0 != "|" }
            shards = Set(list.split(separator: ",").compactMap { Int($0) })
        }
        if call.parameter("search_type") == "scan" {
            guard !persona.since(5) else { throw persona.illegal("No search type for [scan]") }
            isScan = true
        }
        if let text = call.parameter("scroll") {
            guard let time = IndexSettings.milliseconds(text), time > 0 else {
                throw persona.illegal("failed to parse setting [scroll] with value [\(text)] as a time value")
            }
            keepAlive = time
            total = .exact
            if from > 0, persona.since(6) {
                throw persona.invalid(["using [from] is not allowed in a scroll context"])
            }
        }
        guard from >= 0, size >= 0 else { throw persona.illegal("[from] and [size] cannot be negative") }
    }

    private func number(_ name: String, _ value: JSONValue, _ persona: ServerPersona) throws(NodeError) -> Int {
        let number = value.int ?? value.string.flatMap { Int64($0) }
        guard let number, let small = Int(exactly: number), abs(small) <= Int(Int32.max) else {
            throw persona.illegal("Failed to parse [\(name)]: it must be a whole number")
        }
        return small
    }
}

/// One sort criterion.
struct SortKey {
    var field: String
    var isDescending: Bool
    var isMissingFirst = false
    var unmappedType: String?

    static func list(_ value: JSONValue) -> [SortKey] {
        switch value {
        case .array(let elements): elements.flatMap { list($0) }
        case .string(let name): [SortKey(field: name, isDescending: name == "_score")]
        case .object(let object): object.map { key($0.key, $0.value) }
        default: []
        }
    }

    private static func key(_ name: String, _ options: JSONValue) -> SortKey {
        let order = options.string ?? options["order"]?.string ?? (name == "_score" ? "desc" : "asc")
        return SortKey(
            field: name, isDescending: order.lowercased() == "desc",
            isMissingFirst: options["missing"]?.string == "_first", unmappedType: options["unmapped_type"]?.string)
    }

    /// `field:desc,other`.
    static func list(_ text: String) -> [SortKey] {
        text.split(separator: ",").map { part in
            let halves = part.split(separator: ":")
            let name = String(halves.first ?? "")
            let order = halves.count > 1 ? halves[1] : name == "_score" ? "desc" : "asc"
            return SortKey(field: name, isDescending: order == "desc")
        }
    }
}

/// A value that a hit is sorted by.
enum SortValue: Equatable {
    case missing
    case whole(Int64)
    case number(Double)
    case text(String)

    /// The order of two values; nil: they are equal.
    func precedes(_ other: SortValue, _ key: SortKey) -> Bool? {
        if self == other { return nil }
        if self == .missing { return key.isMissingFirst }
        if other == .missing { return !key.isMissingFirst }
        let isLess =
            switch (self, other) {
            case (.whole(let one), .whole(let two)): one < two
            case (.text(let one), .text(let two)): one.unicodeScalars.lexicographicallyPrecedes(two.unicodeScalars)
            default: double < other.double
            }
        return isLess != key.isDescending
    }

    private var double: Double {
        switch self {
        case .whole(let number): Double(number)
        case .number(let number): number
        case .text(let text): Double(text) ?? 0
        case .missing: 0
        }
    }

    func json(_ key: SortKey, _ type: FieldType?) -> JSONValue {
        switch self {
        case .whole(let number): .number(number)
        case .number(let number): .number(String(number))
        case .text(let text): .string(text)
        case .missing:
            switch type {
            // The placeholder that servers give for a missing value of a numeric field.
            case .integer, .date: .number(key.isDescending == key.isMissingFirst ? Int64.max : Int64.min)
            default: .null
            }
        }
    }

    init(_ value: JSONValue) {
        switch value {
        case .number(let text): self = Int64(text).map { .whole($0) } ?? .number(Double(text) ?? 0)
        case .string(let text): self = .text(text)
        case .bool(let flag): self = .whole(flag ? 1 : 0)
        default: self = .missing
        }
    }
}

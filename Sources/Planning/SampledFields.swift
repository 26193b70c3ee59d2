import Commands
import JSONText

/// The fields of a sampled record that hold a text or a number: for what the plan finds by looking.
struct SampledFields {
    /// How deep it is looked, and at how many fields of a record.
    private static let depth = 4
    private static let most = 1000
    /// Bytes of a record, and of a value: what is larger is not looked at.
    private static let longest = (record: 1 << 20, value: 512)

    struct Field {
        var path: [String]
        /// Nil: it is too long.
        var value: String?
        var isText: Bool
    }

    private(set) var all: [Field] = []

    /// Nil when there is no value, or it is not JSON or too long. Paths count from where the format's own do: from the
    /// payload beside a schema, and from the row of a change event.
    init?(_ value: Bytes?, _ shape: CommandFormat.Shape) {
        guard let value, value.count <= Self.longest.record else { return nil }
        let text = value.count > 5 && value[0] == 0 ? Bytes(rebasing: value[5...]) : value
        guard var root = try? JSONValue(parsing: text) else { return nil }
        var isBare = false
        if case .envelope(let envelope) = shape { isBare = root[path: envelope.operation] != nil }
        if !isBare, let payload = root["payload"], root["schema"] != nil { root = payload }
        if case .debezium = shape, let row = root["after"] { root = row }
        walk(root, [])
    }

    private mutating func walk(_ value: JSONValue, _ path: [String]) {
        switch value {
        case .object(let members) where path.count < Self.depth:
            for (key, value) in members where !key.isEmpty && all.count < Self.most { walk(value, path + [key]) }
        case .string(let text): add(text, path, isText: true)
        case .number(let text): add(text, path, isText: false)
        default: break
        }
    }

    private mutating func add(_ text: String, _ path: [String], isText: Bool) {
        guard !path.isEmpty else { return }
        all.append(Field(path: path, value: text.utf8.count <= Self.longest.value ? text : nil, isText: isText))
    }
}

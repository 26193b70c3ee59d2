import Commands
import JSONText

/// Where commands say the type of their document: fields whose values are all names of the source's types. It is looked
/// for only where copied documents have the type in their ids.
package struct TypeFields: Sendable {
    private static let most = 300
    private static let depth = 3
    /// A record of more bytes is not looked at.
    private static let longest = 1 << 20

    private let types: Set<String>
    private var read = 0
    /// How many of the records have a type's name there, by the path.
    private var fields: [[String]: Int] = [:]
    private var others: Set<[String]> = []

    package init(_ types: Set<String>) { self.types = types }

    package mutating func look(_ value: Bytes?) {
        guard types.count > 1, read < Self.most, let value, value.count <= Self.longest,
            let object = try? JSONValue(parsing: value)
        else { return }
        read += 1
        walk(object, [])
    }

    private mutating func walk(_ value: JSONValue, _ path: [String]) {
        guard let members = value.object, path.count < Self.depth else { return }
        for (key, value) in members where !key.isEmpty {
            let path = path + [key]
            if let text = value.string {
                if types.contains(text) { fields[path, default: 0] += 1 } else { others.insert(path) }
            } else {
                walk(value, path)
            }
        }
    }

    /// The field that most of the records have and that never holds anything else.
    package var best: JSONPath? {
        let good = fields.filter { !others.contains($0.key) && $0.value * 2 >= read }
        let best = good.max { one, other in
            if one.value != other.value { return one.value < other.value }
            return (one.key.count, one.key.joined()) > (other.key.count, other.key.joined())
        }
        return best.map { JSONPath(names: $0.key) }
    }
}

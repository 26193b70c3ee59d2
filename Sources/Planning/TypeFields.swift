import JSONText

/// Where commands say the type of their document: fields whose values are all names of the source's types. It is looked
/// for only where copied documents have the type in their ids.
package struct TypeFields: Sendable {
    private static let most = 300

    private let types: Set<String>
    private var read = 0
    /// How many of the records have a type's name there, by the path.
    private var fields: [[String]: Int] = [:]
    private var others: Set<[String]> = []

    package init(_ types: Set<String>) { self.types = types }

    /// Whether it looks at another record.
    var isWanting: Bool { types.count > 1 && read < Self.most }

    mutating func look(_ record: SampledFields?) {
        guard isWanting, let record else { return }
        read += 1
        for field in record.all where field.isText {
            if let value = field.value, types.contains(value) {
                fields[field.path, default: 0] += 1
            } else {
                others.insert(field.path)
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

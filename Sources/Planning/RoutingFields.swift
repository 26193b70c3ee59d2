import Commands
import Indexing
import JSONText

/// Where commands have the routing that the source's documents were written with. It is looked for only where the
/// recipe names none: a few commands are kept with the values of their fields, and compared with the documents.
package struct RoutingFields: Sendable {
    private static let most = 300
    /// How many fields of a command are kept.
    private static let mostFields = 100

    private let isLookedFor: Bool
    /// The fields of a command by its entry and id.
    private var fields: [String: [[String]: String]] = [:]

    /// `format`: nil where nothing is to be looked for.
    package init(_ format: CommandFormat?) { isLookedFor = format.map { $0.routing == nil } ?? false }

    private static func name(_ command: SampledCommand) -> String { "\(command.entry)/\(command.id)" }

    /// Whether it looks at the record of this command.
    func isWanting(_ command: SampledCommand) -> Bool {
        guard isLookedFor, command.kind != .delete else { return false }
        return fields.count < Self.most || fields[Self.name(command)] != nil
    }

    mutating func look(_ command: SampledCommand, _ record: SampledFields?) {
        guard isWanting(command), let record else { return }
        let kept = record.all.filter { $0.value != nil }.prefix(Self.mostFields)
        fields[Self.name(command)] = Dictionary(kept.map { ($0.path, $0.value ?? "") }) { _, last in last }
    }

    /// The field that holds the document's routing in nearly all of these commands; nil: there is none.
    package func path(_ found: [(command: SampledCommand, routing: String)]) -> JSONPath? {
        var hits: [[String]: Int] = [:]
        var looked = 0
        for (command, routing) in found {
            guard let fields = fields[Self.name(command)] else { continue }
            looked += 1
            for (path, value) in fields where value == routing { hits[path, default: 0] += 1 }
        }
        let best = hits.filter { $0.value * 10 >= looked * 9 }.max { one, other in
            if one.value != other.value { return one.value < other.value }
            return (one.key.count, one.key.joined(separator: ".")) > (other.key.count, other.key.joined(separator: "."))
        }
        return best.map { JSONPath(names: $0.key) }
    }
}

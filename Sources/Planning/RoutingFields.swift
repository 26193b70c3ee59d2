import Commands
import Indexing
import JSONText

/// Where commands have the routing that the source's documents were written with. It is looked for only where the
/// recipe names none: a few commands are kept with the values of their fields, and compared with the documents.
package struct RoutingFields: Sendable {
    private static let most = 300
    private static let depth = 4
    /// Bytes of a record, and of a routing: what is larger is not looked at, or is none.
    private static let longest = (record: 1 << 20, routing: 512)

    private let shape: CommandFormat.Shape?
    /// The fields of a command by its entry and id.
    private var fields: [String: [[String]: String]] = [:]

    /// `format`: nil where nothing is to be looked for.
    package init(_ format: CommandFormat?) { shape = format?.routing == nil ? format?.shape : nil }

    private static func name(_ command: SampledCommand) -> String { "\(command.entry)/\(command.id)" }

    package mutating func look(_ command: SampledCommand, _ value: Bytes?) {
        guard let shape, command.kind != .delete, let value, value.count <= Self.longest.record else { return }
        let name = Self.name(command)
        guard fields.count < Self.most || fields[name] != nil else { return }
        let text = value.count > 5 && value[0] == 0 ? Bytes(rebasing: value[5...]) : value
        guard var root = try? JSONValue(parsing: text) else { return }
        if let payload = root["payload"], root["schema"] != nil { root = payload }
        // The routing of a change event counts from its row.
        if case .debezium = shape, let row = root["after"] { root = row }
        var found: [[String]: String] = [:]
        Self.walk(root, [], &found)
        fields[name] = found
    }

    private static func walk(_ value: JSONValue, _ path: [String], _ found: inout [[String]: String]) {
        switch value {
        case .object(let members) where path.count < depth:
            for (key, value) in members where !key.isEmpty { walk(value, path + [key], &found) }
        case .string(let text), .number(let text):
            if !path.isEmpty, found.count < 100, text.utf8.count <= longest.routing { found[path] = text }
        default: break
        }
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

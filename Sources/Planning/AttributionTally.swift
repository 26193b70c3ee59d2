import CommandLog
import Commands
import JSONText

/// What a sample of the log says about commands that do not say everything, and about documents that move.
package struct AttributionTally: Sendable {
    /// How often something was found, and where at first.
    package struct Finding: Sendable {
        package var count = 0
        package var examples: [String] = []

        mutating func add(_ example: @autoclosure () -> String) {
            count += 1
            if examples.count < 3 { examples.append(example()) }
        }
    }

    /// Records of which no entry is known, and those without a value.
    package private(set) var unattributed = Finding()
    package private(set) var noValue = Finding()
    package private(set) var truncated = Finding()
    /// Rows that lack a value that did not change: dead letters, and those that keep it.
    package private(set) var unavailable = Finding()
    package private(set) var kept = Finding()
    /// Documents of another format that hold the placeholder of such a value.
    package private(set) var placeholders = Finding()
    /// Documents that a change event's unwrapper has marked as deleted.
    package private(set) var marked = Finding()
    /// Ids that a later command puts into another entry, or gives another routing, and nothing deletes the former one.
    package private(set) var moved = Finding()
    package private(set) var rerouted = Finding()
    /// Records that no entry takes, and how many each entry takes, by its place.
    package private(set) var unselected = Finding()
    package private(set) var taken: [Int: Int] = [:]
    /// Whole documents, and the tombstones that they write elsewhere.
    package private(set) var documents = 0
    package private(set) var tombstones = 0
    package private(set) var read = 0

    private let unavailableColumns = UnavailableColumns(placeholder: CommandRules.placeholder)
    private let isDebezium: Bool
    private var last: [String: (entry: Int, routing: String?, partition: Int32, offset: Int64)] = [:]

    init(_ format: CommandFormat) {
        if case .debezium = format.shape { isDebezium = true } else { isDebezium = false }
    }

    /// `decoder`: has just decoded the message.
    mutating func add(_ decoded: Decoded, _ decoder: CommandDecoder, _ message: LogMessage) {
        read += 1
        var place: String { "partition \(message.partition) offset \(message.offset)" }
        if decoder.selectsNone { unselected.add(place) }
        let companions = decoder.writesCompanions ? decoder.companions : []
        switch decoded {
        case .skip: break
        case .reject(let reject):
            switch reject.reason {
            case "no_entry": unattributed.add("\(place): \(reject.detail)")
            case "no_value": noValue.add(place)
            case Reject.truncate: truncated.add(place)
            case "unavailable_value": unavailable.add("\(place): \(reject.detail)")
            default: break
            }
        case .operation(let operation):
            // A delete that lacks the field names every entry.
            if !decoder.selectsNone, operation.kind != .delete { taken[operation.entry, default: 0] += 1 }
            add(operation, companions, message)
        }
    }

    private mutating func add(_ operation: Operation, _ companions: [Companion], _ message: LogMessage) {
        var place: String { "partition \(message.partition) offset \(message.offset)" }
        let id = String(repairing: operation.id)
        tombstones += companions.count
        switch operation.kind {
        case .delete: last[id] = nil
        case .merge, .leave: break
        case .keep, .index:
            documents += 1
            if operation.kind == .keep { kept.add(place) }
            if !isDebezium, Self.isMarkedDeleted(operation.document) { marked.add("id \(id) at \(place)") }
            if !isDebezium, unavailableColumns.mayBe(in: operation.document) {
                let names = (try? unavailableColumns.names(in: operation.document)) ?? []
                if !names.isEmpty { placeholders.add("\(place): \(names.joined(separator: ", "))") }
            }
            let routing = operation.routing.map { String(repairing: $0) }
            // Of two stretches the newer is read first.
            if let former = last[id], former.partition == message.partition, former.offset < message.offset {
                if former.entry != operation.entry {
                    // What keeps a column must find its document: elsewhere, it is a dead letter.
                    if operation.kind != .keep, !companions.contains(where: { $0.entry == former.entry }) {
                        moved.add("id \(id) at \(place)")
                    }
                } else if former.routing != routing,
                    !companions.contains(where: {
                        $0.entry == former.entry && $0.routing.map { String(repairing: $0) } == former.routing
                    })
                {
                    rerouted.add(
                        "id \(id), \(former.routing ?? "none") before and \(routing ?? "none") at \(place)")
                }
            }
            last[id] = (operation.entry, routing, message.partition, message.offset)
        }
    }

    /// Whether the document has the field that Debezium's unwrapper writes into the last state of a deleted row
    /// (`delete.tombstone.handling.mode: rewrite`).
    private static func isMarkedDeleted(_ document: Bytes) -> Bool {
        guard String(repairing: document).contains("\"__deleted\""), let value = try? JSONValue(parsing: document)
        else {
            return false
        }
        return value["__deleted"]?.string == "true" || value["__deleted"]?.bool == true
    }
}

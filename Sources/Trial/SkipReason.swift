import Commands
import JSONText

/// Why the decoder found nothing to do in a record, for people. The decoder itself says no more than that, because it may
/// not stop for it.
package enum SkipReason {
    package static func of(_ record: Record, _ format: CommandFormat) -> String {
        let nowhere = "it belongs to none of indices: no entry's select takes it"
        switch format.shape {
        case .document: return nowhere
        case .debezium:
            guard let value = parsed(record) else { return tombstone }
            let isTombstone = value["payload"] == .null && value["schema"] != nil
            return isTombstone ? tombstone : nowhere
        case .envelope(let envelope):
            guard let value = parsed(record) else {
                return "the record has no value, and so no command: in format envelope that means nothing"
            }
            guard let name = value[path: envelope.operation]?.string, envelope.ignore.contains(name) else {
                return nowhere
            }
            return "the command \(name) is one to ignore (commands.envelope.ignore)"
        }
    }

    private static let tombstone =
        "the record has no value: such a tombstone follows a delete in format debezium, and the delete said it all"

    /// Nil: there is no value. What was skipped was found to be JSON.
    private static func parsed(_ record: Record) -> JSONValue? {
        guard let value = record.value else { return nil }
        let hasPrefix = value.count >= 5 && value[0] == 0
        return (try? JSONValue(parsing: hasPrefix ? Bytes(rebasing: value[5...]) : value)) ?? .bool(false)
    }
}

import Commands
import JSONText

/// Why the decoder skipped a record, for people. The decoder itself gives no reason, because that would slow it down.
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
            var value = parsed(record)
            if let payload = value?["payload"], value?["schema"] != nil, value?[path: envelope.operation] == nil {
                value = payload
            }
            guard let value, !value.isNull else {
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

    /// nil: there is no value. A skipped value is valid JSON.
    private static func parsed(_ record: Record) -> JSONValue? {
        guard let value = record.value else { return nil }
        let hasPrefix = value.count >= 5 && value[0] == 0
        return (try? JSONValue(parsing: hasPrefix ? Bytes(rebasing: value[5...]) : value)) ?? .bool(false)
    }
}

import Commands

/// A command of a sample of the log, with all that names its document.
package struct SampledCommand: Sendable, Equatable {
    package var kind: OperationKind
    /// The place of its entry in `indices` of the recipe.
    package var entry: Int
    package var id: String
    package var routing: String?
    package var partition: Int32
    package var offset: Int64
    /// Milliseconds since 1970; -1 when unknown.
    package var timestamp: Int64
    package var version: Int64
    /// The record's key, where no id could be read from it: the command is a dead letter.
    package var unreadKey: [UInt8]?
    /// The record's key, where the id was read from it in another form than as text.
    package var key: [UInt8]?

    package init(
        kind: OperationKind, entry: Int, id: String, routing: String?, partition: Int32, offset: Int64,
        timestamp: Int64, version: Int64 = 0, unreadKey: [UInt8]? = nil, key: [UInt8]? = nil
    ) {
        (self.kind, self.entry, self.id, self.routing) = (kind, entry, id, routing)
        (self.partition, self.offset, self.timestamp, self.version) = (partition, offset, timestamp, version)
        (self.unreadKey, self.key) = (unreadKey, key)
    }

    /// Whether this command came after the other one of the same id.
    func isAfter(_ other: SampledCommand) -> Bool {
        if partition == other.partition { return offset > other.offset }
        return timestamp > other.timestamp
    }
}

/// Keeps the last command of each id. What an earlier command said of a document no longer counts: the document may
/// have been deleted since.
package struct CommandFold: Sendable {
    private struct Key: Hashable {
        var entry: Int
        var id: [UInt8]
    }

    private var last: [Key: SampledCommand] = [:]

    package init() {}

    package mutating func add(_ command: SampledCommand) {
        // Ids are compared as bytes. Swift's texts would call two spellings of one accented letter equal.
        let key = Key(entry: command.entry, id: command.unreadKey ?? Array(command.id.utf8))
        if let known = last[key], !command.isAfter(known) { return }
        last[key] = command
    }

    /// How many ids there are.
    package var count: Int { last.count }

    /// The last command of each id, the newest first, at most `limit`.
    package func commands(atMost limit: Int) -> [SampledCommand] {
        let all = last.values.sorted {
            ($0.timestamp, $0.offset, $0.partition) > ($1.timestamp, $1.offset, $1.partition)
        }
        return Array(all.prefix(limit))
    }
}

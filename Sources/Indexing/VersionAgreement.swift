import Commands

/// The greatest versions of each id in a sample of the log.
package struct VersionFold: Sendable {
    /// Of one id: of the commands that the source is known to have, and of all in the sample.
    package struct Greatest: Sendable, Equatable {
        package var applied: Int64?
        package var any: Int64
        /// The place of the command with the greatest version that the source has, else of the greatest at all.
        package var partition: Int32
        package var offset: Int64

        package init(applied: Int64? = nil, any: Int64, partition: Int32, offset: Int64) {
            (self.applied, self.any, self.partition, self.offset) = (applied, any, partition, offset)
        }
    }

    package private(set) var entries: [Int: [String: Greatest]] = [:]

    package init() {}

    package mutating func add(_ command: SampledCommand, isApplied: Bool) {
        var greatest =
            entries[command.entry]?[command.id]
            ?? Greatest(any: command.version, partition: command.partition, offset: command.offset)
        greatest.any = max(greatest.any, command.version)
        if isApplied, command.version >= greatest.applied ?? .min {
            greatest.applied = command.version
            (greatest.partition, greatest.offset) = (command.partition, command.offset)
        }
        entries[command.entry, default: [:]][command.id] = greatest
    }
}

/// Whether the `_version` of the source's documents is the version that their commands carry.
package struct VersionAgreement: Sendable {
    package struct Example: Sendable, Equatable {
        package var id: String
        /// What the source has.
        package var stored: Int64
        /// What commands, or the document's own field, say.
        package var said: Int64
        /// Of the command; nil: it is the document's own field.
        package var place: String?
    }

    package private(set) var same = 0
    /// The source is behind a command that it is known to have, or the document says another number.
    package private(set) var other: [Example] = []
    /// The source is ahead of every command in the sample. There may be a command between that the sample lacks.
    package private(set) var ahead: [Example] = []

    package init() {}

    package var looked: Int { same + other.count + ahead.count }

    package mutating func add(_ id: String, stored: Int64, commands: VersionFold.Greatest) {
        let example = Example(
            id: id, stored: stored, said: commands.applied ?? commands.any,
            place: "partition \(commands.partition) offset \(commands.offset)")
        if stored == commands.applied || stored == commands.any {
            same += 1
        } else if stored > commands.any {
            ahead.append(example)
        } else if let applied = commands.applied {
            if stored < applied { other.append(example) } else { same += 1 }
        }
        // Else the source has not got to the command yet, which says nothing.
    }

    package mutating func add(_ id: String, stored: Int64, field: Int64) {
        if stored == field {
            same += 1
        } else {
            other.append(Example(id: id, stored: stored, said: field, place: nil))
        }
    }

    /// Whether the numbers have nothing to do with each other. One in a hundred may be a document that was written by
    /// hand. Of what is ahead there may be more: `isComplete` says whether only a few seconds of commands lie between
    /// the sample and what the source has.
    package func refuses(isComplete: Bool) -> Bool {
        guard looked > 0 else { return false }
        if other.count * 100 >= looked, !other.isEmpty { return true }
        return same == 0 || ahead.count * (isComplete ? 10 : 2) > looked
    }
}

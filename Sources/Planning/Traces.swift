import Commands
import Recipe
import Schema
import State

/// What a migration has left on the servers, where its state is not there.
package struct Traces: Sendable, Equatable {
    /// What only one leaves that was not finished, in words.
    package var unfinished: [String] = []
    /// What a finished one may leave, too.
    package var others: [String] = []

    package init() {}

    package var all: [String] { unfinished + others }
}

extension Survey {
    /// Empty while the state is there.
    package func traces(_ recipe: Recipe) -> Traces {
        var found = Traces()
        guard state == nil else { return found }
        for entry in entries {
            guard let present = entry.present else { continue }
            let own = TargetAliases(index: entry.index)
            let aliases = Set(present.aliases.map(\.key)).intersection([own.readers, own.log, own.copy, own.purge])
            if !aliases.isEmpty {
                found.unfinished.append("\(entry.index) has the aliases \(aliases.sorted().joined(separator: ", "))")
            }
            if TargetMapping.bare(present.mappings)["properties"]?[Tombstone.deleted] != nil {
                found.others.append("\(entry.index) has the field \(Tombstone.deleted)")
            }
        }
        if !committed.isEmpty { found.others.append("group \(recipe.commands.group) has committed offsets") }
        return found
    }
}

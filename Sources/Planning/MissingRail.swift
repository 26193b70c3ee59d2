import Commands
import Indexing
import Recipe

/// The sampled partial updates that come behind a delete of the same document, with no whole document between.
package struct PartsBehindDeletes: Sendable {
    /// Of one entry.
    package struct Found: Sendable, Equatable {
        package var count: Int
        package var id: String
        package var partition: Int32
        package var offset: Int64

        package init(count: Int = 0, id: String, partition: Int32, offset: Int64) {
            (self.count, self.id, self.partition, self.offset) = (count, id, partition, offset)
        }
    }

    /// By the place of the entry in the recipe.
    package private(set) var found: [Int: Found] = [:]
    /// Where the last delete of a document is, if nothing has written it since.
    private var deletes: [String: (partition: Int32, offset: Int64)] = [:]

    package init() {}

    /// Adds a command. Those of a partition come in their order, but a newer stretch of it may come before an older.
    package mutating func add(_ command: SampledCommand) {
        let name = "\(command.entry)/\(command.routing ?? "")/\(command.id)"
        switch command.kind {
        case .delete: deletes[name] = (command.partition, command.offset)
        case .index, .keep: deletes[name] = nil
        case .leave: break
        case .merge:
            guard let delete = deletes[name], delete.partition == command.partition, delete.offset < command.offset
            else { return }
            found[
                command.entry,
                default: Found(id: command.id, partition: command.partition, offset: command.offset)
            ].count += 1
        }
    }
}

/// The rail `missing`: partial updates of documents that were deleted, where the recipe does not say what they do.
package enum MissingRail {
    static func look(_ recipe: Recipe, _ samples: Samples) -> [Rail] {
        recipe.indices.indices.compactMap { place in
            let entry = recipe.indices[place]
            guard !entry.saysMissing, let found = samples.log.behindDeletes.found[place] else { return nil }
            return warning(of: found, index: entry.to)
        }
    }

    package static func warning(of found: PartsBehindDeletes.Found, index: String) -> Rail {
        let what =
            found.count == 1
            ? "1 sampled partial update for \(index) comes" : "\(found.count) sampled partial updates for \(index) come"
        return Rail(
            name: "missing", verdict: .warn,
            detail: what + " behind a delete of the same document (the first: id \(found.id), partition "
                + "\(found.partition) offset \(found.offset)), and the recipe does not say what they do: "
                + "`missing: create`, which is taken without it, makes a document of the part, which readers see; "
                + "`ignore` does nothing, as an indexer that passes over the update API's 404; "
                + "`reject` makes a dead letter of each")
    }
}

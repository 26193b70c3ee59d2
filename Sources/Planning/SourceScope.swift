import Foundation
import JSONText
import Recipe
import State

/// The source indices of a migration as its state names them: those that were confirmed.
package struct KnownSources: Sendable {
    package struct Item: Sendable {
        package var index: String
        package var from: [String]
        /// Filters of aliases through which `from` showed an index.
        package var filters: [String: JSONValue]
    }

    private var items: [Item] = []
    private var entries: Set<[String]> = []

    package init(_ work: JSONValue?) {
        for item in work?["indices"]?.array ?? [] {
            guard let index = item["index"]?.string else { continue }
            items.append(
                Item(
                    index: index, from: (item["from"]?.array ?? []).compactMap(\.string),
                    filters: Dictionary((item["filters"]?.object ?? [:]).map { ($0.key, $0.value) }) { one, _ in one }))
        }
        for entry in work?["recipe"]?["indices"]?.array ?? [] {
            entries.insert([entry["from"]?.string ?? "", entry["to"]?.string ?? ""])
        }
    }

    /// The target indices of an entry, each with its source indices; nil: this entry was not confirmed.
    package subscript(_ entry: Recipe.IndexEntry) -> [Item]? {
        guard let from = entry.from else { return [Item(index: entry.to, from: [], filters: [:])] }
        guard entries.contains([from, entry.to]) else { return nil }
        let mine = items.filter { item in
            guard entry.to.contains("{index}") else { return item.index == entry.to }
            return item.from.count == 1
                && item.index == entry.to.replacingOccurrences(of: "{index}", with: item.from[0])
        }
        return mine.isEmpty ? nil : mine
    }

    package func knows(_ recipe: Recipe) -> Bool { recipe.indices.allSatisfy { self[$0] != nil } }
}

/// Which of the indices that `from` names belong to the migration.
package struct SourceScope: Sendable, Equatable {
    /// Those that were confirmed, or are to be.
    package var names: [String]
    /// They are there, and were not confirmed.
    package var fresh: [String] = []
    /// They were confirmed, and are not there any more.
    package var gone: [String] = []

    /// All that may hold a document of the migration by now: where the base of a partial update is looked for.
    package var readable: [String] { names.filter { !gone.contains($0) } + fresh }

    /// What a copy makes of the difference.
    package enum Copy: Sendable { case none, begins, goesOn }

    /// - Parameters:
    ///   - confirmed: nil: nothing was.
    ///   - there: what `from` names by now; nil: unknown.
    ///   - copy: a copy that begins reads all that is there, and one that goes on what is left of its indices. Both
    ///     change the work, so they ask for a confirmation.
    package init(confirmed: [String]?, there: [String]?, copy: Copy = .none) {
        guard let confirmed else {
            names = there ?? []
            return
        }
        names = confirmed
        guard let there else { return }
        fresh = there.filter { !confirmed.contains($0) }
        gone = confirmed.filter { !there.contains($0) }
        switch copy {
        case .none: break
        case .begins: (names, fresh) = (there, [])
        case .goesOn: names = confirmed.filter(there.contains)
        }
    }
}

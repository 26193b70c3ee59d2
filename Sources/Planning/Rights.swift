import Recipe
import SearchCluster
import State

/// Privileges that a migration needs on a cluster, and what for. `docs/guide.md` has them as a table and as roles; a
/// test compares those with all requests of a whole migration.
package struct Rights: Sendable, Equatable {
    package enum Side: Sendable { case source, target }

    /// When they are needed.
    package enum Stage: Sendable {
        /// By `init`, `copy`, `replay` or `follow`.
        case work
        /// Work goes on without them, and how.
        case comfort
        case rollover, finish
        /// By `finish --delete-old`.
        case deleteOld
    }

    package var side: Side
    package var names: [String]
    /// The index, alias or pattern; nil: the cluster.
    package var on: String?
    package var stages: Set<Stage>
    package var purpose: String

    init(_ side: Side, _ names: [String], on: String? = nil, _ stages: Set<Stage>, _ purpose: String) {
        (self.side, self.names, self.on) = (side, names, on)
        (self.stages, self.purpose) = (stages, purpose)
    }

    package var privileges: [Privilege] { names.map { Privilege($0, on: on) } }

    /// All of a recipe. `survey`: what `from` has been found to mean; nil: nobody has looked.
    /// `isOneCluster`: whether the source is the target's cluster.
    package static func all(of recipe: Recipe, _ survey: Survey?, isOneCluster: Bool) -> [Rights] {
        var found: [Rights] = []
        let from = recipe.indices.flatMap { $0.from?.split(separator: ",").map(String.init) ?? [] }
        let concrete = survey?.entries.flatMap(\.scope.names) ?? []
        let sources = unique(from + concrete)
        if recipe.source != nil { found += ofSource(sources) }
        found += ofTarget(recipe, survey, isOneCluster: isOneCluster)
        if isOneCluster {
            for name in sources {
                found.append(
                    Rights(
                        .target, ["manage"], on: name, [.rollover, .deleteOld], "taking the readers' alias off it"))
            }
        }
        return found
    }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    private static func ofSource(_ names: [String]) -> [Rights] {
        var found = [Rights(.source, ["monitor"], [.work], "its version and its nodes")]
        for name in names {
            found.append(
                Rights(
                    .source, ["read", "view_index_metadata", "monitor"], on: name, [.work],
                    "its documents, mapping, settings and aliases"))
            found.append(
                Rights(
                    .source, ["maintenance"], on: name, [.comfort],
                    "a refresh; without it a copy and a verification wait for the index's own"))
        }
        return found
    }

    private static func ofTarget(_ recipe: Recipe, _ survey: Survey?, isOneCluster: Bool) -> [Rights] {
        var found = [
            Rights(.target, ["monitor"], [.work, .rollover], "its version, its nodes and its health"),
            Rights(
                .target, ["manage_index_templates", "read_ilm"], [.comfort],
                "what a template or a policy does to the new indices; without it that is not known"),
        ]
        let entries = survey?.entries.map { ($0.index, $0.recipe) }
        for (index, entry) in entries ?? recipe.indices.map({ ($0.to.replacing("{index}", with: "*"), $0) }) {
            found.append(
                Rights(
                    .target, ["manage", "read", "write"], on: index, [.work, .rollover, .finish],
                    "making it, writing it and comparing it"))
            found.append(
                Rights(
                    .target, ["manage", "write"], on: "\(index)-crossfade-*", [.work, .rollover, .finish],
                    "the aliases through which it is written"))
            let read = isOneCluster ? [] : [entry.readName].compactMap { $0 }
            for alias in entry.aliases.isEmpty ? read : entry.aliases {
                found.append(
                    Rights(.target, ["manage"], on: alias, [.rollover, .finish], "moving the readers' alias"))
                found.append(
                    Rights(.target, ["read"], on: alias, [.rollover], "seeing on every node where the alias leads"))
            }
        }
        found.append(
            Rights(
                .target, ["manage", "read", "write"], on: ".crossfade-\(recipe.name)*", [.work, .rollover, .finish],
                "the state, the receipts and the markers of moves"))
        return found
    }
}

extension Recipe.IndexEntry {
    /// The one name by which the source is read; nil: there are several, or a pattern.
    fileprivate var readName: String? {
        from.flatMap { $0.isEmpty || $0.contains("*") || $0.contains(",") || $0 == to ? nil : $0 }
    }
}

/// What the clusters say about them.
package struct RightsLook: Sendable {
    /// Privileges that are missing, and which of the rights they belong to.
    package var lacking: [(rights: Rights, names: [String])] = []
    /// Clusters that cannot be asked, and why.
    package var unknown: [String] = []
    /// Clusters that check nobody.
    package var unchecked: [String] = []
    /// How many were asked for.
    package var count = 0

    package init() {}

    /// Asks both clusters, each for what is needed at these stages.
    package static func take(
        _ rights: [Rights], at stages: Set<Rights.Stage>, source: Cluster?, target: Cluster
    ) throws(ClusterError) -> RightsLook {
        var look = RightsLook()
        let wanted = rights.filter { !$0.stages.isDisjoint(with: stages) }
        if let source { try look.ask(source, "source", wanted.filter { $0.side == .source }) }
        try look.ask(target, "target", wanted.filter { $0.side == .target })
        return look
    }

    private mutating func ask(_ cluster: Cluster, _ side: String, _ rights: [Rights]) throws(ClusterError) {
        guard !rights.isEmpty else { return }
        var privileges: [Privilege] = []
        for privilege in rights.flatMap(\.privileges) where !privileges.contains(privilege) {
            privileges.append(privilege)
        }
        switch try cluster.lacking(privileges) {
        case .unchecked: unchecked.append(side)
        case .unknown(let why): unknown.append("the \(side) cannot be asked: \(why)")
        case .lacking(let missing):
            count += privileges.count
            for right in rights {
                let names = right.names.filter { missing.contains(Privilege($0, on: right.on)) }
                if !names.isEmpty { lacking.append((right, names)) }
            }
        }
    }

    /// What is missing at these stages and was not needed at the `other` ones, in words; nil: nothing is.
    package func words(at stages: Set<Rights.Stage>, but other: Set<Rights.Stage> = []) -> String? {
        let found = lacking.filter {
            !$0.rights.stages.isDisjoint(with: stages) && $0.rights.stages.isDisjoint(with: other)
        }
        guard !found.isEmpty else { return nil }
        let limit = 8
        var parts = found.prefix(limit).map { right, names in
            let place = right.on.map { "on \($0)" } ?? "of the cluster"
            return "\(names.joined(separator: ", ")) \(place) of the \(right.side.word) (\(right.purpose))"
        }
        if found.count > limit { parts.append("and \(found.count - limit) more") }
        return parts.joined(separator: "; ")
    }
}

extension Rights.Side {
    var word: String { self == .source ? "source" : "target" }
}

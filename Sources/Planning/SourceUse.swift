import Commands
import Failures
import JSONText
import Recipe
import SearchCluster
import State
import Telemetry

/// What a command is about to do. It decides what is asked.
package enum Purpose: Sendable {
    case plan, initialise, copy, replay, follow, redrive, status, purge, verify
    /// The log is compared with the target.
    case verifyLog
    /// The readers go back at any price. The log is not asked: its brokers may be away, too.
    case wayBack
    /// Moving the readers, or ending the migration: what `status` looks at, but the log must answer.
    case cutover

    /// Whether the command topic is looked at.
    var asksLog: Bool { self != .wayBack }
    /// Whether a question that is forbidden is left without an answer.
    var isLenient: Bool { self == .status || self == .cutover || self == .wayBack }
    /// Whether a command topic that cannot be looked at is no reason to end.
    var sparesLog: Bool { self == .status }
}

/// Whether a command asks the source. An old cluster may be switched off once nothing reads it any more.
package enum SourceUse: Sendable, Equatable {
    /// The work reads it, so it must answer. `why`: for the message when it does not. `waits`: it was there before, so
    /// it is waited for; see ``SourceWait``.
    case needed(why: String, waits: Bool = false)
    /// It is looked at if it answers soon. What it does not tell is said.
    case wanted
    /// It is not asked.
    case spared

    /// - Parameters:
    ///   - isKnown: whether the state names the source indices of every entry of the recipe.
    ///   - isConfirming: whether the user confirms work with this command, and so must see what `plan` would show.
    package static func of(
        _ purpose: Purpose, recipe: Recipe, state: MigrationState?, isKnown: Bool, isConfirming: Bool = false
    ) -> SourceUse {
        guard recipe.source != nil else { return .spared }
        if purpose.isLenient { return .wanted }
        if purpose == .verify {
            return .needed(
                why: "its documents are compared with those of the target (`--against log` compares with the topic)")
        }
        if purpose == .copy {
            // After a finished copy, it may have been switched off for good.
            return .needed(
                why: "the copy reads it (what comes after a finished copy does not)",
                waits: isKnown && !isConfirming && state?.copy?.finished == nil)
        }
        guard isKnown, let state else {
            return .needed(why: "its indices are looked up there, because nothing was confirmed for them yet")
        }
        switch purpose {
        case .replay, .follow, .redrive:
            if recipe.commands.format.hasMerges, state.copyUnfinished {
                return .needed(
                    why: "while the copy is unfinished, a partial update may need a document that only the source has")
            }
            return purpose == .replay || isConfirming ? .wanted : .spared
        case .plan, .initialise: return .wanted
        case .purge, .status, .cutover, .wayBack, .copy, .verify, .verifyLog: return .spared
        }
    }
}

/// What the source was found to hold, by the place of the entry in the recipe.
package struct SourceLook: Sendable {
    package struct Found: Sendable {
        package var indices: [IndexInfo] = []
        /// Closed indices that `from` also matches.
        package var closed: [String] = []
        /// Hidden indices that `from` would also match.
        package var hidden: [String] = []
        /// Filters of aliases through which `from` shows an index, by the index.
        package var filters: [String: JSONValue] = [:]
    }

    /// nil: it did not answer, or was not asked.
    package private(set) var cluster: Cluster?
    /// Why it is not known what it holds; nil: it is known, or was not asked.
    package private(set) var unknown: String?
    private var found: [Found] = []

    /// Seconds for each question to a source that is only wanted.
    private static let patience = 3.0

    /// What an entry's `from` matches; nil: unknown.
    package subscript(_ place: Int) -> Found? { found.indices.contains(place) ? found[place] : nil }

    /// - Parameters:
    ///   - state: nil: nothing was confirmed.
    ///   - refreshes: whether the source is refreshed first, where it lets us, so that searches show what it has.
    package static func take(
        _ use: SourceUse, _ recipe: Recipe, state: MigrationState?, refreshes: Bool, logger: Logger
    ) throws -> SourceLook {
        guard let endpoint = recipe.source, use != .spared else { return SourceLook() }
        func look() throws -> SourceLook { try take(endpoint, use, recipe, state, refreshes: refreshes) }
        do {
            guard case .needed(_, waits: true) = use else { return try look() }
            return try SourceWait.ask(logger, look)
        } catch let error as ClusterError {
            guard case .needed(let why, _) = use else {
                var look = SourceLook()
                look.unknown = "\(error)"
                return look
            }
            var told = WorkError(
                .cluster, "the source is needed (\(why)), and it could not be looked at: \(error)")
            told.isForbidden = error.code == .forbidden
            throw told
        }
    }

    private static func take(
        _ endpoint: ClusterEndpoint, _ use: SourceUse, _ recipe: Recipe, _ state: MigrationState?, refreshes: Bool
    ) throws -> SourceLook {
        var look = SourceLook()
        let known = KnownSources(state?.work)
        let cluster = try Cluster.connect(endpoint, withinSeconds: use == .wanted ? patience : nil)
        let reader = (use == .wanted ? cluster.answering(withinSeconds: 10 * patience) : cluster).reader
        for (place, entry) in recipe.indices.enumerated() {
            guard let from = entry.from else {
                look.found.append(Found())
                continue
            }
            let isKnown = known.knows(recipe)
            let left = LeftIndices(known[entry] ?? [], state, on: cluster)
            func indices() throws -> [IndexInfo] {
                try left.restored(try resolve(from, reader, cluster.name, mayBeNone: isKnown), reader)
            }
            var found = Found(indices: try indices(), closed: try reader.closed(from))
            if refreshes {
                for index in found.indices { _ = try? reader.refresh(index.name) }
                found.indices = try indices()
            }
            found.hidden = try reader.hidden(from, besides: found.indices)
            found.filters = try filter(
                &found.indices, from: from, left, entry, recipe.selector(place), recipe.commands.format, reader)
            look.found.append(found)
        }
        look.cluster = cluster
        return look
    }

    /// Finds the filters of aliases, and applies them to the indices where they decide what is copied.
    private static func filter(
        _ found: inout [IndexInfo], from: String, _ left: LeftIndices, _ entry: Recipe.IndexEntry,
        _ select: CommandFormat.Selector?, _ format: CommandFormat, _ reader: ClusterReader
    ) throws -> [String: JSONValue] {
        var filters: [String: JSONValue] = [:]
        for number in found.indices {
            guard let filter = left.filter(of: found[number], from: from) else { continue }
            filters[found[number].name] = filter
            let isSelected = SourceFilter.isSame(filter, as: select, format)
            guard entry.filter == .source || (entry.filter == nil && isSelected) else { continue }
            found[number].filter = filter
            found[number].liveCount = try reader.count(found[number].name, query: found[number].liveQuery)
        }
        return filters
    }

    private static func resolve(
        _ from: String, _ reader: ClusterReader, _ name: String, mayBeNone: Bool
    ) throws -> [IndexInfo] {
        var found: [IndexInfo] = []
        do {
            found = try reader.resolve(from)
        } catch {
            guard error.code == .notFound else { throw error }
        }
        guard found.isEmpty, !mayBeNone else { return found }
        throw WorkError(
            .cluster,
            "the source \(name) has no index or alias \(from): there is nothing to migrate. Check `from` of the "
                + "recipe's indices; what there is can be seen at /_cat/indices of the source")
    }
}

import CommandLog
import Cutover
import Failures
import Recipe
import SearchCluster
import State

/// Whether the readers could go back to the old indices now.
package struct WayBack: Sendable {
    package enum Condition: Sendable, Equatable {
        case ready, gone, remade, closed
        case blocked([String])
        case unknown(String)
    }

    package struct Index: Sendable, Equatable {
        package var name: String
        package var condition: Condition

        package init(_ name: String, _ condition: Condition) { (self.name, self.condition) = (name, condition) }

        /// Why the readers could not go back to it; nil: they could.
        package var trouble: String? {
            switch condition {
            case .ready: nil
            case .gone: "the old index \(name) is gone"
            case .remade: "the old index \(name) was made again, so it is another one"
            case .closed: "the old index \(name) is closed"
            case .blocked(let blocks): "the old index \(name) is blocked (\(blocks.joined(separator: ", ")))"
            case .unknown(let why): "it is not known how the old index \(name) is: \(why)"
            }
        }

        /// Whether readers would get errors from it, or nobody knows.
        package var failsReaders: Bool {
            switch condition {
            case .ready, .remade: false
            case .blocked(let blocks): blocks.contains("read")
            case .gone, .closed, .unknown: true
            }
        }
    }

    package var indices: [Index]
    /// Aliases of the readers that do not stand on the new indices any more.
    package var misplaced: [MisplacedAlias] = []
    /// Records of the topic that the old indexer has still to apply; nil: that is not known.
    package var lag: Int64?
    /// The group of the old indexer; nil: the recipe does not name it.
    package var group: String?
    /// Whether the old indexer runs, as far as its group tells; nil: that is not known.
    package var runs: Bool?
    /// Aliases of the old cluster to which the readers would go back, and that are on none of the old indices now.
    package var goneAliases: [String] = []
    /// What to type while both sides cannot be compared, because the command topic cannot be looked at; nil: it can.
    package var uncompared: String?
    /// Why the old side gets nothing any more, although its indexer may run; nil: it does.
    package var unfed: String?
    /// Documents of the old side and of the new one, where the old side has lost most of its own; nil: it has not.
    package var lost: (old: Int, new: Int)?

    /// What lifecycle policies will do to old indices; see ``dues(now:)``.
    package var fates: [String: IndexFate] = [:]
    /// Whether the old side is OpenSearch.
    var isOpenSearch = false

    /// Why nothing can be written down, without which no reader is moved; nil: it can.
    package var state: StateBlock?

    package init(indices: [Index], lag: Int64?, group: String?) {
        (self.indices, self.lag, self.group) = (indices, lag, group)
    }

    /// An old indexer that is further behind has most likely stopped. While writers write there is always a little lag.
    package static let lagAllowed: Int64 = 1000

    /// Why they could not; empty: they could.
    package var reasons: [String] {
        var found = indices.compactMap(\.trouble)
        if let state { found.append("\(state.words): \(state.mend)") }
        // One that stands nowhere is put back on the old index like all others.
        found += misplaced.filter { !$0.indices.isEmpty }.map(\.words)
        found += goneAliases.map { "the old cluster has no alias \($0) on the old indices any more" }
        if let unfed { found.append(unfed) }
        if let uncompared {
            found.append(
                "the command topic cannot be looked at, so nobody can tell what the old side lacks: `\(uncompared)` "
                    + "moves the readers back all the same")
        }
        if let lost { found.append("the old side has \(lost.old) documents, and the new side \(lost.new)") }
        if let lag, let group, lag > Self.lagAllowed || (lag > 0 && runs == false) {
            let stopped = runs == false ? "has no members, and " : ""
            found.append("the old indexer (group \(group)) \(stopped)is \(lag) records behind")
        }
        return found
    }

    /// How it is after a rollover; nil: no alias is moved.
    /// - Parameter runs: whether the old indexer does (``Survey/applicationRuns(_:_:)``); nil: that is not known.
    static func look(_ survey: Survey, _ recipe: Recipe, runs: @autoclosure () -> Bool?) -> WayBack? {
        guard let cutover = survey.state?.cutover, !cutover.moved.isEmpty else { return nil }
        var back = look(survey, recipe, from: cutover.moved.flatMap(\.from), runs: runs())
        let isOneCluster = cutover.moved.contains { !$0.from.isEmpty }
        if isOneCluster, recipe.cutover.writers == .alias {
            back.unfed = "what is written through the alias goes to the new index alone (cutover.writers: alias)"
        }
        if survey.logUnknown != nil { back.uncompared = "crossfade rollback \(recipe.typed) --accept-loss" }
        let target = survey.target.answering(withinSeconds: 5)
        back.state = StateStore(target: target, name: recipe.name).block()
        let writer = target.writer
        if survey.source != nil {
            let theirs = survey.sourceAliases
            let moved = Set(cutover.moved.map(\.alias))
            back.goneAliases = cutover.leftBehind.filter { moved.contains($0) && !theirs.contains($0) }
        }
        back.misplaced = cutover.moved.compactMap { try? MisplacedAlias($0, writer) }
        return back
    }

    /// - Parameter places: the indices that readers leave in one cluster. Between two clusters, and where none is
    ///   named, the old indices are those that were copied.
    package static func look(
        _ survey: Survey, _ recipe: Recipe, from places: [AliasMove.Place], runs: Bool?
    ) -> WayBack {
        let recorded = places.map { ($0.index, $0.uuid) }
        var places: [String: String?] = Dictionary(recorded) { one, _ in one }
        var reader: ClusterReader? = survey.target.answering(withinSeconds: 5).reader
        let isMoved = !places.isEmpty
        if !isMoved {
            for name in survey.entries.flatMap(\.scope.names) { places[name] = .some(nil) }
            reader = survey.source?.answering(withinSeconds: 5).reader
        }
        var back = WayBack(indices: [], lag: survey.applicationLag, group: recipe.commands.applicationGroup)
        back.isOpenSearch = (isMoved ? survey.target : survey.source)?.server.product == .opensearch
        for (name, uuid) in places.sorted(by: { $0.key < $1.key }) {
            let found = condition(name, uuid, reader, otherwise: survey.sourceUnknown)
            back.indices.append(Index(name, found.condition))
            if found.condition == .ready { back.lookForPolicy(name, found.policy, reader) }
        }
        back.runs = runs
        back.lost = lost(survey)
        return back
    }

    /// An index of the same name, made since the old side was compared, holds nobody knows what.
    package mutating func lookForRemade(since before: [String: String], now: [String: String]) {
        for place in indices.indices where indices[place].condition == .ready {
            let name = indices[place].name
            if let old = before[name], let new = now[name], old != new { indices[place].condition = .remade }
        }
    }

    /// Whether the old side holds less than nine tenths of what the new side holds. Somebody has emptied it then, or
    /// has made an index of the same name.
    private static func lost(_ survey: Survey) -> (old: Int, new: Int)? {
        guard survey.source != nil else { return nil }
        let copied = survey.entries.filter { !$0.source.isEmpty && $0.isCounted }
        // Several entries may read the same index.
        let old = Dictionary(copied.flatMap(\.source).map { ($0.name, Int($0.documentCount)) }) { one, _ in one }
            .values.reduce(0, +)
        let new = copied.reduce(0) { $0 + $1.held }
        return !copied.isEmpty && old < new / 10 * 9 + new % 10 * 9 / 10 ? (old, new) : nil
    }

    private static func condition(
        _ name: String, _ uuid: String?, _ reader: ClusterReader?, otherwise unknown: String?
    ) -> (condition: Condition, policy: String?) {
        guard let reader else { return (.unknown(unknown ?? "the source was not asked"), nil) }
        do throws(ClusterError) {
            guard let found = try reader.condition(of: name) else { return (.gone, nil) }
            if let uuid, let now = found.uuid, uuid != now { return (.remade, nil) }
            if found.isClosed { return (.closed, nil) }
            return (found.blocks.isEmpty ? .ready : .blocked(found.blocks), found.policy)
        } catch {
            return (.unknown("\(error)"), nil)
        }
    }
}

extension Survey {
    /// Records of the topic that the application's group has still to apply; nil: that is not known.
    package var applicationLag: Int64? {
        application.map { offsets in
            watermarks.reduce(Int64(0)) { sum, partition in
                let (number, mark) = partition
                guard mark.high > mark.low else { return sum }
                return sum + max(0, mark.high - max(mark.low, offsets[number] ?? mark.low))
            }
        }
    }
}

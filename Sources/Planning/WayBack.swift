import CommandLog
import Failures
import Recipe
import SearchCluster
import State

/// Whether the readers could go back to the old indices now.
package struct WayBack: Sendable, Equatable {
    package enum Condition: Sendable, Equatable {
        case ready, gone, remade, closed
        case blocked([String])
        case unknown(String)
    }

    package struct Index: Sendable, Equatable {
        package var name: String
        package var condition: Condition

        package init(_ name: String, _ condition: Condition) { (self.name, self.condition) = (name, condition) }
    }

    package var indices: [Index]
    /// Aliases of the readers that do not stand on the new indices any more.
    package var misplaced: [MisplacedAlias] = []
    /// Records of the topic that the old indexer has still to apply; nil: that is not known.
    package var lag: Int64?
    /// The group of the old indexer; nil: the recipe does not name it.
    package var group: String?

    package init(indices: [Index], lag: Int64?, group: String?) {
        (self.indices, self.lag, self.group) = (indices, lag, group)
    }

    /// An old indexer that is further behind has most likely stopped. While writers write there is always a little lag.
    package static let lagAllowed: Int64 = 1000

    /// Why they could not; empty: they could.
    package var reasons: [String] {
        var found = indices.compactMap { index -> String? in
            switch index.condition {
            case .ready: nil
            case .gone: "the old index \(index.name) is gone"
            case .remade: "the old index \(index.name) was made again, so it is another one"
            case .closed: "the old index \(index.name) is closed"
            case .blocked(let blocks): "the old index \(index.name) is blocked (\(blocks.joined(separator: ", ")))"
            case .unknown(let why): "it is not known how the old index \(index.name) is: \(why)"
            }
        }
        // One that stands nowhere is put back on the old index like all others.
        found += misplaced.filter { !$0.indices.isEmpty }.map(\.words)
        if let lag, let group, lag > Self.lagAllowed {
            found.append("the old indexer (group \(group)) is \(lag) records behind")
        }
        return found
    }

    /// What readers left in one cluster is recorded with its UUID. Between two clusters it is what was copied.
    static func look(_ survey: Survey, _ recipe: Recipe) -> WayBack? {
        guard let cutover = survey.state?.cutover, !cutover.moved.isEmpty else { return nil }
        let recorded = cutover.moved.flatMap(\.from).map { ($0.index, $0.uuid) }
        var places: [String: String?] = Dictionary(recorded) { one, _ in one }
        var reader: ClusterReader? = survey.target.answering(withinSeconds: 5).reader
        if places.isEmpty {
            for name in survey.entries.flatMap(\.scope.names) { places[name] = .some(nil) }
            reader = survey.source?.answering(withinSeconds: 5).reader
        }
        let indices = places.sorted { $0.key < $1.key }.map { name, uuid in
            Index(name, condition(name, uuid, reader, otherwise: survey.sourceUnknown))
        }
        let lags = survey.application.map { offsets in
            survey.watermarks.reduce(Int64(0)) { sum, partition in
                let (number, mark) = partition
                guard mark.high > mark.low else { return sum }
                return sum + max(0, mark.high - max(mark.low, offsets[number] ?? mark.low))
            }
        }
        var back = WayBack(indices: indices, lag: lags, group: recipe.commands.applicationGroup)
        let writer = survey.target.answering(withinSeconds: 5).writer
        back.misplaced = cutover.moved.compactMap { try? MisplacedAlias($0, writer) }
        return back
    }

    private static func condition(
        _ name: String, _ uuid: String?, _ reader: ClusterReader?, otherwise unknown: String?
    ) -> Condition {
        guard let reader else { return .unknown(unknown ?? "the source was not asked") }
        do throws(ClusterError) {
            guard let found = try reader.condition(of: name) else { return .gone }
            if let uuid, let now = found.uuid, uuid != now { return .remade }
            if found.isClosed { return .closed }
            return found.blocks.isEmpty ? .ready : .blocked(found.blocks)
        } catch {
            return .unknown("\(error)")
        }
    }
}

import Cutover
import Failures
import SearchCluster

/// An alias that does not stand where a move has put it, because somebody else has moved it, or an index is gone.
package struct MisplacedAlias: Sendable, Equatable {
    package let alias: String
    /// Where it stands; empty: nowhere.
    package let indices: [String]

    /// nil: it stands where `move` has put it.
    package init?(_ move: AliasMove, _ writer: TargetWriter) throws(ClusterError) {
        let indices = try writer.indices(behind: move.alias).map(\.index)
        guard move.standing(indices) != .after else { return nil }
        (alias, self.indices) = (move.alias, indices.sorted())
    }

    package var words: String {
        indices.isEmpty
            ? "alias \(alias) stands on no index any more"
            : "somebody else has moved alias \(alias): it stands on \(indices.joined(separator: ", "))"
    }
}

import Failures
import Indexing
import SearchCluster

/// What no write to an index can get past until somebody acts, as the error that ends the work.
package enum WriteRefusal {
    /// Reasons that say that the index or its alias is not there. A node that has just started, and has not read its indices yet,
    /// says so as well (seen on 6.8: it judges the alias as the name of an index to be made, before it sees that it may
    /// make none). So the write is repeated, and ``TargetMonitor`` finds out which it is.
    package static func mayBeStarting(_ reason: String) -> Bool {
        reason == "index_not_found" || reason == "invalid_index_name"
    }

    /// A refusal of the whole request, where it is none of a document: some servers refuse a closed alias that way.
    package static func reason(_ answer: ClusterError?) -> String? {
        guard let answer, let status = answer.status else { return nil }
        let verdict = ItemClass.classify(
            kind: .index, status: status, errorType: answer.serverType, reason: answer.underlying)
        guard case .stop(let reason) = verdict else { return nil }
        return reason
    }

    package static func error(_ reason: String, _ destination: BulkSink.Destination, detail: String) -> WorkError {
        let index = destination.index
        switch reason {
        case "alias_closed":
            return WorkError(
                .refused,
                "index \(index) takes no copied documents any more: its alias \(destination.name) was closed when the copy was "
                    + "finished, by another process. Nothing late was written; see `crossfade status`, and start `copy` "
                    + "again if a new copy is meant", underlying: detail)
        case "alias_missing":
            return WorkError(
                .refused,
                "the alias \(destination.name) through which the target index \(index) is written was taken away; the index itself is "
                    + "the one that init made. Nothing that it had not taken counts as done: start again, that puts the alias "
                    + "back", underlying: detail)
        case "index_not_found", "invalid_index_name":
            return WorkError(
                .refused,
                "the target index \(index), or its alias \(destination.name) through which it is written, is gone: somebody "
                    + "deleted it while it was written. Nothing was made in its place, and nothing that it had not taken counts as "
                    + "done. Run `crossfade init`, which makes it again, then copy and replay", underlying: detail)
        default:
            return WorkError(.cluster, "index \(index) cannot be written: \(reason)", underlying: detail)
        }
    }
}

import Failures
import Indexing
import SearchCluster

/// Writes that cannot succeed until somebody acts, as the errors that end the work.
package enum WriteRefusal {
    /// The block that the answer to a whole request tells of; nil: it is an error of its documents, or no block. Some
    /// servers refuse the whole request where an alias is closed.
    package static func block(_ answer: ClusterError?) -> WriteBlock? {
        guard let answer, let status = answer.status else { return nil }
        let verdict = ItemClass.classify(
            kind: .index, status: status, errorType: answer.serverType, reason: answer.underlying)
        guard case .stop(let block) = verdict else { return nil }
        return block
    }

    /// `detail`: the server's words.
    package static func error(_ block: WriteBlock, _ destination: BulkSink.Destination, detail: String) -> WorkError {
        let (index, alias) = (destination.index, destination.name)
        return
            switch block
        {
        case .aliasClosed: Refusal.copyClosed(index, alias: alias).error(underlying: detail)
        case .aliasMissing: Refusal.aliasTaken(alias, of: index).error(underlying: detail)
        case .indexNotFound, .invalidIndexName: Refusal.indexGone(index, alias: alias).error(underlying: detail)
        case .notAllowed, .clusterLimit: error(unwritable: destination, because: block.rawValue, detail: detail)
        }
    }

    /// A write that will never be taken, for a reason that is no known block.
    package static func error(
        unwritable destination: BulkSink.Destination, because code: String, detail: String
    ) -> WorkError {
        WorkError(.cluster, "index \(destination.index) cannot be written: \(code)", underlying: detail)
    }
}

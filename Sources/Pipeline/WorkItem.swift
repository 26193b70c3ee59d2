import CommandLog
import Indexing
import SearchCluster

/// Records of one run, handed from the poll thread to a worker with their list, which owns them.
package struct RecordChunk: Sendable {
    package var run: RunID
    package var messages: MessageList
    package var bytes: Int
    /// Bytes of a record's headers, on the average of those that were asked.
    package var headerBytes: Int

    package init(run: RunID, messages: MessageList, bytes: Int, headerBytes: Int) {
        (self.run, self.messages, self.bytes, self.headerBytes) = (run, messages, bytes, headerBytes)
    }
}

/// Documents of one page of the copy.
package struct PageChunk: Sendable {
    package var run: RunID
    package var page: Page
    package var entry: Int

    package init(run: RunID, page: Page, entry: Int) {
        (self.run, self.page, self.entry) = (run, page, entry)
    }
}

/// What a worker is told.
enum WorkItem: Sendable {
    case records(RecordChunk)
    case page(PageChunk)
    /// Hand over what is open now: a drain, or the end of the work, waits for it.
    case flush
    /// Every item of the worker's batch with this serial has its outcome. Sent only where partial updates are possible.
    case finished(batch: Int)
    /// The final answer to a write of a key lane.
    case written(LaneKey, LaneWriteResult)
    /// The answers of one read of bases.
    case bases([BaseAnswer])
    /// All partitions were given up: what waits here is for their next owners. A new generation begins.
    case abandon(generation: Generation)
    /// Whether documents may still come from the copy, which was finished or begun again.
    case copyIs(unfinished: Bool)
}

import Commands
import Foundation
import Indexing
import JSONText
import Transform

/// What the pipeline needs of recipe, plan and state.
package struct PipelinePlan: Sendable {
    package struct Entry: Sendable {
        /// Concrete index on the target.
        package var index: String
        /// The alias through which it is written; see ``TargetAliases``.
        package var alias: String
        package var transform: [TransformStep]
        package var merge: MergeMode
        package var missing: MissingDocument
        /// Indices on the source, for the base of a merge while the copy is unfinished.
        package var from: [String]
        /// Template of the target id, with `{type}` and `{id}`; nil: the id alone.
        package var id: String?
        /// Types of the source's documents.
        package var types: [String]
        /// The entries that read the same documents of a source index, this one among them, by the index; only where
        /// there are several. `select` decides which of them takes a document.
        package var sharing: [String: [Int]] = [:]

        package init(
            index: String, alias: String, transform: [TransformStep], merge: MergeMode, missing: MissingDocument,
            from: [String], id: String? = nil, types: [String] = []
        ) {
            (self.index, self.alias, self.transform, self.merge) = (index, alias, transform, merge)
            (self.missing, self.from, self.id, self.types) = (missing, from, id, types)
        }
    }

    package var name: String
    package var topic: String
    package var format: CommandFormat
    package var entries: [Entry]
    /// Whether the copy is still to be finished: then a merge without a base asks the source for it (promise P4).
    package var copyUnfinished: Bool
    /// Bytes in flight and all the other bounds.
    package var memory: MemoryBudget
    package var inFlight: Int?
    package var deadLetterTopic: String
    package var workers: Int
    /// Milliseconds that a process which is no member of a group may have been stopped and still write: the purge of
    /// the others counts on nothing older than `tombstone_age` being under way. No request takes as long as a minute to
    /// send.
    package var longestStop: Int64
    /// Whether the records are dead letters, which carry their own time in a header.
    package var redriven = false
    /// Ids whose commands may lie in two partitions: the recipe accepts it.
    package var splitIDs: Set<[UInt8]> = []
    /// Whether documents may be copied with a routing that commands do not have: the recipe accepts it.
    package var acceptsRouting = false
    /// Everything but deletes is passed over; see ``TombstoneRestore``.
    package var onlyDeletes = false

    package init(
        name: String, topic: String, format: CommandFormat, entries: [Entry], copyUnfinished: Bool,
        memory: MemoryBudget, inFlight: Int? = nil, deadLetterTopic: String, workers: Int, longestStop: Int64,
        redriven: Bool = false, onlyDeletes: Bool = false
    ) {
        (self.name, self.topic, self.format, self.entries) = (name, topic, format, entries)
        (self.copyUnfinished, self.memory, self.inFlight) = (copyUnfinished, memory, inFlight)
        (self.deadLetterTopic, self.workers, self.longestStop) = (deadLetterTopic, workers, longestStop)
        (self.redriven, self.onlyDeletes) = (redriven, onlyDeletes)
    }

    /// Whether ids of the copy are made of types that are not known, because the source was not looked at.
    package var lacksTypes: Bool {
        entries.contains { IDTemplate($0.id).namesType && !$0.from.isEmpty && $0.types.isEmpty }
    }

    /// Whether an id with commands in two partitions ends the work.
    package var watchesIDs: Bool { format.needsOnePartition }

    /// Whether a command can be a merge at all; if not, no key needs to be remembered.
    package var mergesPossible: Bool { format.hasMerges }
}

/// Batches not in use, so that their buffers are allocated once.
///
/// `@unchecked Sendable` because `free` is touched only under `lock`.
final class BatchPool: @unchecked Sendable {
    private let lock = NSLock()
    private var free: [BulkBatch] = []
    private var kept = 0
    /// Bytes of bodies that are kept at most.
    private let limit: Int

    init(keeping limit: Int) { self.limit = limit }

    func take(worker: Int) -> BulkBatch {
        lock.lock()
        defer { lock.unlock() }
        if let at = free.lastIndex(where: { $0.worker == worker }) {
            kept -= free[at].body.capacity
            return free.remove(at: at)
        }
        return BulkBatch(worker: worker)
    }

    func put(_ batch: BulkBatch) {
        batch.reset()
        lock.lock()
        defer { lock.unlock() }
        guard kept + batch.body.capacity <= limit else { return }
        kept += batch.body.capacity
        free.append(batch)
    }
}

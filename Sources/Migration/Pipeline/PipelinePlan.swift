import Commands
import Foundation
import JSONText
import Transform

/// What the pipeline needs of recipe, plan and state.
struct PipelinePlan: Sendable {
    struct Entry: Sendable {
        /// Concrete index on the target.
        var index: String
        /// The alias through which it is written; see ``TargetAliases``.
        var alias: String
        var transform: [TransformStep]
        var merge: MergeMode
        var missing: Recipe.MissingBase
        /// Indices on the source, for the base of a merge while the copy is unfinished.
        var from: [String]
        /// Template of the target id, with `{type}` and `{id}`; nil: the id alone.
        var id: String?
    }

    var name: String
    var topic: String
    var format: CommandFormat
    var entries: [Entry]
    /// Whether the copy is still to be finished: then a merge without a base asks the source for it (design 6.4).
    var copyUnfinished: Bool
    /// Bytes in flight and all the other bounds.
    var memory: MemoryBudget
    var inFlight: Int?
    var deadLetterTopic: String
    var workers: Int
    /// Milliseconds that a process which is no member of a group may have been stopped and still write: the purge of the
    /// others counts on nothing older than `tombstone_age` being under way. No request takes as long as a minute to send.
    var longestStop: Int64
    /// Whether the records are dead letters, which carry their own time in a header.
    var redriven = false
    /// Everything but deletes is passed over; see ``TombstoneReturn``.
    var onlyDeletes = false

    /// Whether a command can be a merge at all; if not, no key needs to be remembered.
    var mergesPossible: Bool { format.hasMerges }
}

extension CommandFormat {
    /// Whether a command can be a partial update.
    var hasMerges: Bool {
        if case .envelope(let envelope) = shape { return !envelope.merge.isEmpty }
        return false
    }

    /// Whether id or version come from a record's headers.
    var needsHeaders: Bool {
        if case .header = version { return true }
        if case .envelope(let envelope) = shape, case .header = envelope.id { return true }
        return false
    }
}

/// Versions of copied documents: the same field's that the commands carry, where there is one, else the floor.
struct CopyVersions {
    private let extractor: JSONExtractor?
    private let floor: Int64
    private let epoch: Int64

    init(_ format: CommandFormat) {
        epoch = format.epoch
        floor = DocumentVersion.floor(epoch: format.epoch)
        extractor = Self.path(format).map { JSONExtractor(paths: [$0]) }
    }

    /// The version field's path inside the document; nil when the version is not in the document.
    static func path(_ format: CommandFormat) -> JSONPath? {
        guard case .field(let path) = format.version else { return nil }
        guard case .envelope(let envelope) = format.shape, let document = envelope.document else { return path }
        let names = path.names
        guard names.count > document.names.count, Array(names.prefix(document.names.count)) == document.names
        else { return nil }
        return JSONPath(names: Array(names.dropFirst(document.names.count)))
    }

    func version(of document: Bytes) -> Int64 {
        guard let extractor, (try? extractor.extract(document)) != nil else { return floor }
        let slice = extractor[0]
        guard slice.kind == .number || slice.kind == .string else { return floor }
        var text = document[slice.start..<slice.end]
        if slice.kind == .string { text = text.dropFirst().dropLast() }
        guard let number = Int64(String(decoding: text, as: UTF8.self)), number > 0 else { return floor }
        return number
    }
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

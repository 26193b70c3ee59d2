import Commands

/// What is known to be in the index for a key.
struct LaneBase {
    enum State {
        case document([UInt8])
        /// The source's own document, still in SOURCE form; not in the target yet.
        case source([UInt8])
        /// Deleted by a command.
        case deleted
        /// Not in the target.
        case absent
        /// Not in the source either.
        case nowhere
    }

    var state: State
    var version: Int64

    var heldBytes: Int {
        switch state {
        case .document(let document), .source(let document): document.count
        default: 0
        }
    }
}

/// An operation of a write, and what it counts as once the write is acknowledged.
struct LaneFolded {
    var operation: LaneOperation
    var outcome: Outcome
}

/// What a fold came to.
struct LaneFold {
    var base: LaneBase
    /// Part of the write.
    var folded: [LaneFolded] = []
    /// Of these, so many from the front were replaced whole by a later one of the same write.
    var replaced = 0
    /// The base is the source's own document and in the target only when the write is.
    var isOnSource = false
    /// Stale or rejected.
    var dropped: [LaneOperation] = []
    var settled = LaneResult()
    /// Nothing was done: the source's document is needed first.
    var needsSource = false
}

/// The operations of one key, and where the lane stands.
final class Lane {
    enum Phase {
        /// The base is to be read, once no batch under way holds the key.
        case ready
        case fetching
        case needsSource
        case fetchingSource
        /// The base is known, operations are to be folded onto it.
        case based
        case writing
    }

    let key: LaneKey
    let entry: Int
    let id: [UInt8]
    let hash: UInt64
    /// Slot of the next lane whose key has the same hash; -1: none.
    var sameHash: Int
    var phase = Phase.ready
    /// Batches under way that hold the key.
    var waits = 0
    var queue = LaneOperationQueue()
    /// Operations of the write under way.
    var folded: [LaneFolded] = []
    /// Whether the write under way stands on the source's own document.
    var isOnSource = false
    /// The operation at the front is tried without the source's document: no base for those behind it.
    var isWithoutSource = false
    var base: LaneBase?
    /// The copy was unfinished when the base began to be read.
    var readDuringCopy = false
    /// The routing that the base was read with.
    var routing: [UInt8]?
    /// So many operations at the front get a write of their own.
    var alone = 0
    /// A delete was written over its own tombstone; if that one is refused, it stays as it is.
    var hasRenewed = false

    init(key: LaneKey, entry: Int, id: [UInt8], hash: UInt64, sameHash: Int) {
        self.key = key
        self.entry = entry
        self.id = id
        self.hash = hash
        self.sameHash = sameHash
    }

    var ownBytes: Int { id.count + 256 }

    /// Applies queued operations in order, as many as fit one write.
    func fold(
        _ start: LaneBase, missing: MissingDocument, using transform: some LaneTransform
    ) -> LaneFold {
        var fold = LaneFold(base: start)
        if case .source(let document) = start.state { begin(&fold, document, using: transform) }
        let limit = alone > 0 ? 1 : KeyLanes.largestFold
        var work = 0
        while let operation = queue.first, operation.routing == routing, fold.folded.count < limit,
            work < KeyLanes.largestWork
        {
            if operation.version <= fold.base.version, !renews(operation, fold.base) {
                supersede(operation, &fold)
            } else if operation.kind == .merge, case .absent = fold.base.state, readDuringCopy {
                // Nothing is folded yet, since any index or delete would have changed the state; what was dropped
                // is put back and judged again, which comes to the same.
                queue.putBack(fold.dropped)
                var again = LaneFold(base: start)
                again.needsSource = true
                return again
            } else {
                do throws(LaneError) {
                    fold.base.state = try apply(operation, to: fold.base.state, missing, using: transform)
                    fold.base.version = operation.version
                    if operation.kind != .merge { fold.replaced = fold.folded.count }
                    fold.folded.append(LaneFolded(operation: operation, outcome: Self.outcome(operation.kind)))
                } catch {
                    fold.settled.rejects.append(
                        LaneReject(token: operation.token, reason: error.reason, detail: error.detail))
                    fold.dropped.append(operation)
                    // A rejected one that was tried alone has had its turn.
                    if alone > 0 { _ = queue.next(); break }
                }
            }
            work += operation.document.count + (operation.kind == .merge ? fold.base.heldBytes : 0)
            _ = queue.next()
        }
        for at in 0..<fold.replaced where fold.folded[at].outcome != .stale {
            fold.folded[at].outcome = .superseded
        }
        return fold
    }

    /// The source's own document becomes the base, as the copied page would. One that cannot be brought into the new
    /// form will not be copied either: it counts as missing, so that it does not matter which comes first.
    private func begin(_ fold: inout LaneFold, _ document: [UInt8], using transform: some LaneTransform) {
        do throws(LaneError) {
            fold.base.state = .document(try transform.apply(entry: entry, document: document))
            fold.isOnSource = true
        } catch {
            fold.base = LaneBase(state: .nowhere, version: 0)
        }
    }

    /// The operation is older than the base.
    private func supersede(_ operation: LaneOperation, _ fold: inout LaneFold) {
        if fold.isOnSource {
            // What makes it stale is not in the target yet: it counts when that has been written.
            fold.folded.append(LaneFolded(operation: operation, outcome: .stale))
        } else {
            fold.settled.outcomes.append(LaneOutcome(token: operation.token, outcome: .stale))
            fold.dropped.append(operation)
        }
    }

    private static func outcome(_ kind: OperationKind) -> Outcome {
        switch kind {
        case .merge: .merged
        case .index: .indexed
        case .delete: .deleted
        }
    }

    /// Whether a delete that was read again finds its own tombstone: it is written over it, once, which makes the
    /// tombstone young again. What was read again before it may be on its way as late, and the purge goes by that time
    /// (P5 in docs/architecture.md).
    private func renews(_ operation: LaneOperation, _ base: LaneBase) -> Bool {
        guard !hasRenewed, operation.kind == .delete, operation.version == base.version, case .deleted = base.state
        else { return false }
        hasRenewed = true
        return true
    }

    private func apply(
        _ operation: LaneOperation, to state: LaneBase.State, _ missing: MissingDocument,
        using transform: some LaneTransform
    ) throws(LaneError) -> LaneBase.State {
        switch operation.kind {
        case .delete: return .deleted
        case .index: return .document(try transform.apply(entry: entry, document: operation.document))
        case .merge: break
        }
        var base: [UInt8]?
        if case .document(let document) = state { base = document }
        guard base != nil || missing == .create else {
            throw LaneError(
                reason: "missing_document",
                detail: "a partial update of a document that is neither in the target nor to be had from the source")
        }
        return .document(try transform.merge(entry: entry, base: base, partial: operation.document))
    }
}

/// First in, first out, with putting back at the front; amortised constant time.
struct LaneOperationQueue {
    private var items: [LaneOperation] = []
    private var head = 0

    var isEmpty: Bool { head == items.count }
    var first: LaneOperation? { head < items.count ? items[head] : nil }

    mutating func append(_ operation: LaneOperation) { items.append(operation) }

    mutating func next() -> LaneOperation? {
        guard head < items.count else { return nil }
        let operation = items[head]
        head += 1
        if head > 32, head * 2 > items.count {
            items.removeSubrange(..<head)
            head = 0
        }
        return operation
    }

    mutating func putBack(_ operations: [LaneOperation]) {
        guard !operations.isEmpty else { return }
        items.replaceSubrange(..<head, with: operations)
        head = 0
    }
}

/// Lanes waiting for their turn; may name lanes that are gone or stand elsewhere by now.
struct LaneQueue {
    private var keys: [LaneKey] = []
    private var head = 0

    mutating func append(_ key: LaneKey) { keys.append(key) }

    mutating func next() -> LaneKey? {
        guard head < keys.count else { return nil }
        let key = keys[head]
        head += 1
        if head > 64, head * 2 > keys.count {
            keys.removeSubrange(..<head)
            head = 0
        }
        return key
    }
}

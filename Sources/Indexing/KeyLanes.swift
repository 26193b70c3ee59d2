import Commands
import JSONText

/// Key lanes for partial updates (P4 in docs/architecture.md). A merge reads the base, changes it, and writes it with a
/// version, one at a time per key. Everything else that happens to the key meanwhile waits in the same lane.
///
/// How it is driven, all on one thread:
///
/// 1. Per operation: call ``append(entry:id:_:)`` for a merge, and for an index or delete whose key has a lane
///    (``holds(_:_:)``). Anything else goes into a batch, past the lanes.
/// 2. ``takeFetches(max:)`` gives lanes whose base must be read from the target by a real-time get. Answer each by
///    ``base(_:found:tombstone:version:document:)`` or ``fetchFailed(_:)``.
/// 3. ``takeSourceFetches(max:)`` gives lanes that need the source's document (only while ``copyUnfinished``). Answer
///    each by ``sourceBase(_:document:version:)`` or ``fetchFailed(_:)``.
/// 4. ``takeWrites(max:using:)`` folds queued operations onto the bases. Send each write, again if need be, until it has
///    a final answer, and give this answer to ``written(_:_:)``.
/// 5. Both give ``LaneResult``s. Each token appears in exactly one of them, once.
///
/// **Coalescing.** All waiting operations of a key (``largestFold`` at most) become one write with the version of the
/// last. An operation whose content is in the written document counts as what it did. One that a later index or delete
/// of the same write replaced whole is superseded. An operation that is older than the base is stale as a whole:
/// nothing of it is merged, so a repeated part never undoes what came after it.
///
/// A lane is gone when its last operation has its outcome. Pure: no clock, no I/O. Not safe for several threads.
public final class KeyLanes {
    /// While true, a merge without a base asks for the source's own document, because the page of the copy that comes
    /// later would look stale next to a bare part and its fields would be lost.
    public var copyUnfinished = false
    /// Bytes held by queued operations and documents: part of the driver's memory limit.
    public internal(set) var heldBytes = 0
    /// Operations without their outcome.
    public internal(set) var queued = 0
    /// Keys that have a lane.
    public var count: Int { lanes.count - free.count }
    public var isEmpty: Bool { count == 0 }

    /// So many operations at most go into one write, that one hot key does not hold up the others for long.
    static let largestFold = 1_000
    /// Bytes that one write's operations may read and write, for the same reason: a large document takes long to merge into.
    static let largestWork = 64 << 20

    private let missing: [MissingDocument]
    private let table = KeyTable(capacity: 64)
    private var lanes: [Lane?] = []
    private var free: [Int] = []
    private var serial: UInt64 = 0
    private var unsettledBatches: [Int: [LaneKey]] = [:]
    private var fetches = LaneQueue()
    private var sourceFetches = LaneQueue()
    private var folds = LaneQueue()

    /// - Parameter missing: what a merge does whose document is nowhere, one an entry of `indices`; an entry not named creates.
    public init(missing: [MissingDocument] = []) { self.missing = missing }

    // MARK: Operations

    /// Whether the key has a lane, so that every operation on it must be appended to it.
    public func holds(_ entry: Int, _ id: Bytes) -> Bool {
        guard count > 0 else { return false }
        return lane(entry, id) != nil
    }

    /// Queues an operation, opening the key's lane when there is none.
    public func append(entry: Int, id: Bytes, _ operation: LaneOperation) {
        let lane = lane(entry, id) ?? openLane(entry, id)
        if let batch = operation.waitFor, lane.phase == .ready {
            lane.waits += 1
            unsettledBatches[batch, default: []].append(lane.key)
        }
        lane.queue.append(operation)
        queued += 1
        heldBytes += operation.heldBytes
    }

    /// Every item of the batch has its final answer: lanes that waited for it may read their bases.
    public func batchSettled(_ batch: Int) {
        for key in unsettledBatches.removeValue(forKey: batch) ?? [] {
            guard let lane = lane(key), lane.waits > 0 else { continue }
            lane.waits -= 1
            if lane.waits == 0, lane.phase == .ready { fetches.append(key) }
        }
    }

    // MARK: Reading

    /// Lanes whose base is to be read from the target, by real-time get.
    public func takeFetches(max limit: Int) -> [LaneFetch] {
        take(from: &fetches, limit, in: .ready, then: .fetching)
    }

    /// Lanes whose base is to be read from the source, by real-time get.
    public func takeSourceFetches(max limit: Int) -> [LaneFetch] {
        take(from: &sourceFetches, limit, in: .needsSource, then: .fetchingSource)
    }

    /// What the target holds. A tombstone is `found` with `tombstone` set; its document is not looked at.
    public func base(_ key: LaneKey, found: Bool, tombstone: Bool, version: Int64, document: [UInt8]?) {
        guard let lane = lane(key), lane.phase == .fetching else { return }
        let state: LaneBase.State = !found ? .absent : tombstone ? .deleted : .document(document ?? [])
        hold(LaneBase(state: state, version: found ? version : 0), in: lane)
        foldNext(lane)
    }

    /// What the source holds, in SOURCE form, with the version that the copied page would carry; nil: not there either.
    public func sourceBase(_ key: LaneKey, document: [UInt8]?, version: Int64 = 0) {
        guard let lane = lane(key), lane.phase == .fetchingSource else { return }
        let base = document.map { LaneBase(state: .source($0), version: version) }
        hold(base ?? LaneBase(state: .nowhere, version: 0), in: lane)
        foldNext(lane)
    }

    /// The base can never be read for the operation at the front, which is therefore dead.
    public func unreadable(_ key: LaneKey, reason: String, detail: String) -> LaneResult {
        guard let lane = lane(key), lane.phase == .fetching || lane.phase == .fetchingSource,
            let operation = lane.queue.next()
        else { return LaneResult() }
        forget([operation], lane)
        refetch(lane)
        var settled = LaneResult()
        settled.rejects = [LaneReject(token: operation.token, reason: reason, detail: detail)]
        return settled
    }

    /// The read did not succeed and is to be given out again.
    public func fetchFailed(_ key: LaneKey) {
        guard let lane = lane(key) else { return }
        switch lane.phase {
        case .fetching: fetchNext(lane)
        case .fetchingSource:
            lane.phase = .needsSource
            sourceFetches.append(key)
        default: break
        }
    }

    // MARK: Writing

    /// Folds the operations of up to `limit` lanes onto their bases.
    public func takeWrites(max limit: Int, using transform: some LaneTransform) -> [LaneWrite] {
        var writes: [LaneWrite] = []
        while writes.count < limit, let write = takeWrite(using: transform) { writes.append(write) }
        return writes
    }

    /// Folds the operations of one lane onto their base.
    public func takeWrite(using transform: some LaneTransform) -> LaneWrite? {
        while let key = folds.next() {
            guard let lane = lane(key), lane.phase == .based, let base = lane.base else { continue }
            let policy = missing.indices.contains(lane.entry) ? missing[lane.entry] : .create
            let fold = lane.fold(base, missing: policy, using: transform)
            if fold.needsSource {
                lane.phase = .needsSource
                sourceFetches.append(key)
                continue
            }
            if let write = finish(fold, lane) { return write }
        }
        return nil
    }

    /// The write's final answer; gives the outcomes that follow from it.
    public func written(_ key: LaneKey, _ result: LaneWriteResult) -> LaneResult {
        guard let lane = lane(key), lane.phase == .writing else { return LaneResult() }
        var settled = LaneResult()
        let folded = lane.folded
        let operations = folded.map(\.operation)
        lane.folded = []
        switch result {
        case .applied:
            settled.outcomes = folded.map { LaneOutcome(token: $0.operation.token, outcome: $0.outcome) }
            forget(operations, lane)
            goOn(lane)
        case .stale:
            settled.outcomes = operations.map { LaneOutcome(token: $0.token, outcome: .stale) }
            forget(operations, lane)
            refetch(lane)
        case .dead(let reason, let detail):
            if operations.count > 1 {
                // One of them is guilty: each gets a write of its own, so that just that one is dead-lettered.
                lane.queue.putBack(operations)
                lane.alone = operations.count
                refetch(lane)
            } else if lane.isOnSource {
                // Perhaps it is the source's document that the target refuses. Then it is not copied either and counts as
                // missing: the operation is tried without it.
                lane.queue.putBack(operations)
                lane.alone = max(1, lane.alone)
                lane.isWithoutSource = true
                hold(LaneBase(state: .nowhere, version: 0), in: lane)
                foldNext(lane)
            } else {
                settled.rejects = operations.map { LaneReject(token: $0.token, reason: reason, detail: detail) }
                forget(operations, lane)
                refetch(lane)
            }
        }
        return settled
    }

    /// Forgets every lane, as when all partitions were revoked; gives the tokens without an outcome.
    public func removeAll() -> [UInt64] {
        var tokens: [UInt64] = []
        for case let lane? in lanes {
            tokens.append(contentsOf: lane.folded.map(\.operation.token))
            while let operation = lane.queue.next() { tokens.append(operation.token) }
        }
        lanes = []
        free = []
        table.removeAll(keepingAtMost: 64)
        unsettledBatches = [:]
        (fetches, sourceFetches, folds) = (LaneQueue(), LaneQueue(), LaneQueue())
        (heldBytes, queued) = (0, 0)
        return tokens
    }
}

// MARK: - Inside

extension KeyLanes {
    private func lane(_ key: LaneKey) -> Lane? {
        guard lanes.indices.contains(key.slot), let lane = lanes[key.slot], lane.key == key else { return nil }
        return lane
    }

    private func lane(_ entry: Int, _ id: Bytes) -> Lane? {
        var slot = table.get(KeyHash.hash(id, seed: entry)) ?? -1
        while slot >= 0, let lane = lanes[slot] {
            if lane.entry == entry, lane.id.elementsEqual(id) { return lane }
            slot = lane.sameHash
        }
        return nil
    }

    private func openLane(_ entry: Int, _ id: Bytes) -> Lane {
        let slot = free.popLast() ?? lanes.count
        if slot == lanes.count { lanes.append(nil) }
        serial += 1
        let hash = KeyHash.hash(id, seed: entry)
        let lane = Lane(
            key: LaneKey(slot: slot, serial: serial), entry: entry, id: Array(id), hash: hash,
            sameHash: table.get(hash) ?? -1)
        table.insert(hash, slot)
        lanes[slot] = lane
        heldBytes += lane.ownBytes
        fetches.append(lane.key)
        return lane
    }

    private func close(_ lane: Lane) {
        if table.get(lane.hash) == lane.key.slot {
            if lane.sameHash >= 0 { table.insert(lane.hash, lane.sameHash) } else { table.remove(lane.hash) }
        } else {
            var slot = table.get(lane.hash) ?? -1
            while slot >= 0, let before = lanes[slot] {
                if before.sameHash == lane.key.slot { before.sameHash = lane.sameHash }
                slot = before.sameHash
            }
        }
        release(lane)
        heldBytes -= lane.ownBytes
        lanes[lane.key.slot] = nil
        free.append(lane.key.slot)
    }

    private func take(
        from waiting: inout LaneQueue, _ limit: Int, in phase: Lane.Phase, then next: Lane.Phase
    ) -> [LaneFetch] {
        var fetches: [LaneFetch] = []
        while fetches.count < limit, let key = waiting.next() {
            guard let lane = lane(key), lane.phase == phase, lane.waits == 0 else { continue }
            lane.phase = next
            // What is absent now may be copied before the fold: the flag of the moment of reading counts.
            if next == .fetching { lane.readDuringCopy = copyUnfinished }
            lane.routing = lane.queue.first?.routing
            fetches.append(LaneFetch(key: key, entry: lane.entry, id: lane.id, routing: lane.routing))
        }
        return fetches
    }

    private func hold(_ base: LaneBase, in lane: Lane) {
        release(lane)
        lane.base = base
        heldBytes += base.heldBytes
    }

    private func release(_ lane: Lane) {
        heldBytes -= lane.base?.heldBytes ?? 0
        lane.base = nil
    }

    private func foldNext(_ lane: Lane) {
        lane.phase = .based
        folds.append(lane.key)
    }

    private func fetchNext(_ lane: Lane) {
        lane.phase = .ready
        fetches.append(lane.key)
    }

    private func refetch(_ lane: Lane) {
        release(lane)
        if lane.queue.isEmpty { close(lane) } else { fetchNext(lane) }
    }

    /// The base is what was just written, or unchanged: the operations behind it need no reading, unless another
    /// routing says that theirs is another document.
    private func goOn(_ lane: Lane) {
        guard let next = lane.queue.first else { return close(lane) }
        if next.routing == lane.routing { foldNext(lane) } else { refetch(lane) }
    }

    private func forget(_ operations: [LaneOperation], _ lane: Lane) {
        for operation in operations { heldBytes -= operation.heldBytes }
        queued -= operations.count
        lane.alone = max(0, lane.alone - operations.count)
    }

    /// Turns a fold into a write; nil when nothing came of it.
    private func finish(_ fold: LaneFold, _ lane: Lane) -> LaneWrite? {
        forget(fold.dropped, lane)
        lane.folded = fold.folded
        lane.isOnSource = fold.isOnSource
        let body: LaneWrite.Body
        if fold.folded.isEmpty {
            body = .nothing
        } else {
            body = if case .document(let document) = fold.base.state { .document(document) } else { .tombstone }
            hold(fold.base, in: lane)
            lane.phase = .writing
        }
        let write = LaneWrite(
            key: lane.key, entry: lane.entry, id: lane.id, routing: lane.routing, body: body,
            version: fold.base.version, operations: fold.folded.count, settled: fold.settled)
        if fold.folded.isEmpty {
            if lane.isWithoutSource { refetch(lane) } else { goOn(lane) }
        }
        lane.isWithoutSource = false
        return write.operations == 0 && write.settled.isEmpty ? nil : write
    }
}

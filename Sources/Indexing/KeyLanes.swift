import Basics
import Commands
import JSONText

/// Key lanes for partial updates (P4 in docs/architecture.md). A partial update reads the document, changes it, and
/// writes it back with a version. Only one such write per key is under way at a time. Every other operation on the key
/// waits behind it in the same lane.
///
/// How to drive it, all on one thread:
///
/// 1. Per operation: ``append(entry:id:_:)`` for a partial update, and for an index or delete whose key has a lane
///    (``holds(_:_:)``). Anything else goes past the lanes.
/// 2. ``takeFetches(max:)`` gives the lanes whose base is to be read from the target by a real-time get. Answer each by
///    ``base(_:found:tombstone:version:document:)`` or ``fetchFailed(_:)``.
/// 3. ``takeSourceFetches(max:)`` gives the lanes that need the source's document, which happens only while
///    ``copyUnfinished``. Answer each by ``sourceBase(_:document:version:)`` or ``fetchFailed(_:)``.
/// 4. ``takeWrites(max:using:)`` folds queued operations onto the bases. Send each write, as often as it takes, until
///    it has a final answer, and pass that to ``written(_:_:)``.
/// 5. Both give ``LaneResult``s. Each token appears in exactly one of them, once.
///
/// **Coalescing.** All waiting operations of a key, up to ``largestFold``, become one write with the version of the
/// last. An operation whose content is in the written document counts as what it did. One that a later index or delete
/// of the same write replaced counts as superseded. An operation that is older than the base is stale as a whole:
/// nothing of it is merged, so an update that is read again never undoes what came after it.
///
/// A lane is gone when its last operation has its outcome. No clock, no I/O. Not safe for several threads.
public final class KeyLanes {
    /// While true, a partial update without a base asks for the source's own document. Otherwise the part alone would
    /// be written, the copied page that comes later would be stale beside it, and the document's other fields would be
    /// lost.
    public var copyUnfinished = false
    /// Bytes of queued operations, their records, and documents: part of the driver's memory limit.
    public internal(set) var heldBytes = 0
    /// Operations without their outcome.
    public internal(set) var queued = 0
    /// Keys that have a lane.
    public var count: Int { lanes.count }
    public var isEmpty: Bool { count == 0 }

    /// Operations that go into one write at most, so that one hot key does not hold up the others for long.
    static let largestFold = 1_000
    /// Bytes that the operations of one write may read and write, for the same reason: merging into a large document
    /// takes long.
    static let largestWork = 64 << 20

    let missing: [MissingDocument]
    var lanes = LaneTable()
    /// Lanes that wait for a batch under way, by its serial.
    private var waiting: [Int: [LaneKey]] = [:]
    /// Whether lanes that end are noted for ``takeEnded()``.
    var notesEnds = false {
        didSet { if !notesEnds { ended = [] } }
    }
    private var ended: [UInt64] = []
    // Lanes that wait for their turn. A queue may name lanes that are gone, or that are in another phase by now.
    private var fetches = FIFO<LaneKey>()
    var sourceFetches = FIFO<LaneKey>()
    var folds = FIFO<LaneKey>()

    /// - Parameter missing: what a partial update does whose document is nowhere, one per entry of `indices`; an entry
    ///   that is not named creates.
    public init(missing: [MissingDocument] = []) { self.missing = missing }

    // MARK: Operations

    /// Whether the key has a lane, so that every operation on it must be appended to it.
    public func holds(_ entry: Int, _ id: Bytes) -> Bool {
        guard count > 0 else { return false }
        return lanes.lane(entry, id) != nil
    }

    /// Queues an operation, opening the key's lane when there is none.
    public func append(entry: Int, id: Bytes, _ operation: LaneOperation) {
        let lane = lanes.lane(entry, id) ?? open(entry, id)
        if let batch = operation.waitFor, lane.phase == .ready {
            lane.waits += 1
            waiting[batch, default: []].append(lane.key)
        }
        lane.queue.append(operation)
        queued += 1
        heldBytes += operation.heldBytes
    }

    /// Every item of the batch has its outcome: lanes that waited for it may read their bases.
    public func batchFinished(_ batch: Int) {
        for key in waiting.removeValue(forKey: batch) ?? [] {
            guard let lane = lanes.lane(key), lane.waits > 0 else { continue }
            lane.waits -= 1
            if lane.waits == 0, lane.phase == .ready { fetches.append(key) }
        }
    }

    /// The hashes of the keys whose lanes ended since the last time; see ``notesEnds``.
    func takeEnded() -> [UInt64] {
        defer { ended = [] }
        return ended
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
        guard let lane = lanes.lane(key), lane.phase == .fetching else { return }
        let state: LaneBase.State = !found ? .absent : tombstone ? .deleted : .document(document ?? [])
        hold(LaneBase(state: state, version: found ? version : LaneBase.none), in: lane)
        foldNext(lane)
    }

    /// What the source holds, in SOURCE form, with the version that the copied page would carry; nil: not there either.
    public func sourceBase(_ key: LaneKey, document: [UInt8]?, version: Int64 = 0) {
        guard let lane = lanes.lane(key), lane.phase == .fetchingSource else { return }
        let base = document.map { LaneBase(state: .source($0), version: version) }
        hold(base ?? .nowhere, in: lane)
        foldNext(lane)
    }

    /// The document is not alive in its entry but in another one.
    public func elsewhere(_ key: LaneKey, tombstone: Bool, version: Int64) {
        guard let lane = lanes.lane(key) else { return }
        var base = LaneBase(state: .nowhere, version: 0)
        switch lane.phase {
        case .fetching: base = LaneBase(state: tombstone ? .deleted : .absent, version: tombstone ? version : 0)
        case .fetchingSource: break
        default: return
        }
        base.isElsewhere = true
        hold(base, in: lane)
        foldNext(lane)
    }

    /// The base of the operation at the front can never be read: the operation is rejected.
    public func unreadable(_ key: LaneKey, reason: String, detail: String) -> LaneResult {
        guard let lane = lanes.lane(key), lane.phase == .fetching || lane.phase == .fetchingSource,
            let operation = lane.queue.next()
        else { return LaneResult() }
        drop([operation], lane)
        refetch(lane)
        var settled = LaneResult()
        settled.rejects = [LaneReject(token: operation.token, reason: reason, detail: detail)]
        return settled
    }

    /// The read did not succeed and is to be given out again.
    public func fetchFailed(_ key: LaneKey) {
        guard let lane = lanes.lane(key) else { return }
        switch lane.phase {
        case .fetching: fetchNext(lane)
        case .fetchingSource:
            lane.phase = .needsSource
            sourceFetches.append(key)
        default: break
        }
    }

    /// Removes every lane, because all partitions were given up. Gives the tokens that have no outcome.
    public func removeAll() -> [UInt64] {
        var tokens: [UInt64] = []
        for lane in lanes.removeAll() {
            tokens.append(contentsOf: lane.folded.map(\.operation.token))
            while let operation = lane.queue.next() { tokens.append(operation.token) }
        }
        waiting = [:]
        (fetches, sourceFetches, folds) = (FIFO(), FIFO(), FIFO())
        (heldBytes, queued) = (0, 0)
        return tokens
    }
}

// MARK: - Phases

extension KeyLanes {
    private func open(_ entry: Int, _ id: Bytes) -> Lane {
        let lane = lanes.open(entry, id)
        heldBytes += lane.ownBytes
        fetches.append(lane.key)
        return lane
    }

    func close(_ lane: Lane) {
        release(lane)
        heldBytes -= lane.ownBytes
        if notesEnds { ended.append(lane.hash) }
        lanes.close(lane)
    }

    private func take(
        from queue: inout FIFO<LaneKey>, _ limit: Int, in phase: Lane.Phase, then next: Lane.Phase
    ) -> [LaneFetch] {
        var fetches: [LaneFetch] = []
        while fetches.count < limit, let key = queue.next() {
            guard let lane = lanes.lane(key), lane.phase == phase, lane.waits == 0 else { continue }
            lane.phase = next
            // A document that is absent now may be copied before the fold, so the flag at the moment of reading counts.
            if next == .fetching { lane.readDuringCopy = copyUnfinished }
            lane.routing = lane.queue.first?.routing
            fetches.append(LaneFetch(key: key, entry: lane.entry, id: lane.id, routing: lane.routing))
        }
        return fetches
    }

    func hold(_ base: LaneBase, in lane: Lane) {
        release(lane)
        lane.base = base
        heldBytes += base.heldBytes
    }

    func release(_ lane: Lane) {
        heldBytes -= lane.base?.heldBytes ?? 0
        lane.base = nil
    }

    func foldNext(_ lane: Lane) {
        lane.phase = .based
        folds.append(lane.key)
    }

    func fetchNext(_ lane: Lane) {
        lane.phase = .ready
        fetches.append(lane.key)
    }

    func refetch(_ lane: Lane) {
        release(lane)
        if lane.queue.isEmpty { close(lane) } else { fetchNext(lane) }
    }

    /// The base is what was just written, or did not change: the operations behind it need no reading, unless they have
    /// another routing, because then their document is another one.
    func goOn(_ lane: Lane) {
        guard let next = lane.queue.first else { return close(lane) }
        if next.routing == lane.routing { foldNext(lane) } else { refetch(lane) }
    }
}

import Commands
import JSONText

/// What one worker decides about partial updates (P4 in docs/architecture.md): which operations must wait in a key
/// lane, which documents are to be read, which writes are due, and what the answers mean for the records.
///
/// It knows a record by a token. It keeps no clock and does no I/O: the driver tells it what happened and then calls
/// ``next(isFull:using:)`` until nothing is left to do. How to drive it, all on one thread:
///
/// 1. Per decoded record: ``route(_:onlyDeletes:)``. For `.keyLane` call ``append(_:recordBytes:)``. For `.batch` put
///    the operation into its entry's open batch and call ``sent(_:in:)`` when ``isNeeded``.
/// 2. Per batch, once every item of it has its outcome: ``finished(batch:)``.
/// 3. Per answer: ``basesRead(_:)`` and ``written(_:_:)``.
/// 4. After any of these: perform what ``next(isFull:using:)`` gives, until it is nil.
public struct PartialUpdateCoordinator: ~Copyable {
    /// Keys of one read at most.
    static let readSize = 500
    /// Reads that may be under way before another read of the target begins, and of the source. The source has one
    /// more, so that target reads cannot keep it waiting.
    static let targetReads = 2
    static let sourceReads = 3

    /// Whether the format has partial updates at all. If not, no key needs to be remembered.
    public let isNeeded: Bool
    /// Bytes that one read aims at.
    private let readBytes: Int
    /// Entries between which documents move; 1: they do not.
    private let entries: Int
    private let lanes: KeyLanes
    private var parked: ParkedOperations
    private var keys: KeysUnderWay
    private var token: UInt64 = 0
    private var reads = 0
    /// Bytes of a base, as they were lately; a careful guess before the first.
    private var baseBytes = 64 << 10
    private var outcomes: [LaneOutcome] = []
    private var rejects: [LaneReject] = []

    /// - Parameters:
    ///   - missing: what a partial update does whose document is nowhere, one per entry of `indices`.
    ///   - isNeeded: whether the format has partial updates.
    ///   - readBytes: bytes of documents that one read aims at.
    ///   - copyUnfinished: see ``copyUnfinished``.
    ///   - documentsMove: whether a document may move from entry to entry. The operations of an id are then done one
    ///     after the other in all entries, because a base is looked for in all.
    ///   - keyCapacity: keys under way for which there is room from the beginning.
    public init(
        missing: [MissingDocument], isNeeded: Bool, readBytes: Int, copyUnfinished: Bool, documentsMove: Bool = false,
        keyCapacity: Int = 8192
    ) {
        entries = documentsMove ? missing.count : 1
        parked = ParkedOperations(entries: entries)
        (self.isNeeded, self.readBytes) = (isNeeded, readBytes)
        lanes = KeyLanes(missing: missing)
        lanes.copyUnfinished = copyUnfinished
        keys = KeysUnderWay(capacity: isNeeded ? keyCapacity : 0)
    }

    /// Whether documents may still come from the copy. If so, a partial update whose document is not in the target
    /// takes the source's.
    public var copyUnfinished: Bool {
        get { lanes.copyUnfinished }
        set { lanes.copyUnfinished = newValue }
    }

    /// Whether anything waits here.
    public var isBusy: Bool { !lanes.isEmpty || !parked.isEmpty || reads > 0 || !outcomes.isEmpty || !rejects.isEmpty }

    /// Bytes of waiting operations, their records, and documents: part of the memory limit.
    public var heldBytes: Int { lanes.heldBytes + parked.heldBytes }

    // MARK: Records

    /// What becomes of a decoded record. `onlyDeletes`: everything but deletes is skipped, because only tombstones are
    /// brought back for now.
    @inlinable @inline(__always) public func route(_ decoded: Decoded, onlyDeletes: Bool) -> RecordRoute {
        switch decoded {
        case .skip: return .skip
        case .reject(let reject): return onlyDeletes ? .skip : .reject(reject)
        case .operation(let operation):
            if onlyDeletes, operation.kind != .delete { return .skip }
            return isNeeded && mustWait(operation) ? .keyLane(operation) : .batch(operation)
        }
    }

    /// Whether the operation must wait in a key lane. Not inlined: then ``route(_:onlyDeletes:)`` would load all of the
    /// coordinator for each record.
    @inline(never) public func mustWait(_ operation: Operation) -> Bool {
        operation.kind.readsBase || lanes.holds(operation.entry, operation.id)
            || (entries > 1 && isInOtherLane(operation))
    }

    /// Whether an operation of the id waits that another entry has.
    private func isInOtherLane(_ operation: Operation) -> Bool {
        parked.holds(operation.id)
            || (0..<entries).contains { $0 != operation.entry && lanes.holds($0, operation.id) }
    }

    /// The batch with this serial writes the operation's key; lanes of the key wait for the batch.
    public mutating func sent(_ operation: Operation, in batch: Int) {
        keys.add(KeyHash.hash(operation.id, seed: operation.entry), in: batch)
    }

    /// Puts the operation into its key's lane and gives the token of its record. `recordBytes`: what the driver keeps
    /// of the record until the token is settled, rejected or abandoned.
    public mutating func append(_ operation: Operation, recordBytes: Int) -> UInt64 {
        token += 1
        let waiting = LaneOperation(
            kind: operation.kind, version: operation.version, routing: operation.routing.map(Array.init),
            document: Array(operation.document), token: token, recordBytes: recordBytes)
        if parked.holds(operation.id) || !append(waiting, operation.entry, operation.id) {
            parked.park(waiting, entry: operation.entry, id: operation.id)
            lanes.notesEnds = true
        }
        return token
    }

    /// Puts an operation into its lane, unless another entry still works at the document: then its lane could find it
    /// there when it has left, or not find it when it has not come yet.
    private func append(_ operation: LaneOperation, _ entry: Int, _ id: Bytes) -> Bool {
        for other in 0..<entries where other != entry {
            if lanes.holds(other, id) || keys.batch(of: KeyHash.hash(id, seed: other)) != nil { return false }
        }
        var operation = operation
        operation.waitFor = keys.batch(of: KeyHash.hash(id, seed: entry))
        lanes.append(entry: entry, id: id, operation)
        return true
    }

    /// Puts into lanes what has waited for other entries. False: there is nothing.
    private mutating func unpark() -> Bool {
        guard !parked.isEmpty else { return false }
        for key in lanes.takeEnded() { parked.wake(key) }
        var waiting = parked
        parked = ParkedOperations(entries: entries)
        let isAny = waiting.release { entry, id, operation in append(operation, entry, id) }
        parked = waiting
        lanes.notesEnds = !parked.isEmpty
        return isAny
    }

    // MARK: What happened

    /// Every item of the batch has its outcome, or the batch was abandoned.
    public mutating func finished(batch: Int) {
        let finished = keys.finish(batch)
        for serial in finished.batches { lanes.batchFinished(serial) }
        if !parked.isEmpty { for key in finished.keys { parked.wake(key) } }
    }

    /// The answers of one read.
    public mutating func basesRead(_ answers: [BaseAnswer]) {
        reads = max(0, reads - 1)
        learn(answers.compactMap(\.documentBytes))
        for answer in answers {
            switch answer {
            case .target(let key, let found, let tombstone, let version, let document):
                lanes.base(key, found: found, tombstone: tombstone, version: version, document: document)
            case .source(let key, let document, let version):
                lanes.sourceBase(key, document: document, version: version)
            case .unreadable(let key, let reason, let detail):
                note(lanes.unreadable(key, reason: reason, detail: detail))
            case .elsewhere(let key, let tombstone, let version):
                lanes.elsewhere(key, tombstone: tombstone, version: version)
            case .failed(let key): lanes.fetchFailed(key)
            }
        }
    }

    /// The final answer to a write.
    public mutating func written(_ key: LaneKey, _ result: LaneWriteResult) { note(lanes.written(key, result)) }

    /// All partitions were given up: drops everything that waits, which the next owner reads again. Gives the tokens
    /// that get no outcome here. Answers that are still to come change nothing.
    public mutating func abandon() -> [UInt64] {
        lanes.notesEnds = false
        return lanes.removeAll() + parked.removeAll()
    }

    // MARK: What to do

    /// The next thing to do; nil: nothing until something happens. `isFull`: the memory limit is reached. One read at a
    /// time goes on even then, because without any read no memory would ever be given back.
    public mutating func next(isFull: Bool, using transform: some LaneTransform) -> PartialUpdateAction? {
        while true {
            if let settlement = takeSettlement() { return settlement }
            if let read = takeRead(isFull: isFull) { return read }
            // One by one: the documents of many writes would be made before the first of them is on its way.
            // Folding may show that the source's document is needed.
            guard let write = lanes.takeWrite(using: transform) else {
                if let read = takeRead(isFull: isFull) { return read }
                guard unpark() else { return nil }
                continue
            }
            note(write.settled)
            if write.body != .nothing { return .write(write) }
        }
    }

    private mutating func takeSettlement() -> PartialUpdateAction? {
        if !outcomes.isEmpty {
            defer { outcomes = [] }
            return .settle(outcomes)
        }
        guard !rejects.isEmpty else { return nil }
        defer { rejects = [] }
        return .reject(rejects)
    }

    private mutating func takeRead(isFull: Bool) -> PartialUpdateAction? {
        let size = max(1, min(Self.readSize, readBytes / baseBytes))
        if reads < (isFull ? 1 : Self.targetReads) {
            let fetches = lanes.takeFetches(max: size)
            if !fetches.isEmpty {
                reads += 1
                return .readTarget(fetches)
            }
        }
        if reads < (isFull ? 1 : Self.sourceReads) {
            let fetches = lanes.takeSourceFetches(max: size)
            if !fetches.isEmpty {
                reads += 1
                return .readSource(fetches)
            }
        }
        return nil
    }

    private mutating func note(_ result: LaneResult) {
        if outcomes.isEmpty { outcomes = result.outcomes } else { outcomes += result.outcomes }
        if rejects.isEmpty { rejects = result.rejects } else { rejects += result.rejects }
    }

    /// Follows the size of the documents that come: a quarter of the way per read.
    private mutating func learn(_ sizes: [Int]) {
        guard !sizes.isEmpty else { return }
        let mean = sizes.reduce(0, +) / sizes.count
        baseBytes = max(64, (3 * baseBytes + mean) / 4)
    }
}

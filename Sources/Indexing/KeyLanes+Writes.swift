/// How a lane's operations become a write, and what its answer means.
extension KeyLanes {
    /// Folds the operations of up to `limit` lanes onto their bases.
    public func takeWrites(max limit: Int, using transform: some LaneTransform) -> [LaneWrite] {
        var writes: [LaneWrite] = []
        while writes.count < limit, let write = takeWrite(using: transform) { writes.append(write) }
        return writes
    }

    /// Folds the operations of one lane onto their base.
    public func takeWrite(using transform: some LaneTransform) -> LaneWrite? {
        while let key = folds.next() {
            guard let lane = lanes.lane(key), lane.phase == .based, let base = lane.base else { continue }
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
        guard let lane = lanes.lane(key), lane.phase == .writing else { return LaneResult() }
        var settled = LaneResult()
        let folded = lane.folded
        let operations = folded.map(\.operation)
        lane.folded = []
        switch result {
        case .applied:
            settled.outcomes = folded.map { LaneOutcome(token: $0.operation.token, outcome: $0.outcome) }
            drop(operations, lane)
            goOn(lane)
        case .stale(let newer):
            settled.outcomes = operations.map { LaneOutcome(token: $0.token, outcome: .stale, newer: newer) }
            drop(operations, lane)
            refetch(lane)
        case .dead(let reason, let detail):
            if operations.count > 1 {
                // One of them is to blame. Each gets a write of its own, so that only that one is dead-lettered.
                lane.queue.putBack(operations)
                lane.alone = operations.count
                refetch(lane)
            } else if lane.isOnSource {
                // Perhaps the target refuses the source's document. Then that is not copied either and counts as
                // missing, so the operation is tried without it.
                lane.queue.putBack(operations)
                lane.alone = max(1, lane.alone)
                lane.isWithoutSource = true
                hold(.nowhere, in: lane)
                foldNext(lane)
            } else {
                settled.rejects = operations.map { LaneReject(token: $0.token, reason: reason, detail: detail) }
                drop(operations, lane)
                refetch(lane)
            }
        }
        return settled
    }

    func drop(_ operations: [LaneOperation], _ lane: Lane) {
        for operation in operations { heldBytes -= operation.heldBytes }
        queued -= operations.count
        lane.alone = max(0, lane.alone - operations.count)
    }

    /// Turns a fold into a write; nil when nothing came of it.
    func finish(_ fold: LaneFold, _ lane: Lane) -> LaneWrite? {
        drop(fold.dropped, lane)
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

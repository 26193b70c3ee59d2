import Commands

/// Reading the topic and committing, as `LogFeed`, `FollowWork` and `ReplayWork` do.
extension World {
    /// Whether everything before `offset` has its final outcome, judged without the ledger.
    func isFinal(_ partition: Int, _ offset: Int) -> Bool {
        // What an unclean election took back can be judged no more; the next look at the log refuses.
        guard offset < topic.partitions[partition].end else { return true }
        let entry = topic.partitions[partition].entries[offset]
        guard entry.isRead, entry.kind != .ping else { return true }
        if entry.transaction == .open { return false }
        if entry.kind == .command, new.slots[entry.id].highest >= Int64(offset) + 2 { return true }
        return letters.contains { $0.partition == partition && $0.offset == offset }
    }

    private func checkCommit(_ engine: Engine, _ partition: Int, from: Int, to next: Int) {
        let next = min(next, topic.partitions[partition].end)
        guard from < next else { return }
        for offset in from..<next {
            check(.nothingAcknowledgedEarly, isFinal(partition, offset)) {
                "engine \(engine.number) committed \(next) of partition \(partition), but offset \(offset) is neither in the "
                    + "index nor in the dead letters"
            }
        }
    }

    // MARK: Positions

    /// Where the recipe begins: the log's beginning, or where the application's group stood when the copy began.
    func startOfLog(_ partition: Int) -> Int {
        if setup.fromBeginning { return topic.partitions[partition].start }
        return (recorded ?? applicationNow)[partition]
    }

    var applicationNow: [Int] { on(.recordedStart) ? old.committed : topic.partitions.map(\.end) }

    /// The rails at a start; false when one refuses.
    func passesRails(_ partition: Int, _ offset: Int) -> Bool {
        let log = topic.partitions[partition]
        let known = max(offset, groupCommitted[partition], replay?.position[partition] ?? 0)
        if known > log.end { return wentBackwards(partition, known) }
        if offset < log.start, on(.retentionRail) {
            return refuse("log_start: partition \(partition): \(offset), begins at \(log.start)")
        }
        return true
    }

    /// The copy holds what the application had applied; reading must begin no later than that.
    private func reaches(_ partition: Int) -> Bool {
        guard on(.recordedStart), startOfLog(partition) > (recorded ?? old.committed)[partition] else { return true }
        return refuse("log_reach: partition \(partition) would be read from \(startOfLog(partition))")
    }

    /// Whoever reads first records where the application's group stands: what is written from there on, by a member that is killed before it
    /// commits, too, must be read again from there.
    func recordFirst(byCopy: Bool = false) {
        guard recorded == nil, byCopy || on(.recordedAtFirstWork) else { return }
        recorded = applicationNow
    }

    /// The log has lost what the group has not committed: a replay from where it begins now would hide that.
    private func joins(_ partition: Int, _ start: Int) -> Bool {
        guard on(.startCommitted), groupCommitted[partition] >= 0, start > groupCommitted[partition] else {
            return true
        }
        return refuse(
            "log_start: partition \(partition): \(groupCommitted[partition]) is committed, replay from \(start)")
    }

    private func wentBackwards(_ partition: Int, _ offset: Int) -> Bool {
        let text = "log_end: partition \(partition): \(offset) was applied, ends at \(topic.partitions[partition].end)"
        check(.logBackwardsRefused, on(.logBackwardsRail)) { text }
        return refuse(text)
    }

    private func refuse(_ why: String) -> Bool {
        if refused == nil { refused = why }
        return false
    }

    /// Takes up to `limit` records of an owned partition, as one run.
    func poll(_ engine: Engine, _ partition: Int, limit: Int) {
        guard engine.kind == .follow || engine.kind == .replay, engine.lanes[partition].isOwned else { return }
        guard passesMidRunRails(engine, partition) else { return }
        let log = topic.partitions[partition]
        let frozen = engine.kind == .replay ? readsUpTo(partition) : nil
        let end = min(log.stable, frozen ?? .max)
        var offset = max(engine.lanes[partition].position, log.start)
        check(.retentionRefused, offset == engine.lanes[partition].position) {
            "partition \(partition): offset \(engine.lanes[partition].position) is next, but the log begins at \(log.start)"
        }
        var found: [Int] = []
        while offset < end, found.count < limit {
            if log.entries[offset].isRead { found.append(offset) }
            offset += 1
        }
        if let first = found.first, let last = found.last {
            tell { "  \(engine.kind) \(engine.number) reads partition \(partition) offsets \(found)" }
            let run = engine.begin(partition, first: first, next: last + 1, count: found.count)
            for offset in found { engine.take(log.entries[offset], partition: partition, offset: offset, run) }
        }
        // The end of the partition: everything up to it has been read, markers and gaps too.
        if offset >= end, on(.markersCount), engine.lanes[partition].position < end {
            engine.lanes[partition].tracker.advance(to: Int64(end))
            engine.lanes[partition].position = end
        }
        taken[partition] = max(taken[partition], engine.lanes[partition].position)
    }

    /// Where the replay stops reading: at what was purged while it brings tombstones back, else at its frozen end.
    private func readsUpTo(_ partition: Int) -> Int? {
        guard let replay, !replay.isPlanted else { return replay?.ends[partition] }
        return min(replay.ends[partition], max(replay.start[partition], purgedUpTo[partition]))
    }

    /// Once all tombstones are there again, everything else is read, from the beginning.
    private func endPlanting(_ engine: Engine) {
        guard let state = replay, engine.isPlanting, engine.unsettled == 0 else { return }
        for partition in state.ends.indices where engine.lanes[partition].position < readsUpTo(partition) ?? 0 {
            return
        }
        replay?.isPlanted = true
        engine.isPlanting = false
        for partition in state.ends.indices { engine.own(partition, at: state.position[partition]) }
    }

    private func passesMidRunRails(_ engine: Engine, _ partition: Int) -> Bool {
        let log = topic.partitions[partition]
        let position = engine.lanes[partition].position
        // A frozen end that is not there any more would be waited for in vain.
        let known = max(position, engine.kind == .replay ? replay?.ends[partition] ?? 0 : 0)
        if known > log.end { return wentBackwards(partition, known) }
        if position < log.start {
            guard on(.retentionRail) else { return true }
            return refuse("log_start: partition \(partition): \(position), begins at \(log.start)")
        }
        return true
    }

    // MARK: Commit

    /// True when everything settled is committed.
    func commit(_ engine: Engine) {
        for partition in engine.lanes.indices where engine.lanes[partition].isOwned {
            guard let next = engine.committable(partition), next != engine.lanes[partition].committed else { continue }
            switch engine.kind {
            case .follow:
                // The broker refuses whoever is not a member of the present generation.
                guard engine.groupGeneration == groupGeneration, !engine.isFenced else { return }
                checkCommit(
                    engine, partition,
                    from: groupCommitted[partition] >= 0 ? groupCommitted[partition] : engine.lanes[partition].start,
                    to: next)
                groupCommitted[partition] = next
            case .replay:
                guard !engine.isPlanting, let before = replay?.position[partition] else { return }
                checkCommit(engine, partition, from: before, to: next)
                replay?.position[partition] = next
            case .copy, .redrive: return
            }
            tell { "  \(engine.kind) \(engine.number) commits \(next) of partition \(partition)" }
            engine.lanes[partition].committed = next
        }
    }

    // MARK: Replay

    func startReplay() {
        guard !engines.contains(where: { $0.kind == .replay && !$0.isPaused }) else { return }
        guard !on(.purgeAlone) || !purgeIsUnderWay else { return }
        recordFirst()
        if replay == nil || replay?.isFinished == true {
            let start = topic.partitions.indices.map { startOfLog($0) }
            for partition in start.indices {
                guard reaches(partition), passesRails(partition, start[partition]), joins(partition, start[partition])
                else { return }
            }
            let isBehindPurge = start.indices.contains { start[$0] < purgedUpTo[$0] }
            replayRound += 1
            replay = Replay(
                round: replayRound, start: start, ends: topic.partitions.map(\.end), position: start,
                isPlanted: !isBehindPurge || !on(.replayDeletesFirst))
        }
        guard let replay else { return }
        for partition in topic.partitions.indices where !passesRails(partition, replay.position[partition]) { return }
        let engine = start(.replay, lanes: setup.partitions)
        engine.round = replay.round
        engine.isPlanting = !replay.isPlanted
        for partition in topic.partitions.indices { engine.own(partition, at: replay.position[partition]) }
    }

    /// Ends the replay when every frozen end is reached and settled.
    func endReplay(_ engine: Engine) {
        if engine.isPlanting { return endPlanting(engine) }
        guard let state = replay, engine.unsettled == 0 else { return }
        for partition in state.ends.indices where engine.lanes[partition].position < state.ends[partition] { return }
        commit(engine)
        for partition in state.ends.indices {
            for offset in min(state.start[partition], state.ends[partition])..<state.ends[partition] {
                check(.caughtUpIsAFact, isFinal(partition, offset)) {
                    "the replay says it is done, but partition \(partition) offset \(offset) has no outcome"
                }
            }
        }
        replay?.finished = now
        replayDue = false
        // The group goes on where the replay ended, unless it is further or has members.
        if !engines.contains(where: { $0.kind == .follow }) {
            for partition in state.ends.indices where groupCommitted[partition] < state.ends[partition] {
                groupCommitted[partition] = state.ends[partition]
            }
        }
        for other in engines where other.kind == .replay && !other.isPaused { stop(other) }
    }

    /// Whether somebody else has ended the replay that it is at.
    func isOld(_ engine: Engine) -> Bool {
        engine.kind == .replay && (engine.round != replay?.round || replay?.isFinished == true)
    }

    /// Those that run look into the state every few seconds.
    func endOldReplays() {
        for engine in engines where !engine.isPaused && isOld(engine) { stop(engine) }
    }

    // MARK: Group

    /// Everybody gives back what he has, and the partitions are dealt anew. `slow`: requests that do not end in time.
    func rebalance(slow: Bool) {
        for engine in engines where engine.kind == .follow {
            if engine.isPaused {
                engine.isFenced = true
            } else if engine.isFenced {
                revoke(engine, lost: true, slow: false)
            } else {
                revoke(engine, lost: false, slow: slow)
            }
        }
        groupGeneration += 1
        let members = engines.filter { $0.kind == .follow && !$0.isPaused }
        guard !members.isEmpty, !replayDue else { return }
        recordFirst()
        for member in members {
            member.isFenced = false
            member.groupGeneration = groupGeneration
        }
        for partition in topic.partitions.indices {
            let replayed = replay?.isFinished == true ? replay?.ends[partition] : nil
            let start = groupCommitted[partition] >= 0 ? groupCommitted[partition] : replayed ?? startOfLog(partition)
            guard groupCommitted[partition] >= 0 || replayed != nil || reaches(partition), passesRails(partition, start)
            else { return }
            if on(.startCommitted), groupCommitted[partition] < 0 { groupCommitted[partition] = start }
            members[(partition + groupGeneration) % members.count].own(partition, at: start)
        }
    }

    private func revoke(_ engine: Engine, lost: Bool, slow: Bool) {
        let owned = engine.lanes.contains { $0.isOwned }
        if !lost, owned {
            if !slow, on(.drain) { drain(engine) }
            commit(engine)
            if !slow {
                check(.drainHandsOver, engine.unsettled == 0 || violation != nil) {
                    "engine \(engine.number) gave its partitions back with \(engine.unsettled) records in flight"
                }
            }
        }
        for partition in engine.lanes.indices { engine.disown(partition) }
        engine.forget()
    }

    /// Delivers what the engine has under way until nothing of it is unsettled.
    func drain(_ engine: Engine) {
        for _ in 0..<200 where engine.unsettled > 0 || !engine.batches.isEmpty || engine.open != nil {
            guard violation == nil else { return }
            engine.advance()
            engine.flush()
            guard let index = wires.firstIndex(where: { $0.engine == engine.number }) else { continue }
            deliver(index, .good)
        }
    }
}

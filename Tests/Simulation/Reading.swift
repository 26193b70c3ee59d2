import Indexing

extension Engine {
    var readsLog: Bool { kind == .follow || kind == .replay || kind == .restore }
    /// Whether it is at a replay, or about to be.
    var isReplaying: Bool { kind == .replay || kind == .restore && !isForCopy }
}

extension ReplayProgress {
    /// Before this offset everything has its final outcome.
    func at(_ partition: Int) -> Int { Int(position[Int32(partition)] ?? 0) }
}

/// Reading the topic, committing, and the rails about the log.
extension World {
    /// Whether the record at `offset` has its final outcome, judged without the book of outcomes.
    func isFinal(_ partition: Int, _ offset: Int) -> Bool {
        // An unclean election took the record back. The next look at the log refuses.
        guard offset < topic.partitions[partition].end else { return true }
        let entry = topic.partitions[partition].entries[offset]
        guard entry.isRead, entry.kind != .ping else { return true }
        if entry.transaction == .open { return false }
        if entry.kind == .command, isWritten(entry, version: Int64(offset) + 2) { return true }
        if setup.missing == .ignore, mayBePassedOver(partition, offset) { return true }
        return letters.contains { $0.partition == partition && $0.offset == offset }
    }

    /// Whether a partial update may find no document: there is none before it, or one that a dead letter left out, or
    /// that is gone from the old cluster by now.
    private func mayBePassedOver(_ partition: Int, _ offset: Int) -> Bool {
        let entries = topic.partitions[partition].entries
        let entry = entries[offset]
        guard entry.kind == .command, entry.verb == .update else { return false }
        // Compaction may have taken a delete since somebody applied it.
        if entries.contains(where: { $0.kind == .nothing && $0.verb == .delete && $0.id == entry.id }) { return true }
        var document = known(entry.id)
        for (at, other) in entries.enumerated() where other.isCommand && other.id == entry.id {
            if at > offset, other.verb == .delete { return true }
            if at < offset { OldCluster.apply(other, to: &document, creates: false) }
        }
        return document == nil
            || letters.contains { letter in
                guard letter.offset >= 0 else { return letter.id == entry.id }
                let entries = topic.partitions[letter.partition].entries
                return letter.offset < entries.count && entries[letter.offset].id == entry.id
            }
    }

    private func checkCommit(_ engine: Engine, _ partition: Int, from: Int, to next: Int) {
        let next = min(next, topic.partitions[partition].end)
        guard from < next else { return }
        for offset in from..<next {
            check(.nothingAcknowledgedEarly, isFinal(partition, offset)) {
                "engine \(engine.number) committed \(next) of partition \(partition), but offset \(offset) is neither "
                    + "in the "
                    + "index nor in the dead letters"
            }
        }
    }

    // MARK: Positions

    /// Where the recipe begins: at the log's beginning, or where the application's group stood when the copy began.
    func startOfLog(_ partition: Int) -> Int {
        if setup.fromBeginning { return topic.partitions[partition].start }
        return (recorded ?? applicationNow)[partition]
    }

    var applicationNow: [Int] { on(.recordedStart) ? old.committed : topic.partitions.map(\.end) }

    /// What the log of a partition holds.
    private func log(_ partition: Int) -> LogExtent {
        LogExtent(low: Int64(topic.partitions[partition].start), high: Int64(topic.partitions[partition].end))
    }

    /// Up to where a partition has been applied, as far as that is kept anywhere.
    func applied(_ partition: Int) -> Int { max(committed(partition), replay?.at(partition) ?? 0) }

    /// What the group has committed for the present target index; -1: nothing.
    func committed(_ partition: Int) -> Int {
        on(.offsetTerm) && groupTerm[partition] != indexNumber ? -1 : groupCommitted[partition]
    }

    private func commit(_ offset: Int, _ partition: Int) {
        (groupCommitted[partition], groupTerm[partition]) = (offset, indexNumber)
    }

    /// A follower that writes another index has applied everything to it, and commits that before its heartbeat tells
    /// it that other work was confirmed.
    func stragglerCommits() {
        guard hasStraggler else { return }
        hasStraggler = false
        for partition in topic.partitions.indices {
            groupCommitted[partition] = max(groupCommitted[partition], topic.partitions[partition].stable)
            groupTerm[partition] = indexNumber - 1
        }
        tell { "  a follower of the earlier index commits the ends" }
    }

    /// The rails at a start; false when one refuses.
    func passesRails(_ partition: Int, _ offset: Int) -> Bool {
        let log = log(partition)
        return passes(LogRails.end(Int64(offset), applied: Int64(applied(partition)), log: log), partition)
            && passes(LogRails.start(Int64(offset), log: log), partition)
    }

    /// The copy holds what the application had applied, so reading must begin no later than that.
    private func reaches(_ partition: Int) -> Bool {
        guard on(.recordedStart) else { return true }
        let recorded = Int64((recorded ?? old.committed)[partition])
        return passes(LogRails.reach(Int64(startOfLog(partition)), recorded: recorded), partition)
    }

    /// The first work records where the application's group stands. A member may be killed before it commits; what it
    /// has written must be read again from there.
    func recordFirst(byCopy: Bool = false) {
        guard recorded == nil, byCopy || on(.recordedAtFirstWork) else { return }
        recorded = applicationNow
    }

    /// A new replay leaves out nothing that the group has still to apply.
    private func joins(_ partition: Int, _ start: Int) -> Bool {
        guard on(.startCommitted), committed(partition) >= 0 else { return true }
        let committed = Int64(self.committed(partition))
        return passes(LogRails.join(Int64(start), committed: committed, isTargetNew: replayDue), partition)
    }

    /// Whether a rail lets the work go on. One that refuses ends the schedule, unless it is switched off.
    private func passes(_ refusal: LogRefusal?, _ partition: Int) -> Bool {
        guard let refusal else { return true }
        switch refusal {
        case .startLost: if !on(.retentionRail) { return true }
        case .startBeyondEnd, .wentBackwards:
            check(.logBackwardsRefused, on(.logBackwardsRail)) { "partition \(partition): \(refusal)" }
        case .reachesTooLate, .skipsUnapplied: break
        }
        if refused == nil { refused = "partition \(partition): \(refusal)" }
        return false
    }

    /// Takes up to `limit` records of an owned partition, as one run.
    func poll(_ engine: Engine, _ partition: Int, limit: Int) {
        guard engine.readsLog, engine.owns(partition) else { return }
        let frozen = engine.assignment.ends?[Int32(partition)]
        let next = engine.position(partition)
        guard passes(LogRails.reading(next: Int64(next), frozenEnd: frozen, log: log(partition)), partition) else {
            return
        }
        let log = topic.partitions[partition]
        let end = min(log.stable, frozen.map { Int($0) } ?? .max)
        var offset = max(next, log.start)
        check(.retentionRefused, offset == next) {
            "partition \(partition): offset \(next) is next, but the log begins at \(log.start)"
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
        if offset >= end, on(.markersCount) { engine.reached(partition, end) }
        taken[partition] = max(taken[partition], engine.position(partition))
    }

    /// Whether a bounded work has reached its frozen ends, with everything before them settled.
    private func isOver(_ engine: Engine) -> Bool {
        engine.assignment.isOver && engine.unsettled == 0
    }

    private var frozenEnds: [Int32: Int64] {
        Dictionary(uniqueKeysWithValues: topic.partitions.enumerated().map { (Int32($0), Int64($1.end)) })
    }

    // MARK: Commit

    /// Commits what is settled. `isKept`: whether the brokers, or the target's state, can be reached.
    func commit(_ engine: Engine, isKept: Bool = true) {
        guard engine.kind == .follow || engine.kind == .replay else { return }
        let offsets = engine.offsetsToCommit()
        guard !offsets.isEmpty else { return }
        engine.assignment.commitSent(offsets)
        // The broker refuses a member of an older generation.
        let isTaken = engine.kind == .replay || (engine.groupGeneration == groupGeneration && !engine.isFenced)
        if isKept, isTaken { keep(offsets, of: engine) }
        engine.assignment.commitAnswered(offsets, isKept: isKept && isTaken)
    }

    private func keep(_ offsets: [Int32: Int64], of engine: Engine) {
        for (number, offset) in offsets.sorted(by: { $0.key < $1.key }) {
            let (partition, next) = (Int(number), Int(offset))
            if engine.kind == .follow {
                let from = committed(partition) >= 0 ? committed(partition) : engine.start(partition)
                checkCommit(engine, partition, from: from, to: next)
                commit(next, partition)
            } else if let before = replay?.at(partition) {
                checkCommit(engine, partition, from: before, to: next)
            }
            tell { "  \(engine.kind) \(engine.number) commits \(next) of partition \(partition)" }
        }
        if engine.kind == .replay { replay?.keep(offsets, of: Int64(engine.round)) }
    }

    // MARK: Replay

    func startReplay() {
        guard !engines.contains(where: { $0.isReplaying && !$0.isPaused }) else { return }
        guard !on(.purgeAlone) || !purgeIsUnderWay else { return }
        recordFirst()
        if replay == nil || replay?.finished != nil {
            var start: [Int32: Int64] = [:]
            for partition in topic.partitions.indices {
                let offset = startOfLog(partition)
                guard reaches(partition), passesRails(partition, offset), joins(partition, offset) else { return }
                start[Int32(partition)] = Int64(offset)
            }
            replayRound += 1
            replay = ReplayProgress(started: Int64(replayRound), start: start, ends: frozenEnds)
        }
        guard let replay else { return }
        for partition in topic.partitions.indices where !passesRails(partition, replay.at(partition)) { return }
        if purges.mustRestore, on(.replayDeletesFirst) { return startRestore(forCopy: false) }
        readReplay()
    }

    private func readReplay() {
        guard let replay, replay.finished == nil else { return }
        let engine = start(.replay, partitions: setup.partitions, ends: replay.end)
        engine.round = Int(replay.started)
        for partition in topic.partitions.indices { engine.own(partition, at: replay.at(partition)) }
    }

    /// Writes the deletes in the log again, because tombstones were purged, before the copy or the replay begins to
    /// write.
    func startRestore(forCopy: Bool) {
        let engine = start(.restore, partitions: setup.partitions, ends: frozenEnds)
        engine.isForCopy = forCopy
        for partition in topic.partitions.indices {
            let low = topic.partitions[partition].start
            engine.own(partition, at: on(.restoreFromStart) ? max(low, startOfLog(partition)) : low)
        }
    }

    func endRestore(_ engine: Engine) {
        guard isOver(engine) else { return }
        purges.restored()
        stop(engine)
        if engine.isForCopy { openCopy() } else { readReplay() }
    }

    /// Ends the replay when every frozen end is reached and settled.
    func endReplay(_ engine: Engine) {
        guard let state = replay, isOver(engine) else { return }
        commit(engine)
        for (partition, end) in state.end.sorted(by: { $0.key < $1.key }) {
            for offset in min(state.start[partition] ?? 0, end)..<end {
                check(.caughtUpIsAFact, isFinal(Int(partition), Int(offset))) {
                    "the replay says it is done, but partition \(partition) offset \(offset) has no outcome"
                }
            }
        }
        replay?.finish(Int64(engine.round), now: Int64(now))
        replayDue = false
        // The group goes on where the replay ended, unless it is further or has members.
        if !engines.contains(where: { $0.kind == .follow }) {
            let committed = Dictionary(
                uniqueKeysWithValues: topic.partitions.indices.map { (Int32($0), Int64(self.committed($0))) })
            for (partition, end) in state.handOver(committed: committed) { commit(Int(end), Int(partition)) }
        }
        for other in engines where other.isReplaying && !other.isPaused { stop(other) }
    }

    /// Whether another process has ended the replay that this one works at.
    func isOld(_ engine: Engine) -> Bool {
        engine.kind == .replay && replay?.endsWork(at: Int64(engine.round)) != false
    }

    /// Running processes look into the state every few seconds.
    func endOldReplays() {
        for engine in engines where !engine.isPaused && isOld(engine) { stop(engine) }
    }

    // MARK: Group

    /// All members give their partitions back, and the partitions are dealt anew. `slow`: some requests do not end in
    /// time.
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
            let committed = self.committed(partition) >= 0 ? Int64(self.committed(partition)) : nil
            let replayed = replay?.finished == nil ? nil : replay?.end[Int32(partition)]
            let start = FollowOffset.choose(
                committed: committed, replayedTo: replayed, recipeStart: Int64(startOfLog(partition)))
            guard committed != nil || replayed != nil || reaches(partition),
                passes(FollowOffset.refusal(start, log: log(partition)), partition),
                passesRails(partition, Int(start))
            else { return }
            let member = members[(partition + groupGeneration) % members.count]
            member.own(partition, at: Int(start))
            commit(member)
        }
    }

    private func revoke(_ engine: Engine, lost: Bool, slow: Bool) {
        let owned = engine.partitions.contains { engine.owns($0) }
        let revocation = GroupTimeouts.revocation(isLost: lost, leaseIsValid: true) { true }
        if revocation == .handOver, owned {
            if !slow, on(.drain) { drain(engine) }
            commit(engine)
            if !slow {
                check(.drainHandsOver, engine.unsettled == 0 || violation != nil) {
                    "engine \(engine.number) gave its partitions back with \(engine.unsettled) records in flight"
                }
            }
        }
        engine.disown()
    }

    /// Delivers what the engine has under way until nothing of it is unsettled.
    func drain(_ engine: Engine) {
        for _ in 0..<200 where engine.isBusy {
            guard violation == nil else { return }
            engine.advance()
            engine.flush()
            guard let index = wires.firstIndex(where: { $0.engine == engine.number }) else { continue }
            deliver(index, .good)
        }
    }
}

import Commands

/// Everything comes to rest, and what the new cluster holds is compared with what it should hold.
extension World {
    /// No more faults: all is finished, all is delivered, late requests last.
    func comeToRest() {
        let bits = setup.ending
        for partition in topic.partitions.indices {
            endTransaction(partition, commits: bits >> UInt64(partition) & 1 == 0)
        }
        if bits & 8 > 0 { isMended = true }
        stragglerCommits()
        for engine in engines where engine.isPaused { perform(Step(kind: .resume, a: place(engine), b: 0)) }
        for engine in engines where engine.kind == .follow && engine.isFenced {
            engine.advance()
            engine.flush()
        }
        if bits & 16 > 0 { applyAllOld() }
        finishCopy()
        guard goesOn else { return }
        if replay.map({ $0.finished == nil }) == true || replayDue || bits & 32 > 0 { finishReplay() }
        guard goesOn else { return }
        finishFollowing()
        guard goesOn else { return }
        finishRedrive()
        if bits & 64 > 0 {
            beginPurge()
            deliverPurges()
        }
        new.forgetDeletes()
        deliverAll { _ in true }
        guard violation == nil else { return }
        compare()
    }

    var goesOn: Bool { violation == nil && refused == nil }

    private func place(_ engine: Engine) -> UInt16 {
        UInt16(engines.firstIndex { $0 === engine } ?? 0)
    }

    private func applyAllOld() {
        for partition in topic.partitions.indices { applyOld(partition, 1_000) }
        commitOld()
    }

    func finishCopy() {
        guard copyUnfinished else { return }
        for engine in engines where engine.isForCopy && !engine.isPaused { stop(engine) }
        deliverPurges()
        beginCopy()
        finishRestore()
        guard let engine = engines.last, engine.kind == .copy else { return }
        for _ in 0..<100 where goesOn && copyUnfinished {
            for slice in 0..<Self.slices { page(engine, slice, limit: 2) }
            deliverOwn(engine)
            record(engine)
        }
        tellCopyState()
        check(.caughtUpIsAFact, !copyUnfinished || !goesOn) { "the copy never ends" }
    }

    func finishReplay() {
        for engine in engines where engine.isReplaying && !engine.isPaused { stop(engine) }
        deliverPurges()
        startReplay()
        finishRestore()
        guard goesOn, let engine = engines.last, engine.kind == .replay else { return }
        for _ in 0..<100 where goesOn && replay?.finished == nil {
            for partition in topic.partitions.indices { poll(engine, partition, limit: 3) }
            deliverOwn(engine)
            endReplay(engine)
        }
        check(.caughtUpIsAFact, replay?.finished != nil || !goesOn) {
            "the replay never ends: positions \(engine.partitions.map(engine.position)), frozen ends "
                + "\(engine.assignment.ends ?? [:])"
        }
    }

    /// The tombstones are brought back that the copy or the replay waits for.
    private func finishRestore() {
        guard let engine = engines.last, engine.kind == .restore else { return }
        for _ in 0..<100 where goesOn && engines.contains(where: { $0 === engine }) {
            for partition in topic.partitions.indices { poll(engine, partition, limit: 3) }
            deliverOwn(engine)
            endRestore(engine)
        }
    }

    func finishFollowing() {
        if !engines.contains(where: { $0.kind == .follow && !$0.isPaused }) {
            _ = start(.follow, partitions: setup.partitions)
        }
        rebalance(slow: false)
        for _ in 0..<100 {
            guard goesOn else { return }
            var lag = 0
            for engine in engines where engine.kind == .follow && !engine.isPaused {
                for partition in topic.partitions.indices { poll(engine, partition, limit: 4) }
                deliverOwn(engine)
                commit(engine)
                for partition in topic.partitions.indices where engine.owns(partition) {
                    lag += topic.partitions[partition].stable - engine.position(partition)
                }
                lag += engine.unsettled
            }
            if lag == 0 || !on(.markersCount) { return checkCommitted() }
        }
        check(.caughtUpIsAFact, false) { "following never catches up" }
    }

    /// A member that has caught up has committed everything, although nothing more comes: operators see a lag of 0.
    private func checkCommitted() {
        for engine in engines where engine.kind == .follow && !engine.isPaused {
            for (partition, settled) in engine.book.committable() {
                check(.caughtUpIsAFact, groupCommitted[Int(partition)] == Int(settled) || !on(.prefixCommit)) {
                    "partition \(partition) is settled up to \(settled), but committed is "
                        + "\(self.groupCommitted[Int(partition)])"
                }
            }
        }
    }

    private func finishRedrive() {
        for engine in engines where engine.kind == .redrive {
            deliverOwn(engine)
            stop(engine)
        }
        guard isMended else { return }
        let unresolved = letters.indices.filter { letters[$0].resolved == nil }
        redriveAll(checking: true)
        let before = new.slots.map(\.body)
        // Once more what has just been redriven; what was resolved long ago has lost its tombstone's protection.
        for letter in unresolved { letters[letter].resolved = nil }
        redriveAll(checking: false)
        check(.redriveIdempotent, before == new.slots.map(\.body)) { "a second redrive changed a document" }
    }

    private func redriveAll(checking: Bool) {
        redrive()
        guard let engine = engines.last, engine.kind == .redrive else { return }
        repeat { deliverOwn(engine) } while goOn(redriving: engine)
        stop(engine)
        check(.outcomesSum, engine.unsettled == 0) { "a redrive left \(engine.unsettled) letters without an outcome" }
        for letter in letters where checking && letter.offset >= 0 && letter.id >= 0 && letter.resolved == now {
            guard letter.offset < topic.partitions[letter.partition].end else { continue }
            let entry = topic.partitions[letter.partition].entries[letter.offset]
            guard entry.verb == .insert, new.slots[letter.id].version == Int64(letter.offset) + 2 else { continue }
            check(.redriveIdempotent, Document(target: new.slots[letter.id].body) == entry.document.flattened) {
                "the letter of partition \(letter.partition) offset \(letter.offset) was redriven into something else"
            }
        }
    }

    /// Works until nothing of the engine is under way.
    private func deliverOwn(_ engine: Engine) {
        for _ in 0..<300 where violation == nil {
            engine.advance()
            engine.flush()
            guard let index = wires.firstIndex(where: { $0.engine == engine.number }) else { return }
            deliver(index, .good)
        }
    }

    private func deliverPurges() {
        deliverAll { if case .purge = $0.load { true } else { false } }
    }

    private func deliverAll(_ which: (Wire) -> Bool) {
        for _ in 0..<500 {
            guard let index = wires.firstIndex(where: which) else { return }
            deliver(index, .good)
        }
    }

    // MARK: Comparison

    private func compare() {
        for id in 0..<setup.ids {
            var expected = known(id)
            var merged = false
            for entry in topic.partitions[partition(of: id)].entries where entry.isCommand && entry.id == id {
                OldCluster.apply(entry, to: &expected, creates: setup.creates)
                merged = merged || entry.verb == .update
            }
            let place = slot(id, of: expected)
            for slot in stride(from: id, to: new.slots.count, by: setup.ids) {
                let isElsewhere = place != nil && slot != place
                compare(slot, isElsewhere || place == nil ? nil : expected?.flattened, isElsewhere: isElsewhere, merged)
            }
        }
    }

    /// `isElsewhere`: the document belongs into another slot.
    private func compare(_ place: Int, _ expected: Document?, isElsewhere: Bool, _ hasMerges: Bool) {
        let slot = new.slots[place]
        let id = id(of: place)
        let isSeen = slot.version > 0 && (!slot.isTombstone || !on(.readFilter))
        check(.tombstonesHidden, !isSeen || !slot.isTombstone) {
            "readers see the tombstone of \(self.name(place: place)), version \(slot.version)"
        }
        // Whether a dead-lettered command is part of the document depends on when it was redriven.
        let found = isSeen && !slot.isTombstone ? Document(target: slot.body) : nil
        guard !everDead[id] || layout == .parts else { return compareDead(id, found, isSeen: isSeen) }
        let text = {
            "\(self.name(place: place)): expected \(expected?.text ?? "nothing"), found "
                + "\(isSeen ? String(decoding: slot.body, as: UTF8.self) : "nothing") at version \(slot.version)"
        }
        guard let expected else { return check(isElsewhere ? .inOnePlace : .deletesStayDeleted, !isSeen, text) }
        check(.nothingLost, isSeen, text)
        if hasMerges, setup.known[id] != 0 { check(.mergeBaseFromSource, !lostKnown(id, expected, found), text) }
        check(.documentsEqualModel, found == expected, text)
        if layout != .single { check(.inOnePlace, slot.routing == expected.routing, text) }
    }

    /// Whether a field is missing that was in the old cluster from the beginning.
    private func lostKnown(_ id: Int, _ expected: Document?, _ found: Document?) -> Bool {
        guard let expected, let found, let known = known(id) else { return false }
        return (0..<4).contains {
            (known.fields[$0] == expected.fields[$0] && found.fields[$0] == Document.absent
                && known.fields[$0] != Document.absent)
                || (known.tags[$0] == expected.tags[$0] && found.tags[$0] == Document.absent
                    && known.tags[$0] != Document.absent)
        }
    }

    /// With and without the dead-lettered commands the document must be there, or must not: then it is judged.
    private func compareDead(_ id: Int, _ found: Document?, isSeen: Bool) {
        var mayBe: Set<Bool> = []
        var isPossible = false
        let entries = topic.partitions[partition(of: id)].entries.enumerated().filter {
            $0.element.isCommand && $0.element.id == id
        }
        let dead = entries.filter { entry in
            letters.contains { $0.partition == partition(of: id) && $0.offset == entry.offset }
        }.map(\.offset)
        let isCopyDead = letters.contains { $0.offset < 0 && $0.id == id }
        // All ways are tried, or, of very many, none is taken as the only one.
        let count = min(8, dead.count)
        // A copied document that was refused held what was applied before the copy began, too.
        let begins = isCopyDead ? [0, 0, recorded?[partition(of: id)] ?? 0] : [0]
        for (way, begin) in begins.enumerated() {
            for choice in 0..<(1 << count) {
                var document = way == 0 ? known(id) : nil
                for (offset, entry) in entries where offset >= begin {
                    if let at = dead.firstIndex(of: offset), at < count, choice >> at & 1 == 1 { continue }
                    OldCluster.apply(entry, to: &document, creates: setup.creates)
                }
                mayBe.insert(document != nil)
                isPossible = isPossible || document?.flattened == found
            }
        }
        if dead.count > count {
            // Some way was not tried.
        } else if mayBe == [false] {
            check(.deletesStayDeleted, !isSeen) { "\(self.name(id)) is there, whose delete came after its dead letter" }
        } else if mayBe == [true] {
            check(.nothingLost, isSeen) { "\(self.name(id)) is not there, with or without its dead letters" }
        }
        // A partial update that was passed over while its document was a dead letter does not come back with that.
        let isPassedOver = setup.missing == .ignore && entries.contains { $0.element.verb == .update }
        check(.documentsEqualModel, isPossible || isMixed || isPassedOver || dead.count > count) {
            "\(self.name(id)) is not what its commands come to, with or without those that were dead letters: found "
                + "\(found?.text ?? "nothing")"
        }
    }
}

import Indexing
import Seeds

/// What the operator and the world outside do.
extension World {
    // MARK: Application

    func write(_ a: Int, _ b: Int) {
        let id = a % setup.ids
        let partition = partition(of: id)
        guard !topic.partitions[partition].isHeld, topic.partitions[partition].end < 60 else { return }
        var entry = layout == .single ? command(id, b) : writeRow(id, b)
        // One producer with transactions a partition; others write between its records.
        let isOpen = topic.partitions[partition].entries.contains { $0.transaction == .open }
        if b >> 13 & 3 == 0, isOpen || setup.theme == 3 { entry.transaction = .open }
        tell {
            let text =
                entry.kind == .command ? "\(entry.verb) \(self.name(id)) \(entry.document.text)" : "\(entry.kind)"
            let offset = self.topic.partitions[partition].end
            return
                "  partition \(partition) offset \(offset), v\(offset + 2): \(text)\(entry.poison ? ", refused" : "")"
        }
        topic.append(partition, entry)
    }

    /// In the envelope format.
    private func command(_ id: Int, _ b: Int) -> Entry {
        var entry = Entry(kind: .command, id: id)
        switch b & 15 {
        case 0..<5: entry.verb = .insert
        case 5..<10: entry.verb = .update
        case 10..<14: entry.verb = .delete
        case 14: entry.kind = b >> 12 & 1 == 0 ? .ping : .junk
        default: entry.verb = .insert
        }
        if entry.kind == .command, entry.verb != .delete {
            if entry.verb == .insert { entry.document.fields[0] = topic.value() }
            let field = b >> 4 & 3
            entry.document.fields[field] = topic.value()
            let key = b >> 6 & 3
            if b >> 8 & 1 == 1 {
                entry.document.tags[key] =
                    entry.verb == .update && b >> 9 & 1 == 1 ? Document.null : topic.value()
            }
            entry.poison = entry.verb == .insert && [4, 7, Step.verification].contains(setup.theme) && b >> 10 & 3 == 0
        }
        return entry
    }

    func endTransaction(_ a: Int, commits: Bool) {
        let partition = a % setup.partitions
        var found = false
        for offset in topic.partitions[partition].entries.indices
        where topic.partitions[partition].entries[offset].transaction == .open {
            topic.partitions[partition].entries[offset].transaction = commits ? .committed : .aborted
            found = true
        }
        if found { topic.append(partition, Entry(kind: .nothing)) }
    }

    // MARK: The old cluster

    func applyOld(_ a: Int, _ count: Int) {
        let partition = a % setup.partitions
        let log = topic.partitions[partition]
        for _ in 0..<count where old.position[partition] < log.stable {
            let entry = log.entries[old.position[partition]]
            if entry.isCommand { OldCluster.apply(entry, to: &old.documents[entry.id], creates: setup.creates) }
            old.position[partition] += 1
            old.applied[partition] = max(old.applied[partition], old.position[partition])
        }
    }

    func commitOld() { old.committed = old.position }

    /// It applies again what it had not committed.
    func crashOld() { old.position = old.committed }

    // MARK: The log

    func retain(_ a: Int, _ b: Int) {
        let partition = a % setup.partitions
        // The operator keeps what the application's own indexer has not applied, but not always what Crossfade needs.
        var limit = old.committed[partition]
        if b & 7 > 0 {
            for engine in engines where engine.readsLog && engine.owns(partition) {
                limit = min(limit, engine.position(partition))
            }
            limit = min(limit, recorded?[partition] ?? limit)
            if committed(partition) >= 0 { limit = min(limit, committed(partition)) }
            if let replay { limit = min(limit, replay.at(partition)) }
        }
        topic.partitions[partition].start = max(topic.partitions[partition].start, limit)
    }

    /// Compaction removes a record that a later one of the same id makes needless.
    func compact(_ a: Int, _ b: Int) {
        let partition = a % setup.partitions
        let entries = topic.partitions[partition].entries
        guard entries.count > setup.trimmed else { return }
        let offset = setup.trimmed + b % (entries.count - setup.trimmed)
        let entry = entries[offset]
        guard entry.isCommand, entry.transaction == .none else { return }
        let isNeedless = entries[(offset + 1)...].contains {
            $0.isCommand && $0.transaction == .none && $0.id == entry.id && $0.verb != .update && !$0.poison
        }
        guard isNeedless else { return }
        topic.partitions[partition].entries[offset].kind = .nothing
        topic.partitions[partition].isCompacted = true
    }

    /// An unclean election takes the tail back.
    func truncate(_ a: Int, _ b: Int) {
        let partition = a % setup.partitions
        let end = topic.partitions[partition].end
        let cut = max(end - 1 - (b & 1), old.applied[partition], topic.partitions[partition].start, setup.trimmed)
        guard cut < end, !topic.partitions[partition].isCompacted else { return }
        // If a crash lost the knowledge of what was applied, no process can see that the log went back
        // (docs/simulation.md).
        let frozen = replay?.finished == nil ? replay?.end[Int32(partition)] ?? 0 : 0
        let applied = max(applied(partition), Int(frozen))
        guard applied > cut || taken[partition] <= cut else { return }
        topic.partitions[partition].entries.removeSubrange(cut...)
        verification = nil
        topic.partitions[partition].isHeld = applied > cut
    }

    // MARK: The copy

    func beginCopy() {
        guard !engines.contains(where: { $0.isForCopy && !$0.isPaused }) else { return }
        if copy == nil || copy?.finished != nil {
            guard !on(.purgeAlone) || !purgeIsUnderWay else { return }
            recordFirst(byCopy: true)
            if on(.refreshBeforeCopy) { old.refresh() }
            copyRound += 1
            copy = Copy(round: copyRound, done: Array(repeating: false, count: Self.slices))
        }
        if purges.mustRestore, on(.recopyRail) { return startRestore(forCopy: true) }
        openCopy()
    }

    /// Opens the copy's alias, and reads the slices that are not done.
    func openCopy() {
        guard let copy, copyUnfinished else { return }
        perform(gate.stepsToOpen(copyIsFinished: false), round: copy.round)
        let engine = start(.copy, partitions: Self.slices)
        engine.round = copy.round
        engine.isForCopy = true
        engine.copy = CopyProgress(recorded: copy.done)
        engine.pages = Array(repeating: [], count: Self.slices)
        while let slice = engine.copy.take() {
            engine.own(slice, at: 0)
            openScroll(engine, slice)
        }
    }

    /// A scroll is a snapshot.
    private func openScroll(_ engine: Engine, _ slice: Int) {
        engine.pages[slice] = []
        for id in old.documents.indices where layout != .single || id % Self.slices == slice {
            // Each entry has indices of its own in the old cluster.
            guard let document = readOld(id, bySearch: true), layout == .single || document.kind == slice else {
                continue
            }
            engine.pages[slice].append((id, document))
        }
    }

    /// The old cluster gives a page away, and its answer is lost.
    private func losePage(_ engine: Engine, _ slice: Int, limit: Int) {
        guard !engine.pages[slice].isEmpty else { return }
        tell { "  the page of slice \(slice) is lost" }
        engine.pages[slice].removeFirst(min(limit, engine.pages[slice].count))
        var random = Seeded(UInt64(slice))
        if engine.restart.failed(.away, using: &random) != .stop, on(.scrollBegunAgain) { engine.broken.insert(slice) }
    }

    /// Reads a slice again whose scroll has come to harm. False: what was read of it must have its outcomes first.
    private func readAgain(_ engine: Engine, _ slice: Int) -> Bool {
        guard engine.broken.contains(slice) else { return true }
        guard engine.book.readAgain(Int32(slice)) else { return false }
        engine.copy.readAgain(slice)
        engine.broken.remove(slice)
        openScroll(engine, slice)
        return true
    }

    private func perform(_ steps: [CopyGate.Step], round: Int) {
        for step in steps {
            switch step {
            case .record(let word): gate = word
            case .openAliases: new.openRound = round
            case .closeAliases: new.openRound = 0
            case .recordFinished:
                gate = .closed
                copy?.finished = now
            }
        }
    }

    /// Running members look into the state every 10 s. Members that stand still do not.
    func tellCopyState() {
        for engine in engines where !engine.isPaused {
            engine.coordinator.copyUnfinished = takesSourceBases
        }
    }

    func page(_ engine: Engine, _ slice: Int, limit: Int, isLost: Bool = false) {
        guard engine.owns(slice), readAgain(engine, slice) else { return }
        if isLost { return losePage(engine, slice, limit: limit) }
        let page = engine.pages[slice].prefix(limit)
        engine.pages[slice].removeFirst(page.count)
        if let first = engine.copy.returned(page.count, of: slice), !page.isEmpty {
            let run = engine.begin(slice, first: first, next: first + page.count, count: page.count)
            for (id, document) in page { engine.take(document, id: id, run) }
        }
        if engine.pages[slice].isEmpty { engine.book.markReadToEnd(Int32(slice)) }
    }

    /// Writes down which slices are done; closes the alias and then the copy when all are.
    func record(_ engine: Engine) {
        guard let state = copy, copyUnfinished, engine.round == state.round else { return }
        let ready = engine.copy.recordable { engine.book.ownership(of: Int32($0))?.isFinished == true }
        for slice in ready { copy?.done[slice] = true }
        engine.copy.recorded(ready)
        guard engine.copy.isComplete else { return }
        perform(CopyGate.stepsToClose, round: state.round)
        stop(engine)
    }

    /// The target index is deleted, and `init` makes it again: running processes see that it is another index, and
    /// stop. `byOthers`: or other work is confirmed, with another target index; a follower may go on for a heartbeat.
    func loseIndex(byOthers: Bool) {
        hasStraggler = byOthers && engines.contains { $0.kind == .follow && !$0.isPaused }
        for engine in engines { stop(engine) }
        indexNumber += 1
        verification = nil
        new = NewCluster(
            slots: Array(repeating: NewCluster.Slot(), count: setup.ids * layout.places), versions: new.versions)
        new.refreshes = on(.tombstoneRefresh)
        guard on(.startOver) else { return }
        copy = nil
        gate = .closed
        replay = nil
        replayDue = true
        // What was purged was purged from another index.
        purges = PurgeRecord()
    }

    // MARK: Redrive

    /// Sends unresolved letters through the pipeline again, at their versions.
    func redrive() {
        guard !replayDue || !on(.redriveAfterReplay) else { return }
        let unresolved = letters.indices.filter { number in
            let letter = letters[number]
            return letter.resolved == nil && letter.id >= 0
        }
        guard !unresolved.isEmpty else { return }
        let engine = start(.redrive, partitions: 1)
        engine.own(0, at: 0)
        // Documents of the copy before the commands that came after them: partial updates build on both.
        let records = unresolved.filter { letters[$0].offset >= 0 }
        let documents = unresolved.filter { letters[$0].offset < 0 }
        engine.later = documents.isEmpty ? [] : records
        feed(engine, documents.isEmpty ? records : documents)
    }

    /// Goes on with the records when the documents are settled. False: nothing is left.
    func goOn(redriving engine: Engine) -> Bool {
        guard engine.unsettled == 0, !engine.later.isEmpty else { return false }
        let records = engine.later
        engine.later = []
        feed(engine, records)
        return true
    }

    private func feed(_ engine: Engine, _ chosen: [Int]) {
        for letter in chosen {
            let from = letters[letter]
            engine.letters.append(letter)
            let place = engine.position(0)
            let run = engine.begin(0, first: place, next: place + 1, count: 1)
            if let document = from.document {
                engine.take(document, id: from.id, run)
            } else if from.offset >= 0, from.offset < topic.partitions[from.partition].end {
                let entry = topic.partitions[from.partition].entries[from.offset]
                engine.take(entry, partition: from.partition, offset: from.offset, run)
            }
        }
    }
}

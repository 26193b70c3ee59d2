import Commands
import Indexing

extension Engine {
    // MARK: Sending

    /// Hands the open batch over.
    func flush() {
        for entry in open.indices { flush(entry) }
    }

    func flush(_ entry: Int) {
        guard let batch = open[entry], assembler.take(entry) != nil else { return }
        open[entry] = nil
        batches.append(batch)
        batch.delivery.begin(items: batch.items.count)
        send(batch)
    }

    private func send(_ batch: Batch) {
        // Whether its partitions may have been given away is asked elsewhere: see `isStale`.
        guard BulkDelivery.permission(isOurs: book.isOurs(batch.id.generation), leaseIsValid: true) == .send else {
            return finish(batch)
        }
        world.wires.append(
            Wire(
                engine: number, born: world.now,
                load: .bulk(
                    batch, Array(batch.items.prefix(batch.delivery.window)), round: kind == .copy ? round : 0),
                index: world.indexNumber))
    }

    /// Whether it holds something that was read longer ago than may be sent, or has stood still so long that what it
    /// knows of the state is old: it begins again from what is committed. A copy's late pages are refused by its alias.
    func isStale(since before: Int, _ now: Int) -> Bool {
        let holds = coordinator.isBusy || hasOpen || !batches.isEmpty
        guard kind != .copy, holds || isPaused else {
            busySince = nil
            return false
        }
        let since = busySince ?? before
        busySince = since
        return now - since > World.lease
    }

    func receive(_ answer: Answer) {
        switch answer {
        case .bulk(let batch, let answer): perform(next(batch, answer), batch)
        case .letter(let run): if world.on(.deadLetterFirst) { settle(run, .deadLettered) }
        case .bases(let bases): coordinator.basesRead(bases)
        }
        advance()
    }

    private func next(_ batch: Batch, _ answer: NewCluster.Answer?) -> BulkStep {
        // Only for the length of pauses, of which there are none here.
        var random = SystemRandomNumberGenerator()
        switch answer {
        case nil: return batch.delivery.failed(BulkFailure(.connection, because: "no answer"), using: &random)
        case .tooLarge:
            let rejection = BulkRejection(
                status: 413, errorType: nil, reason: nil, isPassing: false, description: "too large")
            return batch.delivery.rejected(rejection, using: &random)
        case .items(let statuses):
            var verdicts = ItemVerdicts()
            for (place, status) in statuses.enumerated() {
                let item = batch.items[place]
                if ItemClass.isApplied(status: status.code) {
                    conclude(item, .applied)
                    continue
                }
                switch verdicts.judge(place, status: status.code, errorType: status.type, reason: status.reason) {
                case .settle(let done): conclude(item, done)
                case .bury(let reason): bury(item, reason)
                case .keep: break
                }
            }
            let later = batch.items.dropFirst(batch.delivery.window)
            batch.items = verdicts.again.map { batch.items[$0] } + later
            return batch.delivery.answered(verdicts, using: &random)
        }
    }

    private func perform(_ step: BulkStep, _ batch: Batch) {
        switch step {
        case .finish: finish(batch)
        case .send, .sendHalf, .sendItemsAgain, .sendAgain: send(batch)
        case .buryFirst(let reason):
            bury(batch.items.removeFirst(), reason)
            perform(batch.delivery.firstBuried(), batch)
        // A copy whose alias is closed stops: somebody else has finished it.
        case .stop: world.stop(self)
        }
    }

    private func conclude(_ item: Item, _ done: ItemClass.Done) {
        if let lane = item.lane { return coordinator.written(lane.key, done == .stale ? .stale(newer: nil) : .applied) }
        if item.isCompanion { return conclude(companion: item) }
        settle(item.run, done == .stale ? .stale : item.isTombstone ? .deleted : .indexed)
    }

    private func bury(_ item: Item, _ reason: String) {
        if let lane = item.lane { return coordinator.written(lane.key, .dead(reason: reason, detail: "")) }
        if item.isCompanion { return conclude(companion: item) }
        bury(item.run, item.partition, item.offset, id: item.id, item.source)
    }

    private func finish(_ batch: Batch) {
        batches.removeAll { $0 === batch }
        coordinator.finished(batch: batch.id.serial)
    }

    // MARK: Partial updates

    /// Does what is to be done for partial updates.
    func advance() {
        while let action = coordinator.next(isFull: false, using: world.tools.lane) {
            switch action {
            case .settle(let outcomes):
                for outcome in outcomes {
                    guard let record = waiting.removeValue(forKey: outcome.token) else { continue }
                    if let companion = record.companion {
                        conclude(companion: companion)
                    } else {
                        settle(record.run, outcome.outcome)
                    }
                }
            case .reject(let rejects):
                for reject in rejects {
                    guard let record = waiting.removeValue(forKey: reject.token) else { continue }
                    if let companion = record.companion { add(companion); continue }
                    bury(record.run, record.partition, record.offset, id: record.id)
                }
            case .readTarget(let fetches):
                let bases = fetches.map { targetBase($0) }
                world.wires.append(Wire(engine: number, born: world.now, load: .read(.bases(bases))))
            case .readSource(let fetches):
                let bases = fetches.map { sourceBase($0) }
                world.wires.append(Wire(engine: number, born: world.now, load: .read(.bases(bases))))
            case .write(let write):
                var item = Item(id: Self.id(write.id), version: write.version, body: [], lane: write)
                item.entry = write.entry
                if case .document(let body) = write.body { item.body = body } else { item.isTombstone = true }
                add(item)
            }
        }
    }

    private func targetBase(_ fetch: LaneFetch) -> BaseAnswer {
        let (slot, isElsewhere) = world.base(Self.id(fetch.id), fetch.entry)
        if isElsewhere { return .elsewhere(fetch.key, tombstone: slot.isTombstone, version: slot.version) }
        return .target(
            fetch.key, found: slot.version > 0, tombstone: slot.isTombstone, version: slot.version, document: slot.body)
    }

    private func sourceBase(_ fetch: LaneFetch) -> BaseAnswer {
        let (document, isElsewhere) = world.sourceBase(Self.id(fetch.id), fetch.entry)
        if isElsewhere { return .elsewhere(fetch.key, tombstone: false, version: 0) }
        return .source(fetch.key, document: document.map { world.tools.source($0) }, version: 0)
    }

    private static func id(_ text: [UInt8]) -> Int { Int((text.first ?? 0) &- UInt8(ascii: "a")) }
}

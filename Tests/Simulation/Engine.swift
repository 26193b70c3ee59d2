import Commands
import Indexing
import JSONText

/// A record whose operation waits in a key lane.
struct Waiting {
    var run: RunID
    var partition: Int
    var offset: Int
    var id: Int
}

/// One write on its way; what `BatchItem` is to the product.
struct Item {
    var id: Int
    var version: Int64
    var body: [UInt8]
    var isTombstone = false
    /// Of a key lane.
    var lane: LaneWrite?
    var run = RunID(partition: -1, generation: 0, number: 0)
    /// Of the record; -1: a document of the copy.
    var partition = -1
    var offset = -1
    /// Of a copied document, as the source has it.
    var source: Document?
}

final class Batch {
    let id: BatchID
    /// Those that have no outcome yet.
    var items: [Item] = []
    var delivery = BulkDelivery()
    init(_ id: BatchID) { self.id = id }
}

/// One process of the product, on one thread: it performs what the product's own types decide (docs/simulation.md).
final class Engine {
    enum Kind {
        case follow, replay, copy, redrive
        /// Brings tombstones back that were purged, before a copy or a replay.
        case restore
    }

    /// What comes back to it.
    enum Answer {
        /// Nil: no answer came.
        case bulk(Batch, NewCluster.Answer?)
        case letter(RunID)
        case target([(LaneFetch, NewCluster.Slot)])
        case source([(LaneFetch, [UInt8]?)])
    }

    let number: Int
    let kind: Kind
    unowned let world: World
    var isPaused = false
    /// Lost its partitions, and does not know it yet.
    var isFenced = false
    /// Records read and what became of them, by partition or slice.
    var book = OutcomeBook()
    /// What it reads, and what is to be committed. Records are known by their offset here.
    var assignment: PartitionAssignment<Int64>
    /// Partitions or slices that there are.
    let partitions: Range<Int>
    var inbox: [Answer] = []
    /// Redrive: the letters by run number, and those whose turn comes later. Copy: the pages left, by slice, and which slices are done.
    var letters: [Int] = []
    var later: [Int] = []
    var pages: [[(id: Int, document: Document)]] = []
    var copy = CopyProgress(recorded: [])
    /// Which copy or replay it is at.
    var round = 0
    /// Restore: for a copy, not for a replay.
    var isForCopy = false
    /// Of the group, when it was assigned.
    var groupGeneration = 0
    var batches: [Batch] = []
    var coordinator: PartialUpdateCoordinator
    private var assembler = BatchAssembler(
        entries: 1, limits: BatchLimits(documents: 1_000, bytes: .max), generation: 1)
    /// When it began to hold something, as seen at the last look at the clock.
    private var busySince: Int?
    private(set) var open: Batch?
    private var waiting: [UInt64: Waiting] = [:]
    /// For the switch that leaves the prefix out: ends of runs, and the highest that is settled, by partition.
    private var runEnds: [[Int]] = []
    private var ahead: [Int]

    init(_ number: Int, _ kind: Kind, _ world: World, partitions count: Int, ends: [Int32: Int64]?) {
        self.number = number
        self.kind = kind
        self.world = world
        assignment = PartitionAssignment(ends: ends)
        partitions = 0..<count
        ahead = Array(repeating: 0, count: count)
        if !world.on(.prefixCommit) { runEnds = Array(repeating: [], count: count) }
        coordinator = PartialUpdateCoordinator(
            missing: [world.setup.creates ? .create : .reject], isNeeded: true, readBytes: 64 << 20,
            copyUnfinished: false, keyCapacity: 16)
    }

    var unsettled: Int { book.unsettled }
    /// Whether it holds something that is not written yet.
    var isBusy: Bool { unsettled > 0 || !batches.isEmpty || open != nil }

    // MARK: Partitions

    func owns(_ partition: Int) -> Bool { book.ownership(of: Int32(partition)) != nil }

    /// The next offset to read of a partition that it owns.
    func position(_ partition: Int) -> Int { Int(book.ownership(of: Int32(partition))?.position ?? 0) }

    /// Where it began to read a partition that it owns.
    func start(_ partition: Int) -> Int { Int(book.ownership(of: Int32(partition))?.start ?? 0) }

    func own(_ partition: Int, at position: Int) {
        book.own(Int32(partition), start: Int64(position))
        assignment.assign(Int32(partition), start: Int64(position))
        // So that where it begins is committed before anything is read.
        if world.on(.startCommitted) { book.advance(Int32(partition), to: Int64(position)) }
        ahead[partition] = 0
        if !runEnds.isEmpty { runEnds[partition] = [] }
    }

    /// Gives all partitions back: what waits is another's to do.
    func disown() {
        let owned = partitions.map { Int32($0) }
        for partition in owned { book.giveUp(partition) }
        guard assignment.revoke(owned) else { return }
        book.abandonAll()
        for token in coordinator.abandon() { waiting[token] = nil }
        for batch in assembler.abandon(generation: book.abandonedUpTo + 1) { coordinator.finished(batch: batch.serial) }
        open = nil
    }

    /// Everything up to `next` has been read, markers and gaps too.
    func reached(_ partition: Int, _ next: Int) {
        guard let next = assignment.reached(Int32(partition), Int64(next)) else { return }
        book.advance(Int32(partition), to: next)
    }

    func begin(_ partition: Int, first: Int, next: Int, count: Int) -> RunID {
        _ = assignment.read(Int32(partition), next: Int64(next), Int64(next - 1))
        if !runEnds.isEmpty { runEnds[partition].append(next) }
        return book.open(Int32(partition), first: Int64(first), next: Int64(next), count: count)
            ?? RunID(partition: Int32(partition), generation: 0, number: 0)
    }

    private struct Figures: Equatable {
        var generation: Generation
        var committable: Int64?
        var unsettled: Int
    }

    private func figures(_ partition: Int32) -> Figures? {
        guard let owned = book.ownership(of: partition) else { return nil }
        return Figures(
            generation: owned.generation, committable: owned.tracker.committable, unsettled: owned.tracker.unsettled)
    }

    private func settle(_ run: RunID, _ outcome: Outcome) {
        let before = figures(run.partition)
        guard let before, before.generation == run.generation else {
            var forged = run
            if let before, !world.on(.fence) {
                forged = RunID(partition: run.partition, generation: before.generation, number: run.number)
            }
            _ = book.settle(forged, outcome, 1)
            return world.check(.lateAcknowledgementCommitsNothing, before == figures(run.partition)) {
                "engine \(number): an answer for a lost assignment of partition \(run.partition) settled a record of the next"
            }
        }
        let settlement = book.settle(run, outcome, 1)
        let partition = Int(run.partition)
        if !runEnds.isEmpty, run.number < runEnds[partition].count {
            ahead[partition] = max(ahead[partition], runEnds[partition][run.number])
        }
        if let owned = book.ownership(of: run.partition) {
            let (read, outcomes, inFlight) = (owned.tracker.read, owned.outcomes.total, owned.tracker.unsettled)
            world.check(.outcomesSum, settlement == .counted && read == outcomes + inFlight) {
                "engine \(number): \(settlement): read \(read), outcomes \(outcomes), in flight \(inFlight)"
            }
        }
        if kind == .redrive { world.resolve(letters[run.number], outcome) }
    }

    /// What is to be committed and is not yet.
    func offsetsToCommit() -> [Int32: Int64] {
        var settled = book.committable()
        if !world.on(.prefixCommit) {
            for (partition, end) in ahead.enumerated() where end > 0 { settled[Int32(partition)] = Int64(end) }
        }
        return assignment.offsetsToCommit(settled: settled, last: false)
    }

    // MARK: Records

    /// Takes one record.
    func take(_ entry: Entry, partition: Int, offset: Int, _ run: RunID) {
        let text = world.topic.text.slice(entry.text)
        let record = Record(key: nil, value: text, timestamp: -1, partition: Int32(partition), offset: Int64(offset))
        switch coordinator.route(world.tools.decoder.decode(record), onlyDeletes: kind == .restore) {
        case .skip: settle(run, .skipped)
        case .reject: bury(run, partition, offset, id: -1)
        case .keyLane(let operation):
            let id = id(of: operation, entry, partition, offset)
            let token = coordinator.append(operation, recordBytes: 0)
            waiting[token] = Waiting(run: run, partition: partition, offset: offset, id: id)
        case .batch(let operation):
            write(operation, id(of: operation, entry, partition, offset), partition, offset, run)
        }
    }

    private func id(of operation: Operation, _ entry: Entry, _ partition: Int, _ offset: Int) -> Int {
        let id = Int((operation.id.first ?? 0) &- UInt8(ascii: "a"))
        world.check(.oneVersionSpace, operation.version == Int64(offset) + 2 && id == entry.id) {
            "partition \(partition) offset \(offset) has version \(operation.version)"
        }
        return id
    }

    private func write(_ operation: Operation, _ id: Int, _ partition: Int, _ offset: Int, _ run: RunID) {
        var item = Item(id: id, version: operation.version, body: [], run: run, partition: partition, offset: offset)
        if operation.kind == .delete {
            item.isTombstone = true
        } else if let body = world.tools.transformed(operation.document) {
            item.body = body
        } else {
            return bury(run, partition, offset, id: id)
        }
        let batch = add(item)
        if world.on(.laneWaits) { coordinator.sent(operation, in: batch.serial) }
    }

    /// A document of the copy.
    func take(_ document: Document, id: Int, _ run: RunID) {
        let source = world.tools.source(document)
        let body = source.withUnsafeBufferPointer { world.tools.transformed($0) }
        guard let body else { return bury(run, -1, -1, id: id, document) }
        add(Item(id: id, version: DocumentVersion.floor(epoch: 0), body: body, run: run, source: document))
    }

    @discardableResult private func add(_ item: Item) -> BatchID {
        let batch: Batch
        if let open {
            batch = open
        } else {
            batch = Batch(assembler.open(0, now: Int64(world.now)))
            open = batch
        }
        batch.items.append(item)
        if assembler.add(to: 0, bytes: item.body.count) { flush() }
        return batch.id
    }

    /// A dead letter; the record counts when Kafka has it.
    private func bury(_ run: RunID, _ partition: Int, _ offset: Int, id: Int, _ source: Document? = nil) {
        let letter = World.Letter(partition: partition, offset: offset, id: id, document: source)
        world.wires.append(Wire(engine: number, born: world.now, load: .letter(run, letter)))
        if !world.on(.deadLetterFirst) { settle(run, .deadLettered) }
    }

    // MARK: Sending

    /// Hands the open batch over.
    func flush() {
        guard let batch = open, assembler.take(0) != nil else { return }
        open = nil
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

    /// Whether it holds something that was read longer ago than may be sent, or has stood still so long that what it knows of
    /// the state is old: it begins again from what is committed. A copy's late pages are refused by its alias.
    func isStale(since before: Int, _ now: Int) -> Bool {
        let holds = coordinator.isBusy || open != nil || !batches.isEmpty
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
        case .target(let bases):
            coordinator.basesRead(
                bases.map { fetch, slot in
                    .target(
                        fetch.key, found: slot.version > 0, tombstone: slot.isTombstone, version: slot.version,
                        document: slot.body)
                })
        case .source(let bases):
            coordinator.basesRead(bases.map { .source($0.key, document: $1, version: 0) })
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
        if let lane = item.lane { return coordinator.written(lane.key, done == .stale ? .stale : .applied) }
        settle(item.run, done == .stale ? .stale : item.isTombstone ? .deleted : .indexed)
    }

    private func bury(_ item: Item, _ reason: String) {
        if let lane = item.lane { return coordinator.written(lane.key, .dead(reason: reason, detail: "")) }
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
                    if let record = waiting.removeValue(forKey: outcome.token) { settle(record.run, outcome.outcome) }
                }
            case .reject(let rejects):
                for reject in rejects {
                    guard let record = waiting.removeValue(forKey: reject.token) else { continue }
                    bury(record.run, record.partition, record.offset, id: record.id)
                }
            case .readTarget(let fetches):
                let bases = fetches.map { ($0, world.new.slots[Self.id($0.id)]) }
                world.wires.append(Wire(engine: number, born: world.now, load: .read(.target(bases))))
            case .readSource(let fetches):
                let bases = fetches.map { fetch in
                    (fetch, world.readOld(Self.id(fetch.id)).map { world.tools.source($0) })
                }
                world.wires.append(Wire(engine: number, born: world.now, load: .read(.source(bases))))
            case .write(let write):
                var item = Item(id: Self.id(write.id), version: write.version, body: [], lane: write)
                if case .document(let body) = write.body { item.body = body } else { item.isTombstone = true }
                add(item)
            }
        }
    }

    private static func id(_ text: [UInt8]) -> Int { Int((text.first ?? 0) &- UInt8(ascii: "a")) }
}

/// Something in the network.
struct Wire {
    enum Load {
        /// As it was sent; the copy's through the alias of its round.
        case bulk(Batch, [Item], round: Int)
        case letter(RunID, World.Letter)
        case read(Engine.Answer)
        case purge([(id: Int, version: Int64)])
    }
    var engine: Int
    var born: Int
    var load: Load
    /// The target index that it was sent to.
    var index = 0

    var writes: Bool {
        switch load {
        case .bulk, .purge: true
        case .letter, .read: false
        }
    }
}

import Commands
import Indexing
import JSONText

/// A record whose operation waits in a key lane.
struct Waiting {
    var run: RunID
    var partition: Int
    var offset: Int
    var id: Int
    /// A tombstone beside the record's own operation.
    var companion: Item?
}

/// One write on its way; what `BatchItem` is to the product.
struct Item {
    var id: Int
    var version: Int64
    var body: [UInt8]
    var isTombstone = false
    /// Where it goes.
    var entry = 0
    var routing = Document.absent
    /// A tombstone beside the record's own operation.
    var isCompanion = false
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
        case bases([BaseAnswer])
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
    /// Redrive: the letters by run number, and those whose turn comes later. Copy: the pages left, by slice, and which
    /// slices are done.
    var letters: [Int] = []
    var later: [Int] = []
    var pages: [[(id: Int, document: Document)]] = []
    var copy = CopyProgress(recorded: [])
    /// Copy: slices whose scroll has come to harm, and what is decided then.
    var broken: Set<Int> = []
    var restart = SliceRestart(pageSize: 2)
    /// Which copy or replay it is at.
    var round = 0
    /// Restore: for a copy, not for a replay.
    var isForCopy = false
    /// Of the group, when it was assigned.
    var groupGeneration = 0
    var batches: [Batch] = []
    var coordinator: PartialUpdateCoordinator
    var assembler: BatchAssembler
    /// When it began to hold something, as seen at the last look at the clock.
    var busySince: Int?
    /// By entry.
    var open: [Batch?]
    var waiting: [UInt64: Waiting] = [:]
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
        let entries = world.layout.entries
        open = Array(repeating: nil, count: entries)
        assembler = BatchAssembler(
            entries: entries, limits: BatchLimits(documents: 1_000, bytes: .max), generation: 1)
        coordinator = PartialUpdateCoordinator(
            missing: Array(repeating: world.setup.missing, count: entries), isNeeded: true,
            readBytes: 64 << 20, copyUnfinished: false,
            documentsMove: world.layout != .single && world.on(.lanesAcrossEntries), keyCapacity: 16)
    }

    var unsettled: Int { book.unsettled }
    /// Whether it holds something that is not written yet.
    var isBusy: Bool { unsettled > 0 || !batches.isEmpty || hasOpen }
    var hasOpen: Bool { open.contains { $0 != nil } }

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
        for entry in open.indices { open[entry] = nil }
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

    func settle(_ run: RunID, _ outcome: Outcome) {
        let before = figures(run.partition)
        guard let before, before.generation == run.generation else {
            var forged = run
            if let before, !world.on(.fence) {
                forged = RunID(partition: run.partition, generation: before.generation, number: run.number)
            }
            _ = book.settle(forged, outcome, 1)
            return world.check(.lateAcknowledgementCommitsNothing, before == figures(run.partition)) {
                "engine \(number): an answer for a lost assignment of partition \(run.partition) settled a record of "
                    + "the next"
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
        world.tools.keys[entry.id].withUnsafeBufferPointer { key in
            let record = Record(
                key: key, value: text, timestamp: -1, partition: Int32(partition), offset: Int64(offset))
            decode(record, run) { take($0, of: entry, partition, offset, run) }
        }
    }

    private func take(_ decoded: Decoded, of entry: Entry, _ partition: Int, _ offset: Int, _ run: RunID) {
        switch coordinator.route(decoded, onlyDeletes: kind == .restore) {
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
        let id = Self.id(operation.id)
        world.check(.oneVersionSpace, operation.version == Int64(offset) + 2 && id == entry.id) {
            "partition \(partition) offset \(offset) has version \(operation.version)"
        }
        return id
    }

    private func write(_ operation: Operation, _ id: Int, _ partition: Int, _ offset: Int, _ run: RunID) {
        var item = Item(id: id, version: operation.version, body: [], run: run, partition: partition, offset: offset)
        (item.entry, item.routing) = (operation.entry, Self.routing(operation.routing))
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
        var item = Item(id: id, version: DocumentVersion.floor(epoch: 0), body: body, run: run, source: document)
        if world.layout != .single {
            item.entry = Int(document.kind)
            item.routing = source.withUnsafeBufferPointer { bytes in
                Self.routing(try? world.tools.copyRoutings[world.layout.rawValue].routing(of: bytes))
            }
        }
        add(item)
    }

    @discardableResult func add(_ item: Item) -> BatchID {
        let batch: Batch
        if let open = open[item.entry] {
            batch = open
        } else {
            batch = Batch(assembler.open(item.entry, now: Int64(world.now)))
            open[item.entry] = batch
        }
        batch.items.append(item)
        if assembler.isFull(documents: batch.items.count, bytes: item.body.count) { flush(item.entry) }
        return batch.id
    }

    /// A dead letter; the record counts when Kafka has it.
    func bury(_ run: RunID, _ partition: Int, _ offset: Int, id: Int, _ source: Document? = nil) {
        let letter = World.Letter(partition: partition, offset: offset, id: id, document: source)
        world.wires.append(Wire(engine: number, born: world.now, load: .letter(run, letter)))
        if !world.on(.deadLetterFirst) { settle(run, .deadLettered) }
    }
}

import Commands
import Indexing
import JSONText

/// Names a run in an engine's ledger, as `RunReference` does in the product.
struct Run: Equatable {
    var lane: Int
    var generation: Int
    var number: Int
}

/// A record whose operation waits in a merge lane.
struct Waiting {
    var run: Run
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
    /// Of a merge lane.
    var lane: LaneWrite?
    var run = Run(lane: -1, generation: 0, number: 0)
    /// Of the record; -1: a document of the copy.
    var partition = -1
    var offset = -1
    /// Of a copied document, as the source has it.
    var source: Document?
}

final class Batch {
    let serial: Int
    var items: [Item] = []
    init(serial: Int) { self.serial = serial }
}

/// Worker, merge desk, sink and ledger of one process of the product, on one thread: what it does is decided by the real
/// decoder, transformer, lanes and tracker; what the product's threaded drivers decide is mirrored here in short.
///
/// Mirrors: `Worker.write`, `MergeDesk`, `BulkSink.settle`, `Ledger`, `LogFeed.take/commit/revoked`.
final class Engine {
    enum Kind { case follow, replay, copy, redrive }

    /// The ledger's book of one partition or slice.
    struct Lane {
        var isOwned = false
        var generation = 0
        var tracker = RunTracker()
        var outcomes = 0
        /// Highest settled run's end, for the switch that leaves the prefix out.
        var ahead = 0
        var ends: [Int] = []
        var start = 0
        var position = 0
        var committed = -1
    }

    /// What comes back to it.
    enum Answer {
        /// Nil: the request failed as a whole.
        case bulk(Batch, [NewCluster.Status?]?)
        case letter(Run)
        case target([(LaneFetch, NewCluster.Slot)])
        case source([(LaneFetch, [UInt8]?)])
    }

    let number: Int
    let kind: Kind
    unowned let world: World
    var isPaused = false
    /// Lost its partitions, and does not know it yet.
    var isFenced = false
    /// Replay: it brings tombstones back that were purged, and nothing else yet.
    var isPlanting = false
    var lanes: [Lane]
    var inbox: [Answer] = []
    /// Redrive: the letters by run number. Copy: the pages left, by slice.
    var letters: [Int] = []
    var pages: [[(id: Int, document: Document)]] = []
    /// Of the copy or the replay.
    var round = 0
    /// Of the group, when it was assigned.
    var groupGeneration = 0
    var batches: [Batch] = []
    let keyLanes: KeyLanes
    private var generation = 0
    /// When it began to hold something, as seen at the last look at the clock.
    private var busySince: Int?
    private(set) var open: Batch?
    private var serial = 0
    private var token: UInt64 = 0
    private var waiting: [UInt64: Waiting] = [:]
    private var underWay: [(serial: Int, isDone: Bool)] = []
    private var lastBatch: [Int]

    init(_ number: Int, _ kind: Kind, _ world: World, lanes count: Int) {
        self.number = number
        self.kind = kind
        self.world = world
        lanes = Array(repeating: Lane(), count: count)
        lastBatch = Array(repeating: 0, count: world.setup.ids)
        keyLanes = KeyLanes(missing: [world.setup.creates ? .create : .reject])
    }

    var unsettled: Int { lanes.reduce(0) { $0 + ($1.isOwned ? $1.tracker.unsettled : 0) } }

    // MARK: Ledger

    func own(_ lane: Int, at position: Int) {
        generation += 1
        lanes[lane] = Lane(isOwned: true, generation: generation, start: position, position: position)
    }

    func disown(_ lane: Int) { lanes[lane] = Lane(generation: lanes[lane].generation) }

    func begin(_ lane: Int, first: Int, next: Int, count: Int) -> Run {
        let number = lanes[lane].tracker.open(first: Int64(first), next: Int64(next), count: count)
        lanes[lane].position = next
        lanes[lane].ends.append(next)
        return Run(lane: lane, generation: lanes[lane].generation, number: number)
    }

    func settle(_ run: Run, _ outcome: Outcome, _ count: Int = 1) {
        guard count > 0 else { return }
        let isLate = !lanes[run.lane].isOwned || lanes[run.lane].generation != run.generation
        if isLate {
            let before = (lanes[run.lane].tracker.committable, lanes[run.lane].tracker.unsettled)
            if !world.on(.fence), lanes[run.lane].isOwned { _ = lanes[run.lane].tracker.settle(run.number, count) }
            world.check(
                .lateAcknowledgementCommitsNothing,
                before == (lanes[run.lane].tracker.committable, lanes[run.lane].tracker.unsettled)
            ) {
                "engine \(self.number): an answer for a lost assignment of partition \(run.lane) settled a record of the next"
            }
            return
        }
        lanes[run.lane].outcomes += count
        _ = lanes[run.lane].tracker.settle(run.number, count)
        if run.number < lanes[run.lane].ends.count {
            lanes[run.lane].ahead = max(lanes[run.lane].ahead, lanes[run.lane].ends[run.number])
        }
        let lane = lanes[run.lane]
        world.check(.outcomesSum, lane.tracker.read == lane.outcomes + lane.tracker.unsettled) {
            "engine \(self.number): read \(lane.tracker.read), outcomes \(lane.outcomes), in flight \(lane.tracker.unsettled)"
        }
        if kind == .redrive { world.resolve(letters[run.number], outcome) }
    }

    func committable(_ lane: Int) -> Int? {
        guard world.on(.prefixCommit) else { return lanes[lane].ahead > 0 ? lanes[lane].ahead : nil }
        return lanes[lane].tracker.committable.map { Int($0) }
    }

    // MARK: Records

    /// Takes one record, as `Worker.take` does.
    func take(_ entry: Entry, partition: Int, offset: Int, _ run: Run) {
        let text = world.topic.text.slice(entry.text)
        let record = Record(key: nil, value: text, timestamp: -1, partition: Int32(partition), offset: Int64(offset))
        switch world.tools.decoder.decode(record) {
        case .skip: settle(run, .skipped)
        case .reject: bury(run, partition, offset, id: -1)
        case .operation(let operation) where isPlanting && operation.kind != .delete: settle(run, .skipped)
        case .operation(let operation):
            let id = Int((operation.id.first ?? 0) &- UInt8(ascii: "a"))
            world.check(.oneVersionSpace, operation.version == Int64(offset) + 2 && id == entry.id) {
                "partition \(partition) offset \(offset) has version \(operation.version)"
            }
            write(operation, id, partition, offset, run)
        }
    }

    private func write(_ operation: Operation, _ id: Int, _ partition: Int, _ offset: Int, _ run: Run) {
        if operation.kind == .merge || keyLanes.holds(0, operation.id) {
            token += 1
            waiting[token] = Waiting(run: run, partition: partition, offset: offset, id: id)
            let batch = world.on(.laneWaits) ? lastBatch[id] : 0
            keyLanes.append(
                entry: 0, id: operation.id,
                LaneOperation(
                    kind: operation.kind, version: operation.version, document: Array(operation.document),
                    token: token, waitFor: batch > 0 ? batch : nil))
            return
        }
        var item = Item(id: id, version: operation.version, body: [], run: run, partition: partition, offset: offset)
        if operation.kind == .delete {
            item.isTombstone = true
        } else if let body = world.tools.transformed(operation.document) {
            item.body = body
        } else {
            return bury(run, partition, offset, id: id)
        }
        add(item)
    }

    /// A document of the copy.
    func take(_ document: Document, id: Int, _ run: Run) {
        let source = world.tools.source(document)
        let body = source.withUnsafeBufferPointer { world.tools.transformed($0) }
        guard let body else { return bury(run, -1, -1, id: id, document) }
        add(Item(id: id, version: DocumentVersion.floor(epoch: 0), body: body, run: run, source: document))
    }

    private func add(_ item: Item) {
        let batch: Batch
        if let open {
            batch = open
        } else {
            serial += 1
            batch = Batch(serial: serial)
            open = batch
        }
        if item.lane == nil {
            lastBatch[item.id] = batch.serial
            if underWay.last?.serial != batch.serial { underWay.append((batch.serial, false)) }
        }
        batch.items.append(item)
    }

    /// A dead letter; the record counts when Kafka has it.
    private func bury(_ run: Run, _ partition: Int, _ offset: Int, id: Int, _ source: Document? = nil) {
        let letter = World.Letter(partition: partition, offset: offset, id: id, document: source)
        world.wires.append(Wire(engine: number, born: world.now, load: .letter(run, letter)))
        if !world.on(.deadLetterFirst) { settle(run, .deadLettered) }
    }

    // MARK: Sending

    /// Hands the open batch over.
    func flush() {
        guard let batch = open else { return }
        open = nil
        batches.append(batch)
        send(batch)
    }

    func send(_ batch: Batch) {
        world.wires.append(
            Wire(
                engine: number, born: world.now,
                load: .bulk(batch, batch.items, round: kind == .copy ? round : 0),
                index: world.indexNumber))
    }

    /// Whether it holds something that was read longer ago than may be sent, or has stood still so long that what it knows of
    /// the state is old: it begins again from what is committed. A copy's late pages are refused by its alias.
    func isStale(since before: Int, _ now: Int) -> Bool {
        let holds = !keyLanes.isEmpty || open != nil || !batches.isEmpty
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
        case .bulk(let batch, nil): send(batch)
        case .bulk(let batch, let statuses?): concluded(batch, statuses)
        case .letter(let run): if world.on(.deadLetterFirst) { settle(run, .deadLettered) }
        case .target(let bases):
            for (fetch, slot) in bases {
                keyLanes.base(
                    fetch.key, found: slot.version > 0, tombstone: slot.isTombstone, version: slot.version,
                    document: slot.body)
            }
        case .source(let bases):
            for (fetch, document) in bases { keyLanes.sourceBase(fetch.key, document: document) }
        }
    }

    private func concluded(_ batch: Batch, _ statuses: [NewCluster.Status?]) {
        var again: [Item] = []
        for (item, status) in zip(batch.items, statuses) {
            guard let status else {
                again.append(item)
                continue
            }
            if let lane = item.lane {
                let result: LaneWriteResult =
                    switch status {
                    case .applied: .applied
                    case .conflict: .stale
                    case .refused, .closed: .dead(reason: "refused", detail: "")
                    }
                settle(keyLanes.written(lane.key, result))
                continue
            }
            switch status {
            case .applied: settle(item.run, item.isTombstone ? .deleted : .indexed)
            case .conflict: settle(item.run, .stale)
            case .refused: bury(item.run, item.partition, item.offset, id: item.id, item.source)
            // A copy whose alias is closed stops: somebody else has finished it.
            case .closed: return world.stop(self)
            }
        }
        batch.items = again
        guard again.isEmpty else { return send(batch) }
        batches.removeAll { $0 === batch }
        // It counts as settled when all opened before it are.
        if let at = underWay.firstIndex(where: { $0.serial == batch.serial }) { underWay[at].isDone = true }
        while let first = underWay.first, first.isDone {
            for id in lastBatch.indices where lastBatch[id] == first.serial { lastBatch[id] = 0 }
            keyLanes.batchSettled(first.serial)
            underWay.removeFirst()
        }
    }

    private func settle(_ result: LaneResult) {
        for outcome in result.outcomes {
            guard let record = waiting.removeValue(forKey: outcome.token) else { continue }
            settle(record.run, outcome.outcome)
        }
        for reject in result.rejects {
            guard let record = waiting.removeValue(forKey: reject.token) else { continue }
            bury(record.run, record.partition, record.offset, id: record.id)
        }
    }

    // MARK: Merge lanes

    /// Reads bases and folds, as `MergeDesk.advance` does.
    func advance() {
        guard !keyLanes.isEmpty else { return }
        let fetches = keyLanes.takeFetches(max: 8)
        if !fetches.isEmpty {
            let bases = fetches.map { ($0, world.new.slots[Int($0.id[0] &- UInt8(ascii: "a"))]) }
            world.wires.append(Wire(engine: number, born: world.now, load: .read(.target(bases))))
        }
        let sources = keyLanes.takeSourceFetches(max: 8)
        if !sources.isEmpty {
            let bases = sources.map { fetch in
                (fetch, world.readOld(Int(fetch.id[0] &- UInt8(ascii: "a"))).map { world.tools.source($0) })
            }
            world.wires.append(Wire(engine: number, born: world.now, load: .read(.source(bases))))
        }
        for write in keyLanes.takeWrites(max: 8, using: world.tools.lane) {
            settle(write.settled)
            guard write.body != .nothing else { continue }
            var item = Item(id: Int(write.id[0] &- UInt8(ascii: "a")), version: write.version, body: [], lane: write)
            if case .document(let body) = write.body { item.body = body } else { item.isTombstone = true }
            add(item)
        }
    }

    /// Partitions were given back: what waits in lanes is another's to do.
    func forget() {
        for token in keyLanes.removeAll() { waiting[token] = nil }
    }
}

/// Something in the network.
struct Wire {
    enum Load {
        /// As it was sent; the copy's through the alias of its round.
        case bulk(Batch, [Item], round: Int)
        case letter(Run, World.Letter)
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

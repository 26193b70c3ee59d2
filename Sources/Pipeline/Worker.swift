import Basics
import CommandLog
import Commands
import Failures
import Indexing
import JSONText
import LogGuard
import Runtime
import SearchCluster
import Transform

/// One transform thread. It decodes records, transforms them straight into the open batches, and hands full batches to
/// the sink. What it does with records and batches is decided by ``PartialUpdateCoordinator`` and ``BatchAssembler``.
///
/// `@unchecked Sendable` because everything in it belongs to its own thread, and others reach it only through
/// `mailbox`.
final class Worker: @unchecked Sendable {
    let number: Int
    let mailbox: Mailbox<WorkItem>
    let plan: PipelinePlan
    let ledger: Ledger
    let sink: BulkSink
    let deadLetters: DeadLetterWriter
    let failure: FailureLatch<WorkError>
    let decoder: CommandDecoder
    /// One per entry.
    let transformers: UncountedSlots<Transformer>
    let copyForm: CopyForm
    /// The open batch of each entry, as the assembler has it.
    let open: UncountedSlots<BulkBatch>
    // The variables are not checked for exclusive access while running: they belong to the worker's thread, and a check
    // would be made for each record (docs/performance.md).
    @exclusivity(unchecked) var assembler: BatchAssembler
    let pool: BatchPool
    let ids: CrossPartitionIDDetector?
    /// Whether there is a detector. Asked per record, so it must not count references.
    let watchesIDs: Bool
    /// Whether every id is looked up, or only a sample.
    @exclusivity(unchecked) var watchesAll = true
    @exclusivity(unchecked) var coordinator: PartialUpdateCoordinator
    let laneTransform: LaneTransformers
    let reader: BaseReader
    /// The records whose operations wait in key lanes, by the coordinator's tokens.
    @exclusivity(unchecked) var waiting: [UInt64: WaitingRecord] = [:]
    /// Bytes of the coordinator that the ledger knows of.
    @exclusivity(unchecked) var accounted = 0
    let needsHeaders: Bool
    let needsTime: Bool
    /// Whether a record can ask for tombstones beside its own operation.
    let writesCompanions: Bool
    /// Whether a copied document with a routing stops the work: the recipe names none for commands.
    let refusesRouting: Bool

    init(
        number: Int, mailbox: Mailbox<WorkItem>, plan: PipelinePlan, ledger: Ledger, sink: BulkSink,
        deadLetters: DeadLetterWriter, pool: BatchPool, reader: BaseReader, failure: FailureLatch<WorkError>,
        ids: CrossPartitionIDDetector?
    ) {
        self.ids = ids
        watchesIDs = ids != nil
        (self.number, self.mailbox, self.plan, self.ledger, self.sink) = (number, mailbox, plan, ledger, sink)
        (self.deadLetters, self.pool, self.reader, self.failure) = (deadLetters, pool, reader, failure)
        let first = plan.entries.map { Transformer($0.transform) }
        transformers = UncountedSlots(first)
        // The lanes have transformers of their own: what is scanned ahead must meet only its own document.
        decoder = CommandDecoder(plan.format, scanner: first.first)
        copyForm = CopyForm(plan)
        open = UncountedSlots(count: plan.entries.count)
        assembler = BatchAssembler(entries: plan.entries.count, limits: sink.batchLimits)
        coordinator = PartialUpdateCoordinator(
            missing: plan.entries.map(\.missing), isNeeded: plan.mergesPossible, readBytes: plan.memory.reading,
            copyUnfinished: plan.copyUnfinished, documentsMove: plan.format.tombstonesMoves)
        laneTransform = LaneTransformers(plan.entries, placeholder: plan.format.rules.placeholder)
        needsHeaders = plan.format.needsHeaders
        needsTime = plan.format.version == .timestamp
        writesCompanions = decoder.writesCompanions
        refusesRouting = plan.format.routing == nil && !plan.acceptsRouting
    }

    /// The thread's body. It returns when the mailbox is closed and empty, or when the work has failed.
    func run() {
        while !failure.isSet {
            let waits = assembler.hasOpen || coordinator.isBusy
            guard let item = mailbox.take(waiting: waits ? (sink.isIdle ? 2 : 20) : nil) else {
                advance()
                flush()
                if mailbox.isClosed { return }
                continue
            }
            handle(item)
            advance()
            handOverDue()
        }
    }

    private func handle(_ item: WorkItem) {
        switch item {
        case .records(let chunk): take(chunk)
        case .page(let chunk): take(chunk)
        case .flush:
            advance()
            flush()
        case .finished(let batch): coordinator.finished(batch: batch)
        case .written(let key, let result): coordinator.written(key, result)
        case .bases(let answers): coordinator.basesRead(answers.map(withVersion))
        case .abandon(let generation): abandon(generation)
        case .copyIs(let unfinished): coordinator.copyUnfinished = unfinished
        }
    }

    /// Drops everything that is not handed over yet. The sink drops what is.
    private func abandon(_ generation: Generation) {
        for token in coordinator.abandon() { waiting[token] = nil }
        for id in assembler.abandon(generation: generation) {
            coordinator.finished(batch: id.serial)
            if let batch = open.take(id.entry) { pool.put(batch) }
        }
    }
}

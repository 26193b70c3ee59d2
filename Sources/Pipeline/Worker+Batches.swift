import Commands
import Indexing
import JSONText
import Runtime
import SearchCluster
import Transform

/// Filling batches and handing them over.
extension Worker {
    /// Opens the entry's batch when none is open.
    @inline(__always) func openBatch(_ entry: Int) {
        if open.isEmpty(entry) { begin(entry) }
    }

    private func begin(_ entry: Int) {
        let batch = pool.take(worker: number)
        batch.id = assembler.open(entry, now: MonotonicClock.milliseconds())
        open.put(batch, in: entry)
    }

    /// Adds an item to its entry's open batch. True: the batch is full and is to be handed over.
    @inline(__always) func add(_ item: BatchItem, to batch: BulkBatch) -> Bool {
        batch.items.append(item)
        return assembler.isFull(documents: batch.items.count, bytes: batch.body.count)
    }

    /// Appends action and source line of an operation. On a reject the caller takes back what was appended.
    func append(_ operation: Operation, to body: ByteBuffer) -> Reject? {
        // A large document gets its room at once. A buffer that doubles step by step would hold it twice for a moment.
        if operation.document.count > 1 << 20 { body.reserve(operation.document.count + (1 << 16)) }
        let isTombstone = operation.kind == .delete
        BulkBody.appendIndex(
            to: body, id: operation.id, routing: operation.routing, version: operation.version,
            isTombstone: isTombstone)
        var reject: Reject?
        if isTombstone {
            Tombstone.append(to: body, time: WallClock.now())
        } else {
            reject =
                transformers.with(operation.entry) { transformer in
                    do throws(TransformError) {
                        try transformer.apply(operation.document, into: body)
                        return nil
                    } catch {
                        return Reject(reason: error.reason, detail: error.detail)
                    }
                } ?? nil
        }
        body.append(UInt8(ascii: "\n"))
        return reject
    }

    // MARK: Handing over

    /// Hands over the entry's batch.
    func handOver(_ entry: Int) {
        if let id = assembler.take(entry) { submit(id) }
    }

    /// Hands over everything that is open.
    func flush() {
        while let id = assembler.takeAny() { submit(id) }
    }

    /// Hands over what has been open for long enough.
    func handOverDue() {
        guard assembler.hasOpen else { return }
        let now = MonotonicClock.milliseconds()
        while let id = assembler.takeDue(now: now) { submit(id) }
    }

    private func submit(_ id: BatchID) {
        guard let batch = open.take(id.entry) else { return }
        guard !batch.isEmpty else { return pool.put(batch) }
        batch.held += batch.body.count
        ledger.hold(batch.held)
        if sink.submit(batch) { assembler.limits = sink.batchLimits }
    }
}

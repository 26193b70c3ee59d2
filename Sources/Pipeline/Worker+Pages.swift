import Commands
import Failures
import Indexing
import JSONText
import SearchCluster

/// From a page of the copy to a batch.
extension Worker {
    func take(_ chunk: PageChunk) {
        for (index, hit) in chunk.page.hits.enumerated() {
            openBatch(chunk.entry)
            let isFull = open.with(chunk.entry) { batch in write(hit, at: index, of: chunk, to: batch) }
            if isFull == true { handOver(chunk.entry) }
        }
        ledger.dequeue(chunk.page.sourceBytes)
    }

    private func write(_ hit: Hit, at index: Int, of chunk: PageChunk, to batch: BulkBatch) -> Bool {
        let source = chunk.page.bytes(hit.source)
        let start = batch.body.count
        // One whose text is broken is rejected below.
        if (try? copyForm.takes(hit, of: chunk.page, entry: chunk.entry)) == false {
            ledger.settle(chunk.run, .skipped, 1)
            return false
        }
        let named = copyForm.name(hit, of: chunk.page, entry: chunk.entry)
        if refusesRouting, let routing = named.routing, refuse(routing, hit, named.id, chunk) { return false }
        var version: Int64 = 0
        do throws(Reject) {
            version = try copyForm.version(of: source, stored: hit.version)
            let operation = Operation(
                kind: .index, entry: chunk.entry, id: named.id, routing: try copyForm.routing(named, source),
                version: version, document: source)
            if let reject = append(operation, to: batch.body) { throw reject }
        } catch {
            batch.body.count = start
            deadLetters.send(
                chunk.page, hit, run: chunk.run, reason: error.reason, detail: error.detail, version: version)
            return false
        }
        batch.held += source.count
        let item = BatchItem(
            start: start, end: batch.body.count, page: batch.index(of: chunk.page), hit: Int32(index),
            run: batch.index(of: chunk.run), kind: .index, offset: -1, version: version)
        return add(item, to: batch)
    }

    /// Stops the work at a document whose routing its commands do not have: they would write beside it. A routing that
    /// is the id leads to the same shard as none.
    private func refuse(_ routing: Bytes, _ hit: Hit, _ id: Bytes, _ chunk: PageChunk) -> Bool {
        guard !routing.elementsEqual(id) else { return false }
        let index = hit.index.map { chunk.page.bytes($0).dropFirst().dropLast() }
        failure.set(
            Refusal.routingUnnamed(
                index: index.map { String(repairing: Bytes(rebasing: $0)) } ?? plan.entries[chunk.entry].index,
                id: String(repairing: id), routing: String(repairing: routing), shape: plan.format.shapeName
            ).error())
        return true
    }
}

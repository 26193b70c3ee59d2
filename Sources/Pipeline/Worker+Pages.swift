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
        let named = name(hit, chunk)
        if refusesRouting, let routing = named.routing, refuse(routing, hit, named.id, chunk) { return false }
        var version: Int64 = 0
        do throws(Reject) {
            version = try versions.version(of: source, stored: hit.version)
            var routing = named.routing
            if routing == nil, routes.isNeeded { routing = try routes.routing(of: source) }
            let operation = Operation(
                kind: .index, entry: chunk.entry, id: named.id, routing: routing, version: version, document: source)
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

    /// Id and routing of a hit, unescaped; bytes of the page or of the scratch space.
    private func name(_ hit: Hit, _ chunk: PageChunk) -> (id: Bytes, routing: Bytes?) {
        scratch.removeAll()
        // Write both before looking at either: the scratch space may move.
        if let template = plan.entries[chunk.entry].id {
            fill(template, hit, chunk.page)
        } else {
            unescape(chunk.page.bytes(hit.id))
        }
        let end = scratch.count
        guard let routing = hit.routing ?? hit.parent else { return (scratch.slice(0..<end), nil) }
        unescape(chunk.page.bytes(routing))
        return (scratch.slice(0..<end), scratch.slice(end..<scratch.count))
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

    private func unescape(_ quoted: Bytes) {
        let before = scratch.count
        do {
            try JSONString.unescape(quoted, into: scratch)
        } catch {
            // The server's own text is passed on as it is, and the target judges it.
            scratch.count = before
            scratch.append(Bytes(rebasing: quoted.dropFirst().dropLast()))
        }
    }

    private func fill(_ template: String, _ hit: Hit, _ page: Page) {
        var rest = Substring(template)
        while let brace = rest.firstIndex(of: "{") {
            scratch.append(String(rest[..<brace]))
            rest = rest[brace...]
            if rest.hasPrefix("{type}") {
                if let type = hit.type { unescape(page.bytes(type)) }
                rest = rest.dropFirst(6)
            } else if rest.hasPrefix("{id}") {
                unescape(page.bytes(hit.id))
                rest = rest.dropFirst(4)
            } else {
                scratch.append("{")
                rest = rest.dropFirst()
            }
        }
        scratch.append(String(rest))
    }
}

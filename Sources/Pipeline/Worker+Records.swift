import CommandLog
import Commands
import Indexing
import LogGuard

/// From a record of the log to a batch, to a key lane, or to the dead letters.
extension Worker {
    /// Bytes that librdkafka needs per record beside key, value and headers.
    private static let messageCost = 300

    func take(_ chunk: RecordChunk) {
        var skipped = 0
        let messages = chunk.messages
        watchesAll = messages.count < CrossPartitionIDDetector.backlog
        for place in 0..<messages.count {
            messages.prefetch(place &+ 6)
            messages.prefetchBytes(place &+ 2)
            guard let message = messages[place] else { continue }
            let decoded = decode(message)
            // They come first: the record may be gone as soon as its own operation is handed over.
            if writesCompanions, case .operation(let operation) = decoded {
                takeCompanions(operation, message, chunk.run)
            }
            switch coordinator.route(decoded, onlyDeletes: plan.onlyDeletes) {
            case .skip: skipped += 1
            case .reject(let reject):
                if reject.reason == Reject.truncate, !plan.redriven { return stopAtTruncate(message) }
                deadLetters.send(message, run: chunk.run, reason: reject.reason, detail: reject.detail)
            case .keyLane(let operation):
                if !clashes(operation, message) { wait(operation, message, chunk.run) }
            case .batch(let operation):
                if !clashes(operation, message) { write(operation, message, at: place, of: chunk) }
            }
            // The batch has it, or nobody needs it any more.
            messages.giveBack(place)
        }
        ledger.settle(chunk.run, .skipped, skipped)
        ledger.dequeue(chunk.bytes)
    }

    @inline(__always) private func decode(_ message: LogMessage) -> Decoded {
        // Headers and time cost a call each, and most formats need neither.
        let time = needsTime ? message.time(redriven: plan.redriven) : -1
        guard needsHeaders else {
            return decoder.decode(
                Record(
                    key: message.key, value: message.value, timestamp: time, partition: message.partition,
                    offset: message.offset))
        }
        return decoder.decode(
            Record(
                key: message.key, value: message.value, timestamp: time, partition: message.partition,
                offset: message.offset, headers: message.headers))
    }

    /// Whether the id was seen in another partition, which makes offsets useless as versions. The work fails then, and
    /// the record stays unsettled, so that nothing from here on is ever committed.
    @inline(__always) private func clashes(_ operation: Operation, _ message: LogMessage) -> Bool {
        guard watchesIDs else { return false }
        return look(operation, message)
    }

    private func look(_ operation: Operation, _ message: LogMessage) -> Bool {
        let hash = KeyHash.hash(operation.id, seed: operation.entry)
        guard watchesAll || CrossPartitionIDDetector.isSampled(hash),
            let clash = ids?.see(hash, partition: message.partition, offset: message.offset),
            plan.splitIDs.isEmpty || !plan.splitIDs.contains(Array(operation.id))
        else { return false }
        failure.set(
            clash.refusal(
                id: String(repairing: operation.id), topic: plan.topic,
                orderedByOthers: !plan.format.hasMerges
            ).error())
        return true
    }

    private func write(_ operation: Operation, _ message: LogMessage, at place: Int, of chunk: RecordChunk) {
        openBatch(operation.entry)
        // Handed over out here: inside, the batch must stay in its slot.
        let isFull = open.with(operation.entry) { batch in
            write(operation, message, at: place, of: chunk, to: batch)
        }
        if isFull == true { handOver(operation.entry) }
    }

    private func write(
        _ operation: Operation, _ message: LogMessage, at place: Int, of chunk: RecordChunk, to batch: BulkBatch
    ) -> Bool {
        let start = batch.body.count
        if let reject = append(operation, to: batch.body) {
            batch.body.count = start
            deadLetters.send(message, run: chunk.run, reason: reject.reason, detail: reject.detail)
            return false
        }
        if coordinator.isNeeded { coordinator.sent(operation, in: batch.id.serial) }
        batch.held += message.size + chunk.headerBytes + Self.messageCost
        let offset = message.offset
        let item = BatchItem(
            start: start, end: batch.body.count, message: Int32(chunk.messages.move(place, to: batch.messages)),
            run: batch.index(of: chunk.run), kind: operation.kind, offset: offset, version: operation.version)
        return add(item, to: batch)
    }
}

import CommandLog
import Commands
import Failures
import Indexing
import JSONText
import Runtime
import SearchCluster

/// Tombstones that a record writes beside its own operation, because its document may have been elsewhere before. The
/// record's run is settled when these have their final answer, too.
extension Worker {
    func takeCompanions(_ operation: Operation, _ message: LogMessage, _ run: RunID) {
        let companions = decoder.companions
        guard !companions.isEmpty else { return }
        ledger.expect(companions.count, in: run)
        for companion in companions {
            let tombstone = companion.tombstone(of: operation)
            if coordinator.isNeeded, coordinator.mustWait(tombstone) {
                let token = coordinator.append(tombstone, recordBytes: WaitingRecord.cost)
                waiting[token] = WaitingRecord(
                    run: run, offset: message.offset, timestamp: -1, version: tombstone.version, key: nil, value: nil,
                    headers: [],
                    companion: WaitingRecord.Companion(
                        entry: tombstone.entry, id: Array(tombstone.id), routing: tombstone.routing.map(Array.init)))
            } else {
                write(tombstone, offset: message.offset, run: run)
            }
        }
    }

    /// Writes a tombstone past the lanes: its version says what it outranks.
    private func write(_ tombstone: Operation, offset: Int64, run: RunID) {
        openBatch(tombstone.entry)
        let isFull = open.with(tombstone.entry) { batch in
            let start = batch.body.count
            _ = append(tombstone, to: batch.body)
            if coordinator.isNeeded { coordinator.sent(tombstone, in: batch.id.serial) }
            return add(
                BatchItem(
                    start: start, end: batch.body.count, run: batch.index(of: run), kind: .delete, offset: offset,
                    version: tombstone.version), to: batch)
        }
        if isFull == true { handOver(tombstone.entry) }
    }

    /// A tombstone whose lane could not read the document is written without reading it.
    func writeUnread(_ companion: WaitingRecord.Companion, _ record: WaitingRecord) {
        companion.id.withUnsafeBufferPointer { id in
            (companion.routing ?? []).withUnsafeBufferPointer { routing in
                write(
                    Operation(
                        kind: .delete, entry: companion.entry, id: id,
                        routing: companion.routing == nil ? nil : routing, version: record.version,
                        document: Bytes(start: nil, count: 0)), offset: record.offset, run: record.run)
            }
        }
    }

    /// A table was emptied, and no record says of which documents. A dead letter would leave them all.
    func stopAtTruncate(_ message: LogMessage) {
        failure.set(
            Refusal.truncated(topic: plan.topic, at: Refusal.Place(message.partition, message.offset)).error())
    }
}

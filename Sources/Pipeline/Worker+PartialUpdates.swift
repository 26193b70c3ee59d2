import CommandLog
import Commands
import Indexing
import JSONText
import Runtime
import SearchCluster

/// A record whose operation waits in a key lane, with all that a dead letter of it needs.
struct WaitingRecord {
    var run: RunID
    var offset: Int64
    var timestamp: Int64
    var version: Int64
    var key: [UInt8]?
    var value: [UInt8]?
    var headers: [(String, [UInt8]?)]
    /// Of a tombstone beside the record's own operation.
    var companion: Companion?

    struct Companion {
        var entry: Int
        var id: [UInt8]
        var routing: [UInt8]?
    }

    /// Bytes that a waiting record needs beside its key, value and headers.
    static let cost = 300
}

/// Performing what the coordinator of partial updates decides.
extension Worker {
    /// Puts the operation into its key's lane. The record is copied: the message would keep the whole fetch response
    /// that it came in.
    func wait(_ operation: Operation, _ message: LogMessage, _ run: RunID) {
        let bytes = message.size + message.headerBytes + WaitingRecord.cost
        let token = coordinator.append(operation, recordBytes: bytes)
        waiting[token] = WaitingRecord(
            run: run, offset: message.offset, timestamp: message.time(redriven: plan.redriven),
            version: operation.version, key: message.key.map(Array.init), value: message.value.map(Array.init),
            headers: message.copiedHeaders())
    }

    /// Does whatever can be done now.
    func advance() {
        guard coordinator.isNeeded else { return }
        while let action = coordinator.next(isFull: ledger.heldBytes.isAtLimit, using: laneTransform) {
            switch action {
            case .settle(let outcomes): for outcome in outcomes { settle(outcome) }
            case .reject(let rejects): for reject in rejects { bury(reject) }
            case .readTarget(let fetches): read(fetches, source: false)
            case .readSource(let fetches): read(fetches, source: true)
            case .write(let write): send(write)
            }
        }
        let held = coordinator.heldBytes
        if held != accounted { ledger.hold(held - accounted) }
        accounted = held
    }

    private func settle(_ outcome: LaneOutcome) {
        guard let record = waiting.removeValue(forKey: outcome.token) else { return }
        if record.companion != nil { return ledger.conclude(1, in: record.run) }
        if outcome.outcome == .stale, let newer = outcome.newer {
            sink.staleLook?.suspect(record.run, offset: record.offset, newer: newer)
        }
        ledger.settle(record.run, outcome.outcome, 1)
    }

    private func bury(_ reject: LaneReject) {
        guard let record = waiting.removeValue(forKey: reject.token) else { return }
        if let companion = record.companion { return writeUnread(companion, record) }
        deadLetters.send(
            key: record.key, value: record.value, headers: record.headers,
            place: .record(partition: record.run.partition, offset: record.offset, timestamp: record.timestamp),
            run: record.run, why: (reject.reason, reject.detail, record.version))
    }

    private func read(_ fetches: [LaneFetch], source: Bool) {
        reader.read(fetches, source: source) { [mailbox] answers in mailbox.put(.bases(answers)) }
    }

    /// The reader does not know which version the copied page of a document of the source carries. A document whose
    /// version cannot be read is not copied, so that it counts as missing.
    func withVersion(_ answer: BaseAnswer) -> BaseAnswer {
        guard case .source(let key, let document?, let stored) = answer else { return answer }
        let version = document.withUnsafeBufferPointer { try? copyForm.version(of: $0, stored: stored) }
        return .source(key, document: version == nil ? nil : document, version: version ?? 0)
    }

    private func send(_ write: LaneWrite) {
        openBatch(write.entry)
        if open.with(write.entry, { batch in append(write, to: batch) }) == true { handOver(write.entry) }
    }

    private func append(_ write: LaneWrite, to batch: BulkBatch) -> Bool {
        let start = batch.body.count
        let isTombstone = write.body == .tombstone
        write.id.withUnsafeBufferPointer { id in
            (write.routing ?? []).withUnsafeBufferPointer { routing in
                BulkBody.appendIndex(
                    to: batch.body, id: id, routing: write.routing == nil ? nil : routing, version: write.version,
                    isTombstone: isTombstone)
            }
        }
        if case .document(let document) = write.body {
            document.withUnsafeBufferPointer { batch.body.append($0) }
            batch.laneBytes += document.count
        } else {
            Tombstone.append(to: batch.body, time: WallClock.now())
        }
        batch.body.append(UInt8(ascii: "\n"))
        batch.laneKeys.append(write.key)
        return add(
            BatchItem(
                start: start, end: batch.body.count, run: -1, lane: Int32(batch.laneKeys.count - 1),
                kind: isTombstone ? .delete : .index, offset: -1, version: write.version),
            to: batch)
    }
}

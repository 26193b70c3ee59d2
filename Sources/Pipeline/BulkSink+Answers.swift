import Commands
import Failures
import Indexing
import JSONText
import SearchCluster
import Telemetry

/// What the answers to bulk requests mean for the records in them.
extension BulkSink {
    /// Settles the items of an answer and keeps those that are to be sent again.
    func answered(
        _ batch: BulkBatch, _ ticket: ConcurrencyLimit.Ticket, _ response: HTTPResponse,
        using random: inout some RandomNumberGenerator
    ) -> BulkStep {
        var verdicts = ItemVerdicts()
        let body = response.body
        let window = batch.delivery.window
        var created: [Int32: Int] = [:]
        do throws(ClusterError) {
            // Calls for items only when the whole answer is good: no item is concluded twice.
            // Deletes are written as tombstones: every item is an index operation.
            try BulkResponse.scan(
                body.bytes, expected: window, sent: { _ in .index }, redactor: transport.redactor
            ) { position, answer in
                if position &+ 6 < window { batch.messages.prefetchEnd(Int(batch.items[position &+ 6].message)) }
                let item = batch.items[position]
                if answer.status == 201, item.page >= 0 {
                    created[batch.runs[Int(item.run)].partition, default: 0] += 1
                }
                if ItemClass.isApplied(status: answer.status) { return applied(batch, item) }
                // Of a conflict, of which a replay may have millions, nothing is shown unless it is buried.
                let reason = answer.errorReason.map {
                    answer.status == 409 ? String(repairing: body.slice($0)) : transport.quote(body.slice($0))
                }
                let verdict = verdicts.judge(
                    position, status: answer.status,
                    errorType: answer.errorType.map { String(repairing: body.slice($0)) }, reason: reason)
                conclude(batch, item, verdict, reason ?? "status \(answer.status)")
            }
        } catch {
            return batch.delivery.failed(BulkFailure(.malformed, because: error.message), using: &random)
        }
        events.bulkSettled(
            index: batch.id.entry, concluded: window - verdicts.again.count, refused: verdicts.buried,
            again: verdicts.again.count)
        // Before the slice can count as settled.
        add(created: created)
        batch.report(to: ledger)
        report(batch, ticket, verdicts, response)
        let step = batch.delivery.answered(verdicts, using: &random)
        switch step {
        case .finish: break
        case .stop(let refusal): stop(batch, refusal, response)
        default:
            batch.keep(verdicts.again.map { batch.items[$0] } + batch.items[window...])
            if !verdicts.again.isEmpty { events.bulkRepeated(verdicts.isThrottled ? .throttled : .unavailable) }
        }
        return step
    }

    /// The request was refused as a whole.
    func rejected(
        _ batch: BulkBatch, _ response: HTTPResponse, using random: inout some RandomNumberGenerator
    ) -> BulkStep {
        let index = destinations[batch.id.entry].index
        let error = ClusterError(answer: response, from: transport, doing: "writing to \(index)", index: index)
        if response.status == 413 { reportTooLarge(bytes: batch.windowBytes) }
        let step = batch.delivery.rejected(
            BulkRejection(
                status: response.status, errorType: error?.serverType, reason: error?.underlying,
                isPassing: error?.code == .unavailable, description: error?.description ?? ""),
            using: &random)
        switch step {
        case .stop(let refusal): stop(batch, refusal, response)
        case .buryFirst(let reason):
            events.bulkSettled(index: batch.id.entry, concluded: 1, refused: 1, again: 0)
            bury(batch, batch.items[0], reason: reason, detail: transport.quote(response.body.bytes, limit: 500))
            batch.report(to: ledger)
            batch.keep(Array(batch.items.dropFirst()))
            return batch.delivery.firstBuried()
        default: break
        }
        return step
    }

    // MARK: Items

    @inline(__always) private func applied(_ batch: BulkBatch, _ item: BatchItem) {
        if item.lane >= 0 { return laneResult(batch, item, .applied) }
        batch.tally(item, item.kind == .delete ? .deleted : .indexed)
    }

    private func conclude(_ batch: BulkBatch, _ item: BatchItem, _ verdict: ItemVerdicts.Verdict, _ detail: String) {
        switch verdict {
        case .settle(.stale):
            let newer = staleLook == nil ? nil : DocumentVersion.current(inReason: detail)
            if item.lane >= 0 { return laneResult(batch, item, .stale(newer: newer)) }
            if let newer, item.message >= 0 {
                staleLook?.suspect(batch.runs[Int(item.run)], offset: item.offset, newer: newer)
            }
            batch.tally(item, .stale)
        case .settle: applied(batch, item)
        case .bury(let reason): bury(batch, item, reason: reason, detail: transport.quote(detail))
        case .keep: break
        }
    }

    private func bury(_ batch: BulkBatch, _ item: BatchItem, reason: String, detail: String) {
        if item.lane >= 0 {
            laneResult(batch, item, .dead(reason: reason, detail: detail))
        } else if item.isCompanion {
            // Its record has its own outcome already, and without the tombstone the document stays where it was.
            failure.set(
                Refusal.tombstoneRefused(
                    index: destinations[batch.id.entry].index,
                    at: Refusal.Place(batch.runs[Int(item.run)].partition, item.offset), reason: reason
                ).error(underlying: detail))
        } else {
            deadLetters.send(batch, item, reason: reason, detail: detail)
        }
    }

    /// The batch's items stay without outcome, so that nothing after them is committed.
    private func stop(_ batch: BulkBatch, _ refusal: BulkRefusal, _ response: HTTPResponse) {
        let destination = destinations[batch.id.entry]
        switch refusal {
        case .blocked(let block, let detail): failure.set(WriteRefusal.error(block, destination, detail: detail))
        case .status(let status):
            failure.set(
                WorkError(
                    .cluster,
                    "bulk request to index \(destination.index) was refused with status \(status); nothing was "
                        + "acknowledged, so nothing is lost: mend the access and start again",
                    underlying: transport.quote(response.body.bytes, limit: 300)))
        }
    }
}

extension WorkEvents.Retry {
    init(_ kind: BulkFailure.Kind) {
        switch kind {
        case .throttled: self = .throttled
        case .connection: self = .connection
        case .malformed: self = .malformed
        case .unavailable: self = .unavailable
        }
    }
}

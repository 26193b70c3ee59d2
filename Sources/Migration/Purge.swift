import Commands
import DeadLetters
import Failures
import Foundation
import Indexing
import JSONText
import Pipeline
import Runtime
import SearchCluster
import State
import Telemetry

/// The result of a purge.
package struct PurgeReport: Sendable {
    /// Tombstones that were found.
    package var found = 0
    package var purged = 0
    /// Tombstones that stay, by reason. `younger`: than the age. `dead_letter`: an unresolved dead letter of the id may
    /// still be redriven. `redriven`: one was redriven a short time ago. `newer`: the document was written again
    /// meanwhile.
    /// `gone`: another process purged the tombstone meanwhile.
    package var kept: [String: Int] = [:]
    /// Until when the last tombstone of reason `redriven` stays, milliseconds since 1970.
    package var redrivenUntil: Int64?
    /// Whether the purge ran to its end.
    package var complete = true

    package static let reasons = ["younger", "dead_letter", "redriven", "newer", "gone"]
}

/// Deletes old tombstones (P5 in docs/architecture.md). It may be repeated, and may run in several processes at once.
/// Each delete is `external_gte` at the tombstone's own version, so it never deletes anything newer.
package struct Purge {
    package let target: Cluster
    package let indices: [String]
    package let store: StateStore
    /// For messages.
    package let recipeFile: String
    /// Whether the migration has a copy. A purge waits until it is finished.
    package let hasSource: Bool
    /// Finds the ids whose tombstones must stay, because a dead letter of the id may still be redriven. Its command is
    /// older than the delete and would bring the document back.
    package let letters: () throws -> (_ id: [UInt8]) -> TombstoneHold?
    package let logger: Logger

    /// Milliseconds after which no request of a purge is under way any more: the time limit of a bulk request, and some
    /// more.
    static let longestRequest: Int64 = 130_000

    /// Tombstones per page.
    private static let pageSize = 1000

    /// `before`: purges only tombstones written before that time, in milliseconds since 1970; nil: all. `stop` is asked
    /// between pages.
    package func run(before: Int64?, stop: () -> Bool) throws -> PurgeReport {
        var report = PurgeReport()
        let conditions = conditions(try store.update { try check($0) })
        let hold = try letters()
        for index in indices where report.complete {
            try target.writer.refresh(index)
            let total = Int(try target.reader.count(index, query: Capabilities.tombstones()))
            // A member may not know yet that the copy, or a replay, has ended, and both may have left requests under
            // way.
            if let before, !conditions.isQuiet(before: before) {
                report.found += total
                report.kept["younger", default: 0] += total
                continue
            }
            guard total > 0, let info = try target.reader.resolve(index).first else { continue }
            var old = 0
            for slice in target.reader.slices(info, wanted: 1) where report.complete {
                let scroll = target.reader.openScroll(
                    slice, pageSize: Self.pageSize, query: Capabilities.tombstones(before: before))
                defer { scroll.close() }
                while let page = try scroll.nextPage() {
                    guard !stop() else {
                        report.complete = false
                        break
                    }
                    let claim = try claim()
                    old += page.hits.count
                    let before = report.purged
                    try purge(page, of: index, hold, &report)
                    let purged = report.purged - before
                    try store.update {
                        $0.purge?.purged += purged
                        if let claim { $0.purge?.record.answered(claim) }
                    }
                }
            }
            let younger = report.complete ? max(0, total - old) : 0
            report.found += old + younger
            if younger > 0 { report.kept["younger", default: 0] += younger }
        }
        return report
    }

    /// Writes into the state that tombstones are gone from now on, before the first of them is: a copy or a replay that
    /// begins after that brings them back first. Throws where nothing may be purged.
    private func claim() throws -> PurgeRecord.Claim? {
        var claim: PurgeRecord.Claim?
        try store.update { state in
            try check(state)
            let now = WallClock.now()
            var purge = state.purge ?? MigrationState.Purge(first: now, last: now, purged: 0, isAway: false)
            purge.last = now
            claim = purge.record.begin(now: now, longest: Self.longestRequest)
            state.purge = purge
        }
        return claim
    }

    private func conditions(_ state: MigrationState) -> PurgeConditions {
        func work(_ isThere: Bool, _ finished: Int64?) -> PurgeConditions.Work {
            isThere ? finished.map { .finished($0) } ?? .unfinished : .none
        }
        return PurgeConditions(
            copy: work(hasSource || state.copy?.finished != nil, state.copy?.finished),
            replay: work(state.replay != nil, state.replay?.finished), replayDue: state.replayDue)
    }

    private func check(_ state: MigrationState) throws(WorkError) {
        switch conditions(state).refusal {
        case nil: return
        case .copyUnfinished:
            throw WorkError(
                .refused,
                "the copy is not finished: a page that comes after the tombstone of its document is gone would bring "
                    + "the document back. Finish `crossfade copy` first")
        case .replayUnfinished:
            throw WorkError(
                .refused,
                "a replay is not finished: what it writes again may be older than a delete whose tombstone would be "
                    + "gone. Finish "
                    + "`crossfade replay` first")
        case .replayDue: try state.checkReplayed(recipeFile)
        }
    }

    private func purge(
        _ page: Page, of index: String, _ hold: ([UInt8]) -> TombstoneHold?, _ report: inout PurgeReport
    ) throws {
        var lines: [[UInt8]] = []
        let id = ByteBuffer()
        for hit in page.hits {
            guard let version = hit.version, Tombstone.isOne(page.bytes(hit.source)) else { continue }
            id.removeAll()
            try JSONString.unescape(page.bytes(hit.id), into: id)
            switch hold(Array(id.bytes)) {
            case .unresolved: report.kept["dead_letter", default: 0] += 1
            case .redriven(let until):
                report.kept["redriven", default: 0] += 1
                report.redrivenUntil = max(report.redrivenUntil ?? until, until)
            case nil: lines.append(Self.line(page, hit, version: version))
            }
        }
        withExtendedLifetime(page) {}
        try delete(lines, of: index, &report)
    }

    private static func line(_ page: Page, _ hit: Hit, version: Int64) -> [UInt8] {
        let line = ByteBuffer(capacity: 128)
        BulkBody.appendDelete(
            to: line, quotedID: page.bytes(hit.id), quotedRouting: (hit.routing ?? hit.parent).map { page.bytes($0) },
            version: version)
        return Array(line.bytes)
    }

    /// Sends the deletes, again where needed, until each has its final answer.
    private func delete(_ lines: [[UInt8]], of index: String, _ report: inout PurgeReport) throws {
        let writer = target.writer
        let name = TargetAliases(index: index).log
        let destination = BulkSink.Destination(index: index, name: name, path: writer.bulkPath(name))
        var left = lines
        var pauses = Backoff()
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<12 {
            guard !left.isEmpty else { return }
            let body = ByteBuffer()
            for line in left { line.withUnsafeBufferPointer { body.append($0) } }
            do {
                left = try send(left, body, destination, &report)
                if left.isEmpty { return }
            } catch let error as ClusterError where error.retriable {
                logger.debug("a purge is repeated", ["because": error.message])
            }
            Thread.sleep(forTimeInterval: Double(pauses.next(using: &generator)) / 1000)
        }
        throw WorkError(
            .cluster,
            "index \(index) did not take the deletes of \(left.count) tombstones; they stay, for the next purge")
    }

    /// Sends the lines once. Returns those that must be sent again.
    private func send(
        _ lines: [[UInt8]], _ body: ByteBuffer, _ destination: BulkSink.Destination, _ report: inout PurgeReport
    ) throws -> [[UInt8]] {
        let transport = target.transport
        let answer = try transport.perform(target.writer.bulkRequest(destination.path, body: body))
        defer { transport.recycle(answer.body) }
        if let error = ClusterError(answer: answer, from: transport, doing: "purging", index: destination.index) {
            guard let block = WriteRefusal.block(error) else { throw error }
            throw WriteRefusal.error(block, destination, detail: error.underlying ?? "")
        }
        var again: [[UInt8]] = []
        var failure: WorkError?
        var purged = 0
        var kept: [String: Int] = [:]
        let bytes = answer.body
        try BulkResponse.scan(bytes.bytes, expected: lines.count, redactor: transport.redactor) { position, item in
            let reason = item.errorReason.map { String(repairing: bytes.slice($0)) }
            let verdict = ItemClass.classify(
                kind: .delete, status: item.status,
                errorType: item.errorType.map { String(repairing: bytes.slice($0)) },
                reason: reason)
            switch verdict {
            case .done(.applied): purged += 1
            case .done(.notFound): kept["gone", default: 0] += 1
            case .done(.stale): kept["newer", default: 0] += 1
            case .again: again.append(lines[position])
            case .stop(let block): failure = WriteRefusal.error(block, destination, detail: reason ?? "")
            case .dead(let code):
                failure = WriteRefusal.error(unwritable: destination, because: code, detail: reason ?? "")
            }
        }
        report.purged += purged
        report.kept.merge(kept, uniquingKeysWith: +)
        if let failure { throw failure }
        return again
    }
}

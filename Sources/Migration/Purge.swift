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
    /// It is the last one of the migration: it writes through the alias that nobody else uses.
    package var isLast = false

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
            replay: work(state.replay != nil, state.replay?.finished),
            repair: work(state.repair != nil, state.repair?.finished), replayDue: state.replayDue)
    }

    private func check(_ state: MigrationState) throws(WorkError) {
        if isLast { return }
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
        case .repairUnfinished:
            throw WorkError(
                .refused,
                "a repair is not finished: what it writes may be older than a delete whose tombstone would be gone. "
                    + "Finish `crossfade verify \(recipeFile) --repair` first")
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
        var failure: (code: String, detail: String)?
        let bulk = DirectBulk(
            target: target, index: index, through: isLast ? TargetAliases(index: index).purge : nil, doing: "purging",
            logger: logger)
        let (left, why) = try bulk.send(lines, kind: .delete) { _, answer in
            switch answer {
            case .done(.applied): report.purged += 1
            case .done(.notFound): report.kept["gone", default: 0] += 1
            case .done(.stale): report.kept["newer", default: 0] += 1
            case .dead(let code, let detail): failure = failure ?? (code, detail)
            }
        }
        if let failure {
            throw WriteRefusal.error(unwritable: bulk.destination, because: failure.code, detail: failure.detail)
        }
        guard left > 0 else { return }
        throw WorkError(
            .cluster,
            "index \(index) did not take the deletes of \(left) tombstones (\(why)); they stay, for the next purge")
    }
}

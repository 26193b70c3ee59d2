import CommandLog
import Commands
import Failures
import Foundation
import Indexing
import JSONText
import Migration
import Parity
import Pipeline
import Planning
import Runtime
import SearchCluster
import State
import Telemetry

/// What a repair does, or would do.
package struct RepairReport: Sendable, Equatable {
    package struct Index: Sendable, Equatable {
        package var written = 0
        package var deleted = 0
        /// As it should be by now.
        package var right = 0
        /// Something newer came in the meantime.
        package var overtaken = 0
        /// The index does not take the document.
        package var refused = 0
        package var left: [RepairDoubt: Int] = [:]

        package var total: Int { written + deleted + right + overtaken + refused + left.values.reduce(0, +) }

        package init() {}
    }

    package struct Example: Sendable, Equatable {
        package var key: DocumentKey
        /// `write`, `delete`, or why it is left.
        package var step: String
        package var version: Int64?
    }

    /// By entry.
    package var indices: [Int: Index] = [:]
    /// At most the limit of each step.
    package var examples: [Example] = []
    /// Whether it was done; if not, it is what would be done.
    package var isPerformed: Bool
    /// What the log does not hold any more, in sentences.
    package var remarks: [String] = []
    /// How often the log was read.
    package var passes = 0

    package var sum: Index {
        indices.values.reduce(into: Index()) { sum, index in
            sum.written += index.written
            sum.deleted += index.deleted
            sum.right += index.right
            sum.overtaken += index.overtaken
            sum.refused += index.refused
            sum.left.merge(index.left, uniquingKeysWith: +)
        }
    }
}

/// Brings wrong documents of the new side to what they should be: ``RepairRule`` decides, this reads and writes.
///
/// A repair writes over what has the same version, and perhaps at the floor, so it counts as an unfinished copy:
/// nothing is purged meanwhile, and the deletes in the log are written again first.
package final class RepairWork {
    private static let together = 500

    private let prepared: Preflight
    private let plan: PipelinePlan
    private let options: Settling.Options
    private let rule: RepairRule
    private let live: LiveDocuments
    private let digester: DocumentDigester
    private let store: StateStore
    private let logger: Logger
    private var report = RepairReport(isPerformed: false)
    private var logIsWhole = false

    /// `readsSource`: whether the old side may say what is right of documents that the log never names.
    package init(
        _ prepared: Preflight, _ plan: PipelinePlan, options: Settling.Options, trustsSource: Bool,
        readsSource: Bool = true, logger: Logger
    ) {
        (self.prepared, self.plan, self.options, self.logger) = (prepared, plan, options, logger)
        rule = RepairRule(trustsSource: trustsSource && readsSource, floor: DocumentVersion.floor(plan.format))
        live = LiveDocuments(prepared, plan, readsSource: readsSource)
        digester = DocumentDigester(ignoring: options.ignoring, emptyArrayIsAbsent: options.emptyArrayIsAbsent)
        store = StateStore(target: prepared.survey.target, name: prepared.recipe.name)
    }

    /// Repairs the documents named in `wrong`, or lists what would be done. It may be broken off and repeated.
    package func run(_ wrong: KeyFile, performing: Bool) throws -> RepairReport {
        report = RepairReport(isPerformed: performing)
        if performing { try begin() }
        let groups = try GroupReader(prepared, logger: logger)
        defer { groups.close() }
        let positions = try groups.look()
        let losses = LogLosses(
            topic: prepared.recipe.commands.topic, starts: positions.starts, policy: try groups.cleanupPolicy())
        (report.remarks, logIsWhole) = (losses.words, losses.isWhole)
        let fold = LogFold(LogTail(prepared, logger: logger), plan)
        _ = try fold.run(positions.whole, wanted: wrong) { folds in
            try wrong.read(chunk: Self.together) { keys in
                guard !StopSignal.isAsked else {
                    throw WorkError(.interrupted, "interrupted while documents were repaired; repair again")
                }
                try take(keys.filter(folds.covers), folds, fold)
            }
        }
        report.passes = fold.passes
        if performing { try end() }
        return report
    }

    private func begin() throws {
        try prepared.passRails()
        _ = try prepared.confirmed(nil, logger: logger)
        let state = try store.update { $0.repair = MigrationState.Repair(started: WallClock.now()) }
        try TombstoneRestore(prepared: prepared, store: store, logger: logger).run(state)
    }

    private func end() throws {
        for entry in plan.entries { try prepared.survey.target.writer.refresh(entry.index) }
        try store.update { $0.repair?.finished = WallClock.now() }
    }

    private func take(_ keys: [DocumentKey], _ folds: LogFold.Folds, _ fold: LogFold) throws {
        guard !keys.isEmpty else { return }
        var lines: [Int: [Line]] = [:]
        try live.read(keys) { key, pair in
            let step = try rule.step(
                log: log(folds.held[key], pair, fold), source: pair.source,
                target: RepairRule.Target(document: pair.new, version: pair.newVersion), isSame: isSame)
            note(step, key)
            if report.isPerformed, let line = Line(step, key) { lines[key.entry, default: []].append(line) }
        }
        for (entry, lines) in lines { try write(lines, entry) }
    }

    /// What the log says of a document. Partial updates are merged into the old side's, which holds what retention took
    /// from the log.
    private func log(_ found: DocumentFold?, _ pair: LivePair, _ fold: LogFold) -> RepairRule.Log {
        guard let found else { return .unnamed }
        if found.content == .parts {
            if case .document(let document, let version, _) = pair.old {
                fold.merge(found, into: document, version: min(version, found.version - 1))
            } else if logIsWhole {
                fold.merge(found, into: nil, version: -1)
            }
        }
        switch found.content {
        case .unnamed: return .unnamed
        case .parts: return .baseLost
        case .document(let document): return .document(document, version: found.version)
        case .deleted: return .deleted(version: found.version)
        }
    }

    private func isSame(_ one: [UInt8], _ other: [UInt8]) throws -> Bool {
        try one.withUnsafeBufferPointer { try digester.digest($0) }
            == other.withUnsafeBufferPointer { try digester.digest($0) }
    }

    private func note(_ step: RepairStep, _ key: DocumentKey) {
        var example: RepairReport.Example?
        switch step {
        case .nothing: report.indices[key.entry, default: .init()].right += 1
        case .write(_, let version):
            report.indices[key.entry, default: .init()].written += 1
            example = .init(key: key, step: "write", version: version)
        case .delete(let version):
            report.indices[key.entry, default: .init()].deleted += 1
            example = .init(key: key, step: "delete", version: version)
        case .leave(let doubt):
            report.indices[key.entry, default: .init()].left[doubt, default: 0] += 1
            example = .init(key: key, step: doubt.rawValue)
        }
        guard let example, report.examples.count(where: { $0.step == example.step }) < options.limit else { return }
        report.examples.append(example)
    }

    // MARK: Writing

    private struct Line {
        var bytes: [UInt8]
        var isTombstone: Bool
        var key: DocumentKey

        /// nil: there is nothing to write.
        init?(_ step: RepairStep, _ key: DocumentKey) {
            let out = ByteBuffer(capacity: 1024)
            func action(_ version: Int64) {
                key.id.withUnsafeBufferPointer { id in
                    (key.routing ?? []).withUnsafeBufferPointer { routing in
                        BulkBody.appendRepair(
                            to: out, id: id, routing: key.routing == nil ? nil : routing, version: version)
                    }
                }
            }
            switch step {
            case .nothing, .leave: return nil
            case .write(let document, let version):
                action(version)
                document.withUnsafeBufferPointer { out.append($0) }
                isTombstone = false
            case .delete(let version):
                action(version)
                Tombstone.append(to: out, time: WallClock.now())
                isTombstone = true
            }
            out.append(UInt8(ascii: "\n"))
            (bytes, self.key) = (Array(out.bytes), key)
        }
    }

    private func write(_ lines: [Line], _ entry: Int) throws {
        let index = plan.entries[entry].index
        let bulk = DirectBulk(target: prepared.survey.target, index: index, doing: "repairing", logger: logger)
        let left = try bulk.send(lines.map(\.bytes), kind: .index) { place, answer in
            switch answer {
            case .done(.applied): return
            case .done: report.indices[entry, default: .init()].overtaken += 1
            case .dead(let code, let detail):
                report.indices[entry, default: .init()].refused += 1
                logger.warning(
                    "a document cannot be repaired: the index does not take it",
                    [
                        "index": "\(index)", "id": "\(String(decoding: lines[place].key.id, as: UTF8.self))",
                        "reason": "\(code)", "detail": "\(detail)",
                    ])
            }
            if lines[place].isTombstone {
                report.indices[entry]?.deleted -= 1
            } else {
                report.indices[entry]?.written -= 1
            }
        }
        guard left > 0 else { return }
        throw WorkError(.cluster, "index \(index) did not take \(left) documents of a repair; repair again")
    }
}

extension LivePair {
    fileprivate var source: RepairRule.Source {
        switch old {
        case .absent, .unknown: .absent
        case .document(let document, let version, _): .document(document, version: version)
        case .uncopied: .uncopied
        }
    }
}

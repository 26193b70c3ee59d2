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

/// Brings wrong documents of the new side to what they should be: ``RepairRule`` decides, this reads and writes.
///
/// A repair writes over what has the same version, and perhaps at the floor, so it counts as an unfinished copy:
/// nothing is purged meanwhile, and the deletes in the log are written again first.
package final class RepairWork {
    private static let together = 500

    private let prepared: Preflight
    private let plan: PipelinePlan
    private let groups: GroupReader
    private let options: Settling.Options
    private var rule: RepairRule
    private let live: LiveDocuments
    private let digester: DocumentDigester
    private let store: StateStore
    private let logger: Logger
    private var report = RepairReport(isPerformed: false)
    private var logIsWhole = false
    private var lastOffset: Int64 = 0
    private var deaf = Deaf()
    private var parts = Parts()

    /// Documents that hold a version which no command has given.
    private struct Deaf {
        var count = 0
        var examples: [String] = []

        mutating func add(_ key: DocumentKey, _ version: Int64) {
            count += 1
            guard examples.count < 5 else { return }
            examples.append("\(String(decoding: key.id, as: UTF8.self)) at \(version)")
        }

        /// nil: there are none.
        var words: String? {
            guard count > 0 else { return nil }
            return
                "\(count) repaired documents hold a version that no command has given "
                + "(\(examples.joined(separator: ", "))): somebody else wrote them so, and commands do not reach them "
                + "before the topic is as long. Delete them on the new side, wait for its index.gc_deletes, and repair "
                + "again"
        }
    }

    /// Documents that partial updates have made, and that the old side does not have.
    private struct Parts {
        var count = 0
        var examples: [String] = []

        mutating func add(_ key: DocumentKey) {
            count += 1
            guard examples.count < 5 else { return }
            examples.append(String(decoding: key.id, as: UTF8.self))
        }

        /// nil: there are none.
        var words: String? {
            guard count > 0 else { return nil }
            return
                "\(count) of the extra documents (\(examples.joined(separator: ", "))) are made of partial updates of "
                + "documents that were deleted, or never there, as `missing: create` in the recipe says. If your "
                + "indexer passes over such updates, say `missing: ignore`, then init, and repair"
        }
    }

    /// What the log does not hold any more, in sentences.
    package private(set) var remarks: [String] = []
    /// How often the log was read.
    package private(set) var passes = 0

    /// Where `groups` are those of a comparison with the old side, it says what is right of documents that the log
    /// never names.
    package init(
        _ prepared: Preflight, _ plan: PipelinePlan, groups: GroupReader, options: Settling.Options, trustsSource: Bool,
        logger: Logger
    ) {
        (self.prepared, self.plan, self.options, self.logger) = (prepared, plan, options, logger)
        self.groups = groups
        let readsSource = groups.basis == .source
        rule = RepairRule(
            trustsSource: trustsSource && readsSource, readsSource: readsSource,
            floor: DocumentVersion.floor(plan.format))
        rule.keepsNewer = prepared.survey.state?.adopted.isEmpty == false
        live = LiveDocuments(prepared, plan, readsSource: readsSource)
        digester = DocumentDigester(ignoring: options.ignoring, emptyArrayIsAbsent: options.emptyArrayIsAbsent)
        store = prepared.store
    }

    /// Repairs the documents named in `wrong`, or lists what would be done. It may be broken off and repeated.
    ///
    /// - Parameter stale: those that are stale, for the table: the file names them as different.
    package func run(
        _ wrong: KeyFile, performing: Bool, stale: Set<DocumentKey> = []
    ) throws -> RepairReport {
        report = RepairReport(isPerformed: performing)
        let positions = try groups.look()
        if rule.trustsSource { try Self.checkTrust(positions) }
        if performing { try begin() }
        let losses = try groups.losses(at: positions)
        (remarks, logIsWhole, rule.hasForgotten) = (losses.words, losses.isWhole, losses.hasForgotten)
        (deaf, parts) = (Deaf(), Parts())
        lastOffset = positions.ends.values.max() ?? 0
        let fold = LogFold(LogTail(prepared, logger: logger), plan)
        _ = try fold.run(positions.whole, wanted: wrong) { folds in
            try wrong.readKinds(chunk: Self.together) { found in
                guard !StopSignal.isAsked else {
                    throw WorkError(.interrupted, "interrupted while documents were repaired; repair again")
                }
                let kinds = found.lazy.filter { folds.covers($0.key) }.map { found in
                    (found.key, stale.contains(found.key) ? .stale : found.kind ?? .different)
                }
                try take(Dictionary(kinds) { one, _ in one }, folds, fold)
            }
        }
        passes = fold.passes
        remarks += [deaf.words, parts.words].compactMap { $0 }
        if performing {
            try end()
            let sum = report.sum
            prepared.record(.repaired, "\(sum.written) documents written, \(sum.deleted) deleted", logger: logger)
        }
        return report
    }

    /// Throws where the old side may lack commands that the log has lost: then it proves nothing that it lacks a
    /// document.
    static func checkTrust(_ positions: GroupPositions, gone: [String] = []) throws {
        let missing = gone.isEmpty ? nil : "\(gone.joined(separator: ", ")) is not behind `from` any more"
        guard let doubt = missing ?? positions.sourceDoubt else { return }
        throw WorkError(
            .refused,
            "--trust-source takes it as proof that the old cluster lacks a document, and \(doubt). Repair without it, "
                + "or with --against log")
    }

    private func begin() throws {
        try prepared.passRails(except: VerifyWork.unneeded)
        _ = try prepared.confirmed(nil, logger: logger)
        let state = try store.update { $0.repair = MigrationState.Repair(started: WallClock.now()) }
        try TombstoneRestore(prepared: prepared, store: store, command: "verify", logger: logger).run(state)
    }

    private func end() throws {
        for entry in plan.entries { try prepared.survey.target.writer.refresh(entry.index) }
        try store.update { $0.repair?.finished = WallClock.now() }
    }

    private func take(_ kinds: [DocumentKey: FindingKind], _ folds: LogFold.Folds, _ fold: LogFold) throws {
        guard !kinds.isEmpty else { return }
        var lines: [Int: [Line]] = [:]
        try live.read(Array(kinds.keys)) { key, pair in
            let kind = kinds[key] ?? .different
            let step = try rule.step(
                log: log(folds.held[key], pair, fold), source: pair.source,
                target: RepairRule.Target(
                    document: pair.new, version: pair.newVersion, other: pair.otherVersion), isSame: isSame)
            note(step, key, kind)
            if step == .leave(.logAgrees), pair.source == .absent, folds.held[key]?.isMadeOfParts == true {
                parts.add(key)
            }
            if let version = step.version, isBeyondLog(version) { deaf.add(key, version) }
            if report.isPerformed, let line = Line(step, key, kind) { lines[key.entry, default: []].append(line) }
        }
        // A shard has one document of an id: what goes from under another routing goes first.
        for (entry, lines) in lines { try write(lines.filter(\.isTombstone) + lines.filter { !$0.isTombstone }, entry) }
    }

    /// Whether no command can have given a version: then none that comes soon outranks it.
    private func isBeyondLog(_ version: Int64) -> Bool {
        guard plan.format.version == .offset else { return false }
        return version > DocumentVersion.floor(plan.format) + lastOffset + 1
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
        case .split: return .split
        case .document(let document): return .document(document, version: found.version)
        case .deleted: return .deleted(version: found.version)
        }
    }

    private func isSame(_ one: [UInt8], _ other: [UInt8]) throws -> Bool {
        try one.withUnsafeBufferPointer { try digester.digest($0) }
            == other.withUnsafeBufferPointer { try digester.digest($0) }
    }

    private func note(_ step: RepairStep, _ key: DocumentKey, _ kind: FindingKind) {
        var counts = RepairReport.Counts()
        var example: (step: String, version: Int64?)?
        switch step {
        case .nothing: counts.right = 1
        case .write(_, let version): (counts.written, example) = (1, ("write", version))
        case .delete(let version): (counts.deleted, example) = (1, ("delete", version))
        case .leave(let doubt): (counts.left[doubt], example) = (1, (doubt.rawValue, nil))
        }
        report.places[.init(entry: key.entry, kind: kind), default: .init()] += counts
        guard let example, report.examples.count(where: { $0.step == example.step }) < options.limit else { return }
        report.examples.append(.init(key: key, kind: kind, step: example.step, version: example.version))
    }

    /// What came of a document, if it is among the examples. Those of one call of ``write(_:_:)`` are the last ones.
    private func note(_ line: Line, _ outcome: String) {
        guard let place = report.examples.lastIndex(where: { $0.key == line.key }) else { return }
        report.examples[place].outcome = outcome
    }

    // MARK: Writing

    private struct Line {
        var bytes: [UInt8]
        var isTombstone: Bool
        var key: DocumentKey
        var kind: FindingKind

        var place: RepairReport.Place { .init(entry: key.entry, kind: kind) }

        /// nil: there is nothing to write.
        init?(_ step: RepairStep, _ key: DocumentKey, _ kind: FindingKind) {
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
            (bytes, self.key, self.kind) = (Array(out.bytes), key, kind)
        }
    }

    private func write(_ lines: [Line], _ entry: Int) throws {
        let index = plan.entries[entry].index
        try store.checkIsStill()
        let bulk = DirectBulk(target: prepared.survey.target, index: index, doing: "repairing", logger: logger)
        let (left, why) = try bulk.send(lines.map(\.bytes), kind: .index) { number, answer in
            let line = lines[number]
            switch answer {
            case .done(.applied): return note(line, line.isTombstone ? "deleted" : "written")
            case .done:
                report.places[line.place]?.overtaken += 1
                note(line, "overtaken")
            case .dead(let code, let detail):
                note(line, "refused")
                report.places[line.place]?.refused += 1
                logger.warning(
                    "a document cannot be repaired: the index does not take it",
                    [
                        "index": "\(index)", "id": "\(String(decoding: line.key.id, as: UTF8.self))",
                        "reason": "\(code)", "detail": "\(detail)",
                    ])
            }
            if line.isTombstone {
                report.places[line.place]?.deleted -= 1
            } else {
                report.places[line.place]?.written -= 1
            }
        }
        guard left > 0 else { return }
        throw WorkError(
            .cluster, "index \(index) did not take \(left) documents of a repair (\(why)); repair again when it does")
    }
}

extension LivePair {
    fileprivate var source: RepairRule.Source {
        switch old {
        case .absent, .unknown, .split: .absent
        case .document(let document, let version, _): .document(document, version: version)
        case .uncopied: .uncopied
        }
    }
}

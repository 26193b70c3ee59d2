import Foundation
import JSONText
import Migration
import Parity
import Pipeline
import Planning
import Recipe
import Runtime
import State
import Telemetry

/// What one verification compares, and how: all documents with the old side or with the log, or those that an earlier
/// receipt leaves open.
struct Comparison {
    /// What a comparison of documents in masses came to. The candidates are to be judged one by one.
    struct Scanned {
        struct Entry {
            /// Documents of the old side or of the log, and those of the new side.
            var expected = 0
            var target = 0
            /// Documents of the old side that cannot be copied.
            var uncopied = 0
            var others = 0
            /// Documents of the new side that the log does not know any more.
            var unknown = 0
            /// Candidates that the scans have found, and those of them that are expected.
            var candidates = 0
            var differing = 0
        }

        var entries: [Entry]
        var candidates: KeyFile
        /// The offsets behind the last records that were looked at for candidates.
        var line: [Int32: Int64]
        var unread: [String] = []
        var remarks: [String] = []
        var ignored: [ScanResult.Ignored] = []
        var repeated: [SpilledItems.Difference] = []
        var repeatedCount = 0
        /// What the log has lost, where it is what is compared with; nil: that was not asked for yet.
        var losses: LogLosses?
        /// When the oldest part was read; nil: now.
        var oldestRead: Int64?
        /// Every command before these offsets was written on the new side before ``sequences`` were read.
        var written: [Int32: Int64] = [:]
        /// The greatest sequence number of each shard, by entry; nil: those that were read at the begin of this run.
        var sequences: [[Int: Int64]]?
        /// How far the old indices were written before any of it was read; nil: it is unknown.
        var sourceWritten: [WriteMark]?
        /// When they were read; nil: at the begin of this run.
        var sequenceRead: Int64?
        /// Forgets the progress.
        var forget: (() -> Void)?

        /// Whether it stopped early: then more documents may differ than the candidates name.
        var hasStopped = false

        /// Whether everything was read.
        var isWhole: Bool { unread.isEmpty }

        /// Whether it is known of everything what it should be. A log that does not name every document cannot tell
        /// that one is missing.
        var isKnown: Bool { losses?.isWhole ?? true && !entries.contains { $0.unknown > 0 } }
    }

    private let work: VerifyWork
    let plan: PipelinePlan
    let sides: ScanSides
    private let groups: GroupReader
    private let options: Settling.Options
    private let progress: Migration.Progress
    private var prepared: Preflight { work.prepared }
    private var recipe: Recipe { work.recipe }

    init(
        _ work: VerifyWork, plan: PipelinePlan, groups: GroupReader, options: Settling.Options,
        progress: Migration.Progress
    ) {
        (self.work, self.plan, self.groups, self.options, self.progress) = (work, plan, groups, options, progress)
        sides = ScanSides(work.prepared.survey)
    }

    /// Of the digests that stand for redacted values.
    var salt: UInt64 { options.salt }

    // MARK: Scans

    /// Compares everything. `positions`: where both groups stood before the sides were refreshed.
    func whole(_ state: MigrationState, _ receipt: Receipt, _ positions: GroupPositions) throws -> Scanned {
        if work.options.against == .log { return try log(positions) }
        let scan = try ParityScan(
            scanOptions, plan: plan, sides: sides, folder: options.folder, digest: digest(state), logger: work.logger)
        if scan.goesOn { work.logger.info("going on with the verification that was interrupted") }
        // An interrupted scan has read its slices since then.
        let applied = MigrationState.offsets(scan.begun["applied"]) ?? positions.applied
        let written = MigrationState.offsets(scan.begun["written"]) ?? positions.written
        let kept = scan.begun["sequences"]?.array
        let sequences = kept.map { $0.map(Receipt.Index.sequence) } ?? receipt.indices.map(\.sequence)
        let source = scan.goesOn ? WriteMark.all(scan.begun["source_written"]) : receipt.sourceWritten
        let totals = receipt.indices.reduce((source: 0, target: 0)) {
            ($0.source + $1.sourceTotal, $0.target + $1.targetTotal)
        }
        let begun: JSONValue = [
            "applied": MigrationState.offsets(applied), "written": MigrationState.offsets(written),
            "sequences": .array(sequences.map(Receipt.Index.json(sequence:))),
            "source_written": WriteMark.json(source),
        ]
        let found = try scan.run(begun: begun) { now in
            tell(
                now.isSecondPass ? "reading again what differs" : "comparing",
                [
                    Migration.Progress.Part("old side", done: now.source, total: totals.source),
                    Migration.Progress.Part("new side", done: now.target, total: totals.target),
                ])
        }
        var scanned = Scanned(
            entries: found.entries.map {
                Scanned.Entry(
                    expected: $0.source, target: $0.target, uncopied: $0.uncopied, others: $0.others,
                    candidates: $0.candidates, differing: $0.differing)
            }, candidates: found.candidates, line: applied)
        scanned.line = try commanded.add(since: applied, to: found.candidates)
        (scanned.written, scanned.sequences, scanned.sourceWritten) = (written, sequences, source)
        (scanned.unread, scanned.ignored, scanned.oldestRead) = (found.unread, found.ignored, found.oldestRead)
        scanned.sequenceRead = scan.goesOn ? found.oldestRead : nil
        (scanned.repeated, scanned.repeatedCount) = (found.repeated, found.repeatedCount)
        scanned.remarks = (found.early.map { [$0] } ?? []) + splitRemark
        scanned.hasStopped = found.hasStopped
        scanned.forget = scan.forget
        return scanned
    }

    /// The log proves nothing of ids whose commands may lie in two partitions; the old side does.
    private var splitRemark: [String] {
        let ids = recipe.accept.flatMap(\.shownIDs)
        guard !ids.isEmpty else { return [] }
        return [
            "commands of \(ids.count) id\(ids.count == 1 ? "" : "s") may lie in two partitions (accept, rail "
                + "one_partition: \(ids.prefix(10).joined(separator: ", "))\(ids.count > 10 ? " and others" : "")): "
                + "only what the old side has proves anything of them"
        ]
    }

    private func log(_ positions: GroupPositions) throws -> Scanned {
        let scan = LogScan(prepared, plan, groups: groups, options: options, logger: work.logger)
        let found = try scan.run {
            tell("comparing with the topic", [Migration.Progress.Part("new side", done: $0, total: nil)])
        }
        var scanned = Scanned(
            entries: found.entries.map { entry in
                var scanned = Scanned.Entry()
                (scanned.expected, scanned.target, scanned.unknown) = (entry.log, entry.target, entry.unknown)
                (scanned.candidates, scanned.differing) = (entry.candidates, entry.differing)
                return scanned
            }, candidates: found.candidates, line: found.line)
        scanned.remarks = found.losses.words + found.split.remarks
        (scanned.losses, scanned.written) = (found.losses, positions.written)
        return scanned
    }

    /// Looks only at what commands have named since a receipt, and at what was open in it.
    func since(_ receipt: Receipt) throws -> Scanned {
        let file = options.folder.appendingPathComponent("candidates-\(UUID().uuidString)")
        var scanned = Scanned(
            entries: plan.entries.map { _ in Scanned.Entry() }, candidates: try KeyFile(file), line: [:])
        for key in receipt.open { try scanned.candidates.append(key) }
        let positions = Dictionary(receipt.positions.map { ($0.partition, $0.verifiedUpTo) }) { one, _ in one }
        scanned.line = try commanded.add(since: positions, to: scanned.candidates)
        scanned.oldestRead = WallClock.now()
        // What somebody else has written since, nobody has looked at.
        scanned.written = Dictionary(
            receipt.positions.compactMap { at in at.writtenUpTo.map { (at.partition, $0) } }
        ) { one, _ in one }
        scanned.sequences = receipt.indices.map(\.sequence)
        scanned.sequenceRead = receipt.sequenceRead ?? receipt.ended
        return scanned
    }

    // MARK: One by one

    /// What came of judging candidates one by one.
    struct Settled {
        /// One; after a repair, another one of what was repaired.
        var results: [SettlingResult]
        var repair: RepairReport?
    }

    /// Judges the candidates, and repairs those that are wrong where that is asked for.
    func settle(_ scanned: Scanned) throws -> Settled {
        let expectations = try expectations(scanned)
        var first = try settling(expectations).run(scanned.candidates, line: scanned.line)
        guard work.options.repair != .none, first.wrong.count > 0 else { return Settled(results: [first]) }
        let repair = RepairWork(
            prepared, plan, groups: groups, options: options, trustsSource: work.options.trustsSource,
            logger: work.logger)
        let report = try repair.run(
            first.wrong, performing: work.options.repair == .written,
            stale: Set(first.examples.filter { $0.kind == .stale }.map(\.key)))
        guard report.isPerformed else {
            first.remarks += repair.remarks
            return Settled(results: [first], repair: report)
        }
        let overtaken =
            report.sum.overtaken == 0
            ? []
            : [
                "what was overtaken has a newer version in the index: a command came in between, or somebody deleted "
                    + "the document less than `index.gc_deletes` (60 s) ago, or the same shard has the id under "
                    + "another routing. Verify again after that"
            ]
        // What was repaired is judged again, and its findings are those after the repair.
        let again = try settling(expectations).run(first.wrong, line: scanned.line)
        for entry in first.indices.keys {
            let wrong = first.indices[entry]?.totals.wrong ?? 0
            first.indices[entry]?.totals.compared -= wrong
            first.indices[entry]?.totals.findings = [:]
        }
        first.examples = []
        first.remarks =
            first.remarks.filter { !again.remarks.contains($0) }.map { "before the repair: \($0)" }
            + repair.remarks + overtaken
        return Settled(results: [first, again], repair: report)
    }

    private func expectations(_ scanned: Scanned) throws -> any ExpectedDocuments {
        guard groups.basis == .log else { return LiveDocuments(prepared, plan) }
        let losses = try scanned.losses ?? groups.losses(at: groups.look())
        return FoldedDocuments(prepared, plan, losses: losses, groups: groups, logger: work.logger)
    }

    private func settling(_ expectations: any ExpectedDocuments) throws -> Settling {
        try Settling(
            prepared, plan, expectations: expectations, groups: groups, options: options, logger: work.logger
        ) { [self] now in
            tell(
                "one by one",
                [
                    Migration.Progress.Part(
                        "\(max(0, now.candidates - now.judged)) still settling; documents", done: now.judged,
                        total: now.candidates)
                ], waiting: now.waiting)
        }
    }

    private func tell(_ stage: String, _ parts: [Migration.Progress.Part], waiting: String? = nil) {
        work.live.tells(stage: stage, parts, waiting: waiting)
        progress.tell(stage: stage, parts, trouble: waiting)
    }

    private var commanded: CommandedDocuments { CommandedDocuments(prepared, groups: groups, logger: work.logger) }

    // MARK: Options

    private var scanOptions: ParityScan.Options {
        var scan = ParityScan.Options(recipe)
        scan.stopAfter = options.stopAfter
        return scan
    }

    /// Of all that decides what is compared, so that only progress of the same comparison is gone on with. The indices
    /// are known by their UUIDs.
    private func digest(_ state: MigrationState) -> String {
        let verify = recipe.verify
        let names = prepared.survey.entries.flatMap { [$0.index, $0.uuid ?? ""] + $0.source.map(\.name) }
        let parts = [
            work.live.version, prepared.fingerprint, "\(verify.ignore)", "\(verify.emptyArray)",
            "\(verify.slices ?? 0)", "\(state.copy?.round ?? 0)",
        ]
        let text = Array((parts + names).joined(separator: "\u{0}").utf8)
        return text.withUnsafeBufferPointer { ContentDigest(of: $0).text }
    }
}

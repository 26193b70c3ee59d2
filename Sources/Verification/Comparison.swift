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
        var ignored: [String: Int] = [:]
        var repeated: [SpilledItems.Difference] = []
        var repeatedCount = 0
        /// When the oldest part was read; nil: now.
        var oldestRead: Int64?
        /// Forgets the progress.
        var forget: (() -> Void)?

        /// Whether it stopped early: then more documents may differ than the candidates name.
        var hasStopped = false

        /// Whether everything was read, and of everything it is known what it should be.
        var isWhole: Bool { unread.isEmpty && !entries.contains { $0.unknown > 0 } }
    }

    private let work: VerifyWork
    let plan: PipelinePlan
    let sides: ScanSides
    private let options: Settling.Options
    private let progress: Migration.Progress
    private var prepared: Preflight { work.prepared }
    private var recipe: Recipe { work.recipe }

    init(_ work: VerifyWork, plan: PipelinePlan, options: Settling.Options, progress: Migration.Progress) {
        (self.work, self.plan, self.options, self.progress) = (work, plan, options, progress)
        sides = ScanSides(work.prepared.survey)
    }

    /// Where both groups stand, with all written that they had applied.
    func positions() throws -> GroupPositions {
        let groups = try GroupReader(prepared, against: work.options.against, logger: work.logger)
        defer { groups.close() }
        return try groups.begin(grace: options.book.grace)
    }

    // MARK: Scans

    /// Compares everything. `applied`: what both groups had applied before the sides were refreshed.
    func whole(_ state: MigrationState, applied: [Int32: Int64]) throws -> Scanned {
        if work.options.against == .log { return try log() }
        let scan = try ParityScan(
            scanOptions, plan: plan, sides: sides, folder: options.folder, digest: digest(state), logger: work.logger)
        if scan.goesOn { work.logger.info("going on with the verification that was interrupted") }
        // An interrupted scan has read its slices since then.
        let applied = MigrationState.offsets(scan.begun["applied"]) ?? applied
        let totals = sides.entries.reduce((source: 0, target: 0)) { totals, entry in
            (
                totals.source + entry.source.reduce(0) { $0 + Int($1.liveCount) },
                totals.target + Int(entry.target?.liveCount ?? 0)
            )
        }
        let found = try scan.run(begun: ["applied": MigrationState.offsets(applied)]) { now in
            work.live.beat()
            progress.tell(
                stage: now.isSecondPass ? "reading again what differs" : "comparing",
                [
                    Migration.Progress.Part(
                        "old side", done: now.source, total: now.isSecondPass ? nil : totals.source),
                    Migration.Progress.Part(
                        "new side", done: now.target, total: now.isSecondPass ? nil : totals.target),
                ])
        }
        var scanned = Scanned(
            entries: found.entries.map {
                Scanned.Entry(
                    expected: $0.source, target: $0.target, uncopied: $0.uncopied, candidates: $0.candidates,
                    differing: $0.differing)
            }, candidates: found.candidates, line: applied)
        scanned.line = try settling().addCommanded(since: applied, to: found.candidates)
        (scanned.unread, scanned.ignored, scanned.oldestRead) = (found.unread, found.ignored, found.oldestRead)
        (scanned.repeated, scanned.repeatedCount) = (found.repeated, found.repeatedCount)
        scanned.remarks = found.early.map { [$0] } ?? []
        scanned.hasStopped = found.hasStopped
        scanned.forget = scan.forget
        return scanned
    }

    private func log() throws -> Scanned {
        let scan = try LogScan(prepared, plan, options: options, logger: work.logger)
        let found = try scan.run {
            work.live.beat()
            progress.tell(done: $0, total: nil)
        }
        var scanned = Scanned(
            entries: found.entries.map { entry in
                var scanned = Scanned.Entry()
                (scanned.expected, scanned.target, scanned.unknown) = (entry.log, entry.target, entry.unknown)
                (scanned.candidates, scanned.differing) = (entry.candidates, entry.differing)
                return scanned
            }, candidates: found.candidates, line: found.line)
        scanned.remarks = found.losses.words
        return scanned
    }

    /// Looks only at what commands have named since a receipt, and at what was open in it.
    func since(_ receipt: Receipt) throws -> Scanned {
        let file = options.folder.appendingPathComponent("candidates-\(UUID().uuidString)")
        var scanned = Scanned(
            entries: plan.entries.map { _ in Scanned.Entry() }, candidates: try KeyFile(file), line: [:])
        for key in receipt.open { try scanned.candidates.append(key) }
        let positions = Dictionary(receipt.positions.map { ($0.partition, $0.verifiedUpTo) }) { one, _ in one }
        scanned.line = try settling().addCommanded(since: positions, to: scanned.candidates)
        scanned.oldestRead = WallClock.now()
        return scanned
    }

    // MARK: One by one

    /// Judges the candidates, and repairs those that are wrong where that is asked for.
    func settle(_ scanned: Scanned) throws -> [SettlingResult] {
        let first = try settling().run(scanned.candidates, line: scanned.line)
        guard work.options.repair != .none, first.wrong.count > 0 else { return [first] }
        let repair = RepairWork(
            prepared, plan, options: options, trustsSource: work.options.trustsSource,
            readsSource: work.options.against == .source, logger: work.logger)
        let report = try repair.run(first.wrong, performing: work.options.repair == .written)
        var result = first
        result.remarks += report.words(limit: 20) { plan.entries.indices.contains($0) ? plan.entries[$0].index : "" }
        guard report.isPerformed else { return [result] }
        // What was repaired is judged again, and its findings are those after the repair.
        let again = try settling().run(first.wrong, line: scanned.line)
        for entry in result.indices.keys {
            let wrong = result.indices[entry]?.totals.wrong ?? 0
            result.indices[entry]?.totals.compared -= wrong
            result.indices[entry]?.totals.findings = [:]
        }
        result.examples = []
        return [result, again]
    }

    private func settling() throws -> Settling {
        let expectations: any ExpectedDocuments =
            work.options.against == .log
            ? try FoldedDocuments(prepared, plan, losses: try losses(), logger: work.logger)
            : LiveDocuments(prepared, plan)
        return try Settling(
            prepared, plan, expectations: expectations, against: work.options.against, options: options,
            logger: work.logger
        ) { [progress, live = work.live] now in
            live.beat()
            progress.tell(
                stage: "one by one", [Migration.Progress.Part("documents", done: now.judged, total: now.candidates)],
                trouble: now.waiting)
        }
    }

    private func losses() throws -> LogLosses {
        let groups = try GroupReader(prepared, against: .log, logger: work.logger)
        defer { groups.close() }
        return LogLosses(
            topic: recipe.commands.topic, starts: try groups.look().starts, policy: try groups.cleanupPolicy())
    }

    // MARK: Options

    private var scanOptions: ParityScan.Options {
        var scan = ParityScan.Options()
        let verify = recipe.verify
        (scan.slices, scan.page) = (verify.slices, verify.page)
        (scan.documentsPerSecond, scan.bytesPerSecond) = (verify.documentsPerSecond, verify.bytesPerSecond)
        (scan.ignoring, scan.emptyArrayIsAbsent) = (verify.ignore, verify.emptyArray == .absent)
        (scan.patience, scan.stopAfter) = (verify.patience, options.stopAfter)
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

import Failures
import Foundation
import Indexing
import JSONText
import Parity
import Pipeline
import Recipe
import Runtime
import SearchCluster
import Telemetry

/// What a scan of both sides came to.
package struct ScanResult {
    /// The documents of one entry that were compared.
    package struct Entry: Sendable, Equatable {
        /// Documents of the old side in the form of the copy, and those of the new side without tombstones.
        package var source = 0
        package var target = 0
        /// Documents of the old side that cannot be copied: dead letters of the copy.
        package var uncopied = 0
        /// Documents of the old side that belong to other entries (`select`).
        package var others = 0
        /// Documents that are not alike, and those of them that the old side has.
        package var candidates = 0
        package var differing = 0
    }

    package var entries: [Entry]
    /// Each document that the two sides did not have alike, once.
    package var candidates: KeyFile
    /// Documents that one side has more than once: two source documents would be written under one id. The first few.
    package var repeated: [SpilledItems.Difference] = []
    package var repeatedCount = 0
    package var differingBuckets = 0
    package struct Ignored: Sendable, Equatable {
        /// nil: all entries together, because there are too many paths to count them apart.
        package var entry: Int?
        package var path: String
        package var documents: Int
    }

    /// How many documents are equal only because a path is ignored: exactly if they are few, else about. Of more than
    /// ``IgnoredSums/mostColumns`` paths only the first are counted.
    package var ignored: [Ignored] = []
    /// What could not be read, in words; empty: all was.
    package var unread: [String]
    /// Whether more documents may differ than ``candidates`` has: ``ParityScan/Options/stopAfter`` was reached.
    package var hasStopped = false
    /// What a look at a few documents has shown, in words; nil: nothing that is worth a word.
    package var early: String?
    /// When the reading of the oldest slice began, in milliseconds since 1970.
    package var oldestRead: Int64
}

/// How far a scan is.
package struct ScanProgress: Sendable, Equatable {
    /// Whether it looks a second time, at the documents in buckets that differ.
    package var isSecondPass: Bool
    /// Documents read, by this run and by earlier ones.
    package var source: Int
    package var target: Int
    /// Slices of both sides that are read, and how many there are.
    package var slices: (done: Int, all: Int)

    package static func == (one: ScanProgress, other: ScanProgress) -> Bool {
        (one.isSecondPass, one.source, one.target, one.slices.done, one.slices.all)
            == (other.isSecondPass, other.source, other.target, other.slices.done, other.slices.all)
    }
}

/// Compares all documents of both sides. It reads both in slices and sums digests per bucket of the id's hash; then it
/// reads again what lies in buckets that differ. It tells which documents are to be looked at one by one.
package final class ParityScan {
    package struct Options: Sendable {
        /// Slices of each index; nil: as many as suit it.
        package var slices: Int?
        /// Documents per page at most.
        package var page = 1000
        /// The same rate for each side; nil: no limit.
        package var documentsPerSecond: Int?
        package var bytesPerSecond: Int?
        package var ignoring: [JSONPath] = []
        package var emptyArrayIsAbsent = false
        /// Where a look at a few documents shows so many that differ, and nearly all do, no more are looked for; nil:
        /// all are found.
        package var stopAfter: Int?
        /// Slices of a side that are read beside each other.
        package var readers = 2
        /// How long a side may give nothing before its slice counts as unread, in milliseconds.
        package var patience: Int64 = 120_000

        package init() {}

        /// As the recipe says.
        package init(_ recipe: Recipe) {
            let verify = recipe.verify
            (slices, page, patience) = (verify.slices, verify.page, verify.patience)
            (documentsPerSecond, bytesPerSecond) = (verify.documentsPerSecond, verify.bytesPerSecond)
            (ignoring, emptyArrayIsAbsent) = (verify.ignore, verify.emptyArray == .absent)
        }
    }

    /// Bytes that a page aims at.
    private static let pageBytes = 4 << 20
    /// The progress is kept at most so often, in milliseconds.
    private static let savesEvery: Int64 = 5000

    private let options: Options
    private let plan: PipelinePlan
    private let sides: ScanSides
    private let folder: URL
    private let logger: Logger
    private var record: ScanRecord
    private var saves = Recurring(every: ParityScan.savesEvery, first: 0)

    /// What the first start of this scan has noted about the log; null: this is the first start.
    package var begun: JSONValue { record.begun }
    /// Whether an earlier run has read a part.
    package var goesOn: Bool { record.slices.contains(where: \.isDone) }

    private var recordFile: URL { folder.appendingPathComponent("scan") }

    /// - Parameters:
    ///   - folder: where the progress and what differs is kept; it is made.
    ///   - digest: of all that decides what is compared. Only progress with the same one is used.
    package init(
        _ options: Options, plan: PipelinePlan, sides: ScanSides, folder: URL, digest: String, logger: Logger
    ) throws {
        (self.options, self.plan, self.sides, self.folder) = (options, plan, sides, folder)
        self.logger = logger
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw WorkError(
                .files, "the folder \(folder.path) for the verification cannot be made; `verify.folder` says where",
                underlying: "\(error)")
        }
        let file = folder.appendingPathComponent("scan")
        // What names entries that there are not was not written by a scan of this work.
        let kept = ScanRecord.load(file, digest: digest).flatMap { record in
            record.slices.allSatisfy { sides.entries.indices.contains($0.entry) } ? record : nil
        }
        record =
            kept
            ?? ScanRecord(
                digest: digest, begun: .null, slices: Self.slices(sides, options),
                columns: IgnoredSums.columns(paths: options.ignoring.count, entries: sides.entries.count))
    }

    private static func slices(_ sides: ScanSides, _ options: Options) -> [ScanSlice] {
        var slices: [ScanSlice] = []
        for (number, entry) in sides.entries.enumerated() {
            let target = entry.target.map { [$0] } ?? []
            for (side, cluster, indices) in [
                (ParitySide.source, sides.source, entry.source), (.target, sides.target, target),
            ] {
                guard let reader = cluster?.reader else { continue }
                for index in indices {
                    slices += reader.slices(index, wanted: options.slices).map {
                        ScanSlice(side: side, entry: number, spec: $0)
                    }
                }
            }
        }
        return slices
    }

    /// Forgets the progress: this scan is not gone on with.
    package func forget() { try? FileManager.default.removeItem(at: recordFile) }

    // MARK: Work

    /// Reads both sides. A call after `kill -9` reads only the slices that are left.
    ///
    /// - Parameters:
    ///   - begun: what is known of the log; kept with the progress of the first start. See ``begun``.
    ///   - told: called about twenty times a second.
    package func run(begun: JSONValue, told: (ScanProgress) throws -> Void) throws -> ScanResult {
        if record.begun.isNull { record.begun = begun }
        try record.save(recordFile)
        // Beside the scan, which does not wait for it unless it may stop it.
        let look = Beside("cf-early") { [sides, plan, options, logger] in
            let early = EarlyLook(sides, plan: plan, options: options)
            if let words = early.words { logger.warning("nearly everything differs", ["what": words]) }
            return early
        }
        defer { look.end(seconds: 30) }
        var result = ScanResult(
            entries: sides.entries.map { _ in ScanResult.Entry() },
            candidates: try KeyFile(folder.appendingPathComponent("candidates")), unread: [],
            oldestRead: WallClock.now())
        if let most = options.stopAfter, let early = try look.value(), early.isAlarming, early.differing.count >= most {
            for key in early.differing { try result.candidates.append(key) }
            (result.hasStopped, result.early) = (true, early.words)
            return result
        }
        result.unread = try firstPass(told)
        result.early = try look.value()?.words
        result.oldestRead = record.slices.filter(\.isDone).map(\.began).min() ?? result.oldestRead
        for slice in record.slices {
            switch slice.side {
            case .source: result.entries[slice.entry].source += slice.documents
            case .target: result.entries[slice.entry].target += slice.documents
            }
            result.entries[slice.entry].uncopied += slice.uncopied
            result.entries[slice.entry].others += slice.others
        }
        // What one side lacks because it was not read is no difference.
        guard result.unread.isEmpty else { return result }
        try secondPass(&result, told)
        return result
    }

    private func firstPass(_ told: (ScanProgress) throws -> Void) throws -> [String] {
        let isFirst = !goesOn
        let before = StillIndices(sides, query)
        let board = ScanBoard(record, parts { !$0.isDone })
        let outcome = Result {
            try read(board, .sums) { [self] in
                if saves.isDue(MonotonicClock.milliseconds()), let changed = board.takeChanged() {
                    try changed.save(recordFile)
                }
                try told(progress(board, isSecond: false))
            }
        }
        let (record, unread) = try board.result()
        self.record = record
        try record.save(recordFile)
        try outcome.get()
        try checkStop()
        guard unread.isEmpty, isFirst else { return unread }
        var given: [StillIndices.Name: Int] = [:]
        for slice in record.slices {
            let name = StillIndices.Name(side: slice.side, index: slice.spec.index, entry: slice.entry)
            given[name, default: 0] += slice.documents + slice.uncopied + slice.others
        }
        return before.missing(StillIndices(sides, query), read: given)
    }

    /// Which documents of an index are compared; nil: all.
    private func query(_ name: StillIndices.Name) -> JSONValue? {
        guard name.side == .source else { return sides.target.capabilities.notTombstone }
        return sides.entries[name.entry].source.first { $0.name == name.index }?.liveQuery
    }

    /// Finds out which documents the differing buckets differ in.
    private func secondPass(_ result: inout ScanResult, _ told: (ScanProgress) throws -> Void) throws {
        let buckets = DifferingBuckets(record.source, record.target)
        result.differingBuckets = buckets.count
        let ignored = IgnoredSums.differing(record.ignored[0], record.ignored[1], but: buckets)
        for (column, count) in ignored.enumerated() where count > 0 {
            let (path, entry) = IgnoredSums.place(
                ofColumn: column, paths: options.ignoring.count, entries: sides.entries.count)
            result.ignored.append(.init(entry: entry, path: "\(options.ignoring[path])", documents: count))
        }
        guard buckets.count > 0 else { return }
        logger.info(
            "the sides differ; looking for the documents that do",
            ["buckets": buckets.count, "of": BucketSums.size, "documents": buckets.documents])
        let spill = try ItemSpill(folder, bytes: buckets.documents * 80)
        defer { spill.remove() }
        let board = ScanBoard(record, parts { _ in true })
        try read(board, .spill(buckets, spill)) { [self] in try told(progress(board, isSecond: true)) }
        result.unread += try board.result().unread
        try checkStop()
        guard result.unread.isEmpty else { return }
        try spill.differing { difference in
            try result.candidates.append(difference.key)
            result.entries[difference.key.entry].candidates += 1
            if difference.source > 0 { result.entries[difference.key.entry].differing += 1 }
            guard difference.source > 1 || difference.target > 1 else { return }
            result.repeatedCount += 1
            if result.repeated.count < 100 { result.repeated.append(difference) }
        }
    }

    private func checkStop() throws {
        guard StopSignal.isAsked else { return }
        throw WorkError(
            .interrupted, "interrupted; slices that are read are kept: start the same `verify` again to go on")
    }

    private func progress(_ board: ScanBoard, isSecond: Bool) -> ScanProgress {
        let (source, target) = board.documents
        let earlier = isSecond ? [] : record.slices.filter(\.isDone)
        func sum(_ side: ParitySide) -> Int { earlier.reduce(0) { $0 + ($1.side == side ? $1.documents : 0) } }
        return ScanProgress(
            isSecondPass: isSecond, source: source + sum(.source), target: target + sum(.target),
            slices: (record.slices.count - board.slicesLeft, record.slices.count))
    }

    // MARK: Threads

    private func parts(_ isWanted: (ScanSlice) -> Bool) -> [ParitySide: [ScanBoard.Part]] {
        var parts: [ParitySide: [ScanBoard.Part]] = [:]
        for (number, slice) in record.slices.enumerated() where isWanted(slice) {
            let entry = sides.entries[slice.entry]
            let index = slice.side == .source ? entry.source.first { $0.name == slice.spec.index } : entry.target
            parts[slice.side, default: []].append(
                ScanBoard.Part(
                    entry: slice.entry,
                    part: SliceReader.Slice(
                        number: number, spec: slice.spec,
                        query: query(StillIndices.Name(side: slice.side, index: slice.spec.index, entry: slice.entry)),
                        page: index?.maximumPage ?? 10_000)))
        }
        return parts
    }

    /// Reads slices of both sides beside each other until none is left. `told`: called on this thread meanwhile.
    private func read(_ board: ScanBoard, _ pass: SideScan.Pass, _ told: () throws -> Void) throws {
        var threads: [JoinableThread] = []
        defer {
            board.stop()
            for thread in threads { thread.join(seconds: 30) }
        }
        for (side, cluster) in [(ParitySide.source, sides.source), (.target, sides.target)] {
            guard let cluster else { continue }
            let reader = SliceReader(
                cluster.reader, page: options.page, pageBytes: Self.pageBytes, keepAlive: cluster.reader.keepAlive(),
                readsAhead: true, withVersions: side == .source && plan.format.copiedVersion == .source)
            let pace = RateLimiter(
                documentsPerSecond: options.documentsPerSecond, bytesPerSecond: options.bytesPerSecond)
            for number in 0..<options.readers {
                let (plan, options) = (plan, options)
                threads.append(
                    JoinableThread("cf-\(side)-\(number)") {
                        SideScan(
                            side, pass, board, pace: pace, form: side == .source ? CopyForm(plan) : nil,
                            digester: DocumentDigester(
                                ignoring: options.ignoring, emptyArrayIsAbsent: options.emptyArrayIsAbsent),
                            patience: options.patience
                        ).run(reader)
                    })
            }
        }
        while !board.isOver, !board.isStopped, !StopSignal.isAsked {
            board.wait(milliseconds: 20)
            for notice in board.takeNotices() { logger.warning("a slice is read again", ["what": notice]) }
            try told()
        }
    }
}

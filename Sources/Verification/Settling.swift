import CommandLog
import Commands
import Failures
import Foundation
import Indexing
import JSONText
import Parity
import Pipeline
import Planning
import Recipe
import Runtime
import SearchCluster
import Telemetry

/// Judges documents one by one while commands keep coming: ``SettlingBook`` decides, this reads.
package final class Settling {
    package struct Options: Sendable {
        package var book = SettlingBook.Options()
        /// Paths that are not compared, in the new form.
        package var ignoring: [JSONPath] = []
        package var emptyArrayIsAbsent = false
        /// Paths of which no value is shown.
        package var redacting: [JSONPath] = []
        /// Another one in each run, so that nobody can guess a value by its digest.
        package let salt = UInt64.random(in: 0...UInt64.max)
        /// Examples of each kind.
        package var limit = 100
        /// When so many documents are wrong, the rest is not judged; nil: all are.
        package var stopAfter: Int?
        /// Where files may be written.
        package var folder: URL

        package init(folder: URL) { self.folder = folder }

        /// As the recipe says.
        package init(_ recipe: Recipe, folder: URL) {
            self.folder = folder
            // No document can be judged in less: it is read twice, and a grace lies before each reading.
            book.bound = max(recipe.verify.settle, 4 * book.grace)
            ignoring = recipe.verify.ignore
            emptyArrayIsAbsent = recipe.verify.emptyArray == .absent
            redacting = recipe.verify.redact
            limit = recipe.verify.reportLimit
        }
    }

    private let prepared: Preflight
    private var options: Options
    private let logger: Logger
    private let plan: PipelinePlan
    private let expectations: any ExpectedDocuments
    private let groups: GroupReader
    private let commanded: CommandedDocuments
    private let digester: DocumentDigester
    private let classifier: FindingClassifier
    private let progress: (SettlingProgress) -> Void
    private var result: SettlingResult
    private var candidates = 0
    /// What the last reading found of documents that differ.
    private var found: [DocumentKey: Finding] = [:]
    /// How many of these have their paths. All of them might not fit into memory.
    private var withPaths = 0
    /// Missing documents whose twins may still be looked for, which takes many questions each.
    private var twinsLeft: Int
    private var uncopied: Set<DocumentKey> = []
    private var unknown: Set<DocumentKey> = []
    /// Those whose commands lie in two partitions, and whether the recipe accepts that.
    private var split: [DocumentKey: Bool] = [:]
    private var lastTrouble: String?
    private var hasSaidWait = false
    private var idlerLooks = Recurring(every: 2000, first: 0)

    /// - Parameter expectations: what the new side should hold: ``LiveDocuments`` for the old side.
    package init(
        _ prepared: Preflight, _ plan: PipelinePlan, expectations: any ExpectedDocuments, groups: GroupReader,
        options: Options, logger: Logger, progress: @escaping (SettlingProgress) -> Void = { _ in }
    ) throws {
        (self.prepared, self.options, self.logger, self.progress) = (prepared, options, logger, progress)
        (self.expectations, self.plan) = (expectations, plan)
        twinsLeft = 10 * options.limit
        self.groups = groups
        commanded = CommandedDocuments(prepared, groups: groups, logger: logger)
        // The folds of all that is open are held at once.
        if groups.basis == .log { self.options.book.capacity = min(options.book.capacity, 2000) }
        digester = DocumentDigester(ignoring: options.ignoring, emptyArrayIsAbsent: options.emptyArrayIsAbsent)
        classifier = FindingClassifier(prepared, plan)
        result = SettlingResult(
            wrong: try KeyFile(options.folder.appendingPathComponent("wrong-\(UUID().uuidString)")),
            open: try KeyFile(options.folder.appendingPathComponent("open-\(UUID().uuidString)")), verifiedUpTo: [:])
    }

    /// Judges all candidates. `line`: the offsets behind the last records that were looked at for candidates.
    package func run(_ candidates: KeyFile, line: [Int32: Int64]) throws -> SettlingResult {
        self.candidates = candidates.count
        var book = SettlingBook(line: line, options: options.book, now: now)
        let later = try KeyFile(options.folder.appendingPathComponent("later-\(UUID().uuidString)"))
        defer { later.remove() }
        var unique = 0
        try candidates.distinct(in: options.folder) { keys in
            unique += keys.count
            for key in keys {
                while book.room == 0, !isOver(book) { try step(&book, later: later) }
                if isOver(book) { try later.append(key) } else { book.add(key) }
            }
        }
        self.candidates = unique
        result.rechecks = Rechecks(candidates: unique, began: now)
        while book.openCount > 0, !isOver(book) { try step(&book, later: nil) }
        try later.read(chunk: 1000) { keys in
            for key in keys {
                while book.room == 0, !isOver(book) { try step(&book, later: nil) }
                if isOver(book) { try leave(key) } else { book.add(key) }
            }
        }
        while book.openCount > 0, !isOver(book) { try step(&book, later: nil) }
        for key in book.openKeys { try leave(key) }
        // What was commanded behind it was looked at for the candidates alone.
        result.verifiedUpTo = line
        result.positions = book.positions
        if let lost = groups.lost(book.positions) { result.remarks.append(lost) }
        try finish(book)
        return result
    }

    private var isEnough: Bool { options.stopAfter.map { result.totals.wrong >= $0 } ?? false }

    private func isOver(_ book: SettlingBook) -> Bool { isEnough || book.isOver(now: now) }

    private func leave(_ key: DocumentKey) throws {
        result.indices[key.entry, default: .init()].totals.compared += 1
        result.indices[key.entry, default: .init()].totals.settling += 1
        try result.open.append(key)
    }

    // MARK: Steps

    private func step(_ book: inout SettlingBook, later: KeyFile?) throws {
        guard !StopSignal.isAsked else { throw WorkError(.interrupted, "interrupted while documents were settling") }
        switch book.next(now: MonotonicClock.milliseconds()) {
        case .look(let pause):
            Thread.sleep(forTimeInterval: Double(pause) / 1000)
            if let positions = try asked({ try groups.look() }) {
                book.stands(positions, now: MonotonicClock.milliseconds())
                lookForIdlers(&book, positions)
            }
            tell(book)
        case .read(let keys):
            (found, withPaths) = ([:], 0)
            uncopied = []
            unknown = []
            split = [:]
            guard let readings = try asked({ try read(keys) }) else { return book.failed() }
            book.read(readings, now: now)
        case .lookAgain:
            guard let positions = try asked({ try groups.look() }) else { return book.failed() }
            book.standsAfter(positions, now: now)
        case .readLog(let ranges):
            let stretch = try asked { try commanded.named(in: ranges) { book.commanded($0) } }
            let ends = stretch.flatMap { $0.isWhole ? $0.ends : nil }
            if let stretch, !stretch.isWhole { lastTrouble = "an open transaction hides the end of the command topic" }
            try take(book.readLog(ends, now: now))
            if let later, book.room == 0 { for key in book.postpone() { try later.append(key) } }
            result.rechecks.add(judged: result.judged, now: now)
            tell(book)
        case .idle, .over: break
        }
    }

    /// Says once what is waited for, and finds out whether somebody does it.
    private func lookForIdlers(_ book: inout SettlingBook, _ positions: GroupPositions) {
        if !hasSaidWait, let behind = positions.behind(book.line).first {
            hasSaidWait = true
            logger.info(
                "documents are not judged before both sides have applied their commands",
                [
                    "waiting for": behind.words, "documents": book.openCount,
                    "seconds without progress at most": options.book.bound / 1000,
                ])
        }
        let idlers = book.idlers(now: now)
        guard !idlers.isEmpty, idlerLooks.isDue(now) else { return }
        book.waitsInVain(idlers.contains { groups.isAbandoned($0) })
    }

    private var now: Int64 { MonotonicClock.milliseconds() }

    /// What can be asked again is asked again, as long as the book has patience: nil.
    private func asked<Answer>(_ question: () throws -> Answer) throws -> Answer? {
        do {
            let answer = try question()
            lastTrouble = nil
            return answer
        } catch let error as ClusterError where error.retriable {
            lastTrouble = "\(error)"
        } catch let error as LogError where error.retriable {
            lastTrouble = "\(error)"
        }
        logger.debug("what is settling is asked for again", ["because": lastTrouble ?? ""])
        Thread.sleep(forTimeInterval: 0.5)
        return nil
    }

    private func tell(_ book: SettlingBook) {
        let totals = result.totals
        let behind = book.positions?.behind(book.line).first?.words
        progress(
            SettlingProgress(
                candidates: candidates, judged: result.judged, wrong: totals.wrong,
                open: book.openCount, waiting: lastTrouble ?? behind))
    }

    private func finish(_ book: SettlingBook) throws {
        result.remarks += (groups.remark.map { [$0] } ?? []) + result.split.remarks
        let found = result.totals.findings
        let (lost, looked) = ((found[.missing] ?? 0) + (found[.twin] ?? 0), 10 * options.limit - twinsLeft)
        if looked < lost {
            result.remarks.append("twins were looked for among \(looked) of \(lost) documents that are missing")
        }
        if result.examples.contains(where: { $0.kind == .different }) { try findStale() }
        result.remarks += FindingClassifier.commonPath(result.examples).map { [$0] } ?? []
        guard result.totals.settling > 0 else { return }
        guard !isEnough else {
            return result.remarks.append(
                "\(result.totals.wrong) documents are wrong; the other \(result.totals.settling) candidates were not "
                    + "judged (--stop-after)")
        }
        if let lastTrouble { result.remarks.append(lastTrouble) }
        let behind = book.positions?.behind(book.line) ?? []
        result.remarks += behind.map(\.words)
        if behind.isEmpty, lastTrouble == nil {
            result.remarks.append("commands for the documents that are not judged keep coming")
        }
    }

    /// Of the examples that differ, those whose content is an earlier state of the log.
    private func findStale() throws {
        let keys = result.examples.filter { $0.kind == .different }.map(\.key)
        var held: [DocumentKey: [UInt8]] = [:]
        try LiveDocuments(prepared, plan, readsSource: false).read(keys) { held[$0] = $1.new }
        let positions = try groups.look()
        let log = LogTail(prepared, logger: logger)
        let search = StaleSearch(
            log: log, fold: LogFold(log, plan), digester: digester, topic: prepared.recipe.commands.topic)
        result.examples = try search.run(result.examples, held: held, positions.whole)
        let all = result.totals.findings[.different] ?? 0
        if keys.count < all {
            result.remarks.append(
                "it was looked for stale ones among \(keys.count) of \(all) documents that differ; the others count as "
                    + "different")
        }
        for example in result.examples where example.kind == .stale {
            result.indices[example.key.entry]?.totals.findings[.different, default: 0] -= 1
            result.indices[example.key.entry]?.totals.findings[.stale, default: 0] += 1
        }
        for entry in result.indices.keys where result.indices[entry]?.totals.findings[.different] == 0 {
            result.indices[entry]?.totals.findings[.different] = nil
        }
    }

    // MARK: Readings

    private func read(_ keys: [DocumentKey]) throws -> [DocumentKey: SettlingBook.Reading] {
        var readings: [DocumentKey: SettlingBook.Reading] = [:]
        try expectations.read(keys) { key, pair in readings[key] = try reading(key, pair) }
        return readings
    }

    private func reading(_ key: DocumentKey, _ pair: LivePair) throws -> SettlingBook.Reading {
        let new = try pair.new.map { try digest($0) }
        var old: ContentDigest?
        var version: Int64?
        switch pair.old {
        case .absent: break
        case .unknown:
            unknown.insert(key)
            return .absent
        case .split(let isAccepted):
            split[key] = isAccepted
            return .absent
        case .document(let bytes, _, let stored):
            old = try digest(bytes)
            version = stored
        case .uncopied(let reason, let detail):
            guard pair.new != nil else {
                uncopied.insert(key)
                return .absent
            }
            old = ContentDigest(high: .max, low: .max)
            found[key] = Finding(
                .different, key, note: "the old side's document cannot be copied (\(reason)): \(detail)",
                targetVersion: pair.newVersion)
        }
        guard old != new else { return old == nil ? .absent : .equal }
        if found[key] == nil {
            let kind: FindingKind = old == nil ? .extra : new == nil ? .missing : .different
            found[key] = Finding(kind, key, sourceVersion: version, targetVersion: pair.newVersion)
            if kind == .different, withPaths < options.limit, wantsExample(of: .different),
                case .document(let old, _, _) = pair.old, let new = pair.new
            {
                found[key]?.paths = paths(old, new)
                withPaths += 1
            }
        }
        let (one, other) = (old ?? ContentDigest(), new ?? ContentDigest())
        return .differs(ContentDigest(high: one.high ^ one.low &* 3, low: other.high ^ other.low &* 5))
    }

    private func digest(_ document: [UInt8]) throws -> ContentDigest {
        try document.withUnsafeBufferPointer { try digester.digest($0) }
    }

    private func paths(_ old: [UInt8], _ new: [UInt8]) -> [PathDifference] {
        old.withUnsafeBufferPointer { old in
            new.withUnsafeBufferPointer { new in
                DocumentDifference.paths(
                    expected: old, found: new, ignoring: options.ignoring,
                    emptyArrayIsAbsent: options.emptyArrayIsAbsent, redacting: options.redacting, salt: options.salt,
                    limit: 20)
            }
        }
    }

    private func wantsExample(of kind: FindingKind) -> Bool {
        result.examples.count { $0.kind == kind } < options.limit
    }

    // MARK: Findings

    private func take(_ finals: [SettlingBook.Final]) throws {
        var wrong: [Finding] = []
        for final in finals {
            let entry = final.key.entry
            switch final.reading {
            case .equal:
                result.indices[entry, default: .init()].totals.compared += 1
                result.indices[entry, default: .init()].totals.equal += 1
            case .absent:
                if let isAccepted = split[final.key] {
                    result.split.add(final.key, isAccepted: isAccepted)
                    if !isAccepted { result.indices[entry, default: .init()].unknown += 1 }
                } else if unknown.contains(final.key) {
                    result.indices[entry, default: .init()].unknown += 1
                } else if uncopied.contains(final.key) {
                    result.indices[entry, default: .init()].uncopied += 1
                } else {
                    result.indices[entry, default: .init()].absent += 1
                }
            case .differs: wrong.append(found[final.key] ?? Finding(.different, final.key))
            }
        }
        guard !wrong.isEmpty else { return }
        // Those that have their paths are the better examples.
        wrong.sort { !$0.paths.isEmpty && $1.paths.isEmpty }
        for finding in try classifier.classify(wrong, twins: &twinsLeft) {
            result.indices[finding.key.entry, default: .init()].totals.compared += 1
            result.indices[finding.key.entry, default: .init()].totals.findings[finding.kind, default: 0] += 1
            try result.wrong.append(finding.key, kind: finding.kind)
            if wantsExample(of: finding.kind) { result.examples.append(finding) }
        }
    }
}

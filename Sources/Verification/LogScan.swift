import Commands
import Failures
import Foundation
import Indexing
import JSONText
import Parity
import Pipeline
import Planning
import Runtime
import SearchCluster
import Telemetry

/// Compares every document of the new side with the fold of the log, for `verify --against log`. What differs is a
/// candidate: commands may have come meanwhile.
///
/// It takes ids by a hash, as ``LogFold`` does: each pass reads the log and the target once, and holds the folds of its
/// ids.
package final class LogScan {
    package struct Result {
        package struct Entry: Sendable, Equatable {
            /// Documents that the log says there are, and those that the target has.
            package var log = 0
            package var target = 0
            /// Documents of which the log does not know what they should be: it has lost its beginning, or a copy began
            /// them.
            package var unknown = 0
            /// Candidates, and those of them that the log says there are.
            package var candidates = 0
            package var differing = 0
        }

        package var entries: [Entry]
        package var candidates: KeyFile
        package var passes = 0
        package var losses: LogLosses
        /// The offsets behind the last records that were folded.
        package var line: [Int32: Int64]
        package private(set) var split = SplitDocuments()

        fileprivate mutating func add(_ key: DocumentKey, isExpected: Bool) throws {
            try candidates.append(key)
            entries[key.entry].candidates += 1
            if isExpected { entries[key.entry].differing += 1 }
        }

        fileprivate mutating func add(split key: DocumentKey, isAccepted: Bool) {
            split.add(key, isAccepted: isAccepted)
            if !isAccepted { entries[key.entry].unknown += 1 }
        }
    }

    private let prepared: Preflight
    private let plan: PipelinePlan
    private let digester: DocumentDigester
    private let fold: LogFold
    private let groups: GroupReader
    private let folder: URL
    private let name = ByteBuffer(capacity: 256)
    private static let page = 1000

    package init(
        _ prepared: Preflight, _ plan: PipelinePlan, groups: GroupReader, options: Settling.Options,
        budget: Int? = nil, logger: Logger
    ) {
        (self.prepared, self.plan, self.groups, folder) = (prepared, plan, groups, options.folder)
        digester = DocumentDigester(ignoring: options.ignoring, emptyArrayIsAbsent: options.emptyArrayIsAbsent)
        let log = LogTail(prepared, logger: logger)
        fold = budget.map { LogFold(log, plan, budget: $0) } ?? LogFold(log, plan)
    }

    /// The target must have been refreshed. `told`: the documents of the target that were read, over all passes.
    package func run(_ told: (Int) -> Void = { _ in }) throws -> Result {
        let positions = try groups.look()
        var result = Result(
            entries: plan.entries.map { _ in Result.Entry() },
            candidates: try KeyFile(folder.appendingPathComponent("log-candidates-\(UUID().uuidString)")),
            losses: try groups.losses(at: positions), line: positions.starts)
        var read = 0
        let stretch = try fold.run(positions.whole) { folds in
            try compare(folds, &result) {
                read += $0
                told(read)
            }
        }
        result.line.merge(stretch.ends) { max($0, $1) }
        result.passes = fold.passes
        return result
    }

    private func compare(_ folds: LogFold.Folds, _ result: inout Result, _ told: (Int) -> Void) throws {
        let isWhole = result.losses.isWhole
        var seen: Set<DocumentKey> = []
        for entry in plan.entries.indices {
            try scan(entry) { key, document in
                guard folds.covers(key) else { return }
                result.entries[entry].target += 1
                seen.insert(key)
                guard let found = folds.held[key] else {
                    if isWhole { try result.add(key, isExpected: false) } else { result.entries[entry].unknown += 1 }
                    return
                }
                if found.content == .parts {
                    guard isWhole else { return result.entries[entry].unknown += 1 }
                    fold.merge(found, into: nil, version: -1)
                }
                guard found.content != .split else {
                    return result.add(split: key, isAccepted: plan.acceptsSplit(key))
                }
                guard case .document(let expected) = found.content,
                    try expected.withUnsafeBufferPointer({ try digester.digest($0) }) == digester.digest(document)
                else { return try result.add(key, isExpected: isDocument(found)) }
            } told: {
                told($0)
            }
        }
        for (key, found) in folds.held {
            if found.content == .parts {
                if isWhole {
                    fold.merge(found, into: nil, version: -1)
                } else if !seen.contains(key) {
                    result.entries[key.entry].unknown += 1
                }
            }
            if found.content == .split, !seen.contains(key) {
                result.add(split: key, isAccepted: plan.acceptsSplit(key))
            }
            guard case .document = found.content else { continue }
            result.entries[key.entry].log += 1
            if !seen.contains(key) { try result.add(key, isExpected: true) }
        }
    }

    private func isDocument(_ fold: DocumentFold) -> Bool {
        if case .document = fold.content { return true }
        return false
    }

    /// Every document of the entry's index, without tombstones.
    private func scan(
        _ entry: Int, _ body: (DocumentKey, Bytes) throws -> Void, told: (Int) -> Void
    ) throws {
        let target = prepared.survey.target
        guard let index = prepared.survey.entries[entry].present else { return }
        for slice in target.reader.slices(index, wanted: 1) {
            let scroll = target.reader.openScroll(
                slice, pageSize: Self.page, query: target.capabilities.notTombstone)
            defer { scroll.close() }
            while let page = try scroll.nextPage() {
                guard !StopSignal.isAsked else {
                    throw WorkError(.interrupted, "interrupted while the target was compared with the log")
                }
                try withExtendedLifetime(page) {
                    for hit in page.hits where !Tombstone.isOne(page.bytes(hit.source)) {
                        try body(key(hit, page, entry), page.bytes(hit.source))
                    }
                }
                told(page.hits.count)
            }
        }
    }

    private func key(_ hit: Hit, _ page: Page, _ entry: Int) -> DocumentKey {
        func text(_ quoted: Range<Int>) -> [UInt8] {
            name.removeAll()
            guard (try? JSONString.unescape(page.bytes(quoted), into: name)) != nil else {
                return Array(page.bytes(quoted).dropFirst().dropLast())
            }
            return Array(name.bytes)
        }
        return DocumentKey(entry: entry, id: text(hit.id), routing: hit.routing.map(text))
    }
}

import CommandLog
import Indexing
import Parity
import Pipeline
import Planning
import Telemetry

/// What the new side should hold by the log alone, and what it holds.
///
/// It keeps the folds of the documents that were asked for last, and goes on with them as the log grows. One thread at
/// a time.
package final class FoldedDocuments: ExpectedDocuments {
    private let log: LogTail
    private let fold: LogFold
    private let groups: GroupReader
    private let live: LiveDocuments
    private let plan: PipelinePlan
    private let losses: LogLosses
    private var known: Set<DocumentKey> = []
    private var folds = LogFold.Folds()
    private var upTo: [Int32: Int64]?

    /// - Parameter losses: where the log has lost anything, what it does not name is not known.
    package init(
        _ prepared: Preflight, _ plan: PipelinePlan, losses: LogLosses, groups: GroupReader, logger: Logger
    ) {
        log = LogTail(prepared, logger: logger)
        // What is asked for at once fits into memory.
        fold = LogFold(log, plan, budget: .max)
        live = LiveDocuments(prepared, plan, readsSource: false)
        (self.plan, self.losses, self.groups) = (plan, losses, groups)
    }

    package func read(_ keys: [DocumentKey], _ told: (DocumentKey, LivePair) throws -> Void) throws {
        try live.read(keys) { key, pair in held[key] = pair }
        defer { held = [:] }
        // The log is read after the target: what came between concerns documents that stay open.
        let positions = try groups.look()
        let fresh = keys.filter { !known.contains($0) }
        if !fresh.isEmpty { try begin(keys, positions) }
        try goOn(positions)
        for key in keys {
            var pair = held[key] ?? LivePair()
            pair.old = expected(key)
            try told(key, pair)
        }
    }

    private var held: [DocumentKey: LivePair] = [:]

    /// Folds these documents from the start of the log, instead of those before.
    private func begin(_ keys: [DocumentKey], _ positions: GroupPositions) throws {
        (known, folds, upTo) = ([], LogFold.Folds(), nil)
        let names = LogFold.Names(keys)
        try take(positions.whole, names)
        known = Set(keys)
        upTo = positions.ends
    }

    private func goOn(_ positions: GroupPositions) throws {
        guard let before = upTo else { return }
        var ranges: [Int32: Range<Int64>] = [:]
        for (partition, end) in positions.ends {
            let from = before[partition] ?? positions.starts[partition] ?? 0
            if end > from { ranges[partition] = from..<end }
        }
        // Where it breaks off, what was added would be added again.
        upTo = nil
        let all = known
        known = []
        try take(ranges, LogFold.Names(all))
        (known, upTo) = (all, positions.ends)
    }

    private func take(_ ranges: [Int32: Range<Int64>], _ names: LogFold.Names) throws {
        let stretch = try log.records(ranges, patience: 5000) { message, decoded, companions in
            _ = fold.add(decoded, companions, in: message.partition, to: &folds, names)
        }
        guard stretch.isWhole else {
            throw LogError(.timedOut, "an open transaction hides the end of the command topic", retriable: true)
        }
    }

    private func expected(_ key: DocumentKey) -> LivePair.Old {
        guard let found = folds.held[key] else { return losses.isWhole ? .absent : .unknown }
        if found.content == .parts, losses.isWhole { fold.merge(found, into: nil, version: -1) }
        switch found.content {
        case .unnamed: return losses.isWhole ? .absent : .unknown
        case .parts: return .unknown
        case .split: return .split(isAccepted: plan.acceptsSplit(key))
        case .deleted: return .absent
        case .document(let document): return .document(document, version: found.version, stored: nil)
        }
    }
}

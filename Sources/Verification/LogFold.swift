import CommandLog
import Commands
import Failures
import Indexing
import JSONText
import Parity
import Pipeline
import Planning
import Telemetry

/// What the log says of documents: for each, the newest whole document or tombstone, and the partial updates after it,
/// through the entry's transform and merge.
///
/// Memory is bounded. Ids are taken by a hash, from 0 up: one pass over the log folds a range of hashes. Where that
/// does not fit, the range is cut in half while it is read, and the rest gets a pass of its own.
package final class LogFold {
    /// Bytes of folds that are held at once.
    private static let budget = 64 << 20
    /// A range of hashes is not cut further than this.
    private static let narrowest: UInt64 = 1 << 20

    private let log: LogTail
    private let plan: PipelinePlan
    private let budget: Int
    private let transform: LaneTransformers
    /// Passes over the log so far.
    package private(set) var passes = 0

    package init(_ log: LogTail, _ plan: PipelinePlan, budget: Int = LogFold.budget) {
        (self.log, self.plan, self.budget) = (log, plan, budget)
        transform = LaneTransformers(plan.entries, placeholder: plan.format.rules.placeholder)
    }

    /// Folds the commands in `ranges`, and gives the folds of each pass. Returns what the last pass has read.
    ///
    /// - Parameter wanted: only documents with these ids, under any routing; nil: all.
    package func run(
        _ ranges: [Int32: Range<Int64>], wanted: KeyFile? = nil, _ pass: (Folds) throws -> Void
    ) throws -> LogTail.Stretch {
        var (low, width) = (UInt64(0), UInt64.max)
        var stretch = LogTail.Stretch()
        while true {
            var high = low.addingReportingOverflow(width).overflow ? UInt64.max : low + width
            let names = try wanted.map { try Names($0, low, &high, budget) }
            var folds = Folds(low: low, high: high)
            if names?.isEmpty != true {
                passes += 1
                stretch = try log.records(ranges) { message, decoded, companions in
                    _ = add(decoded, companions, in: message.partition, to: &folds, names)
                }
                guard stretch.isWhole else {
                    throw WorkError(
                        .log,
                        "the command topic cannot be read to its end: a transaction is open, or a broker does not "
                            + "answer")
                }
                try pass(folds)
            }
            guard folds.high < .max else { return stretch }
            width = folds.high - low
            if folds.bytes < budget / 4, !width.multipliedReportingOverflow(by: 2).overflow { width *= 2 }
            low = folds.high
        }
    }

    /// Adds what a record says to folds that are there, and opens others. Returns the documents that it concerns.
    package func add(
        _ decoded: Decoded, _ companions: [Companion], in partition: Int32, to folds: inout Folds, _ names: Names? = nil
    ) -> [DocumentKey] {
        guard case .operation(let operation) = decoded, operation.kind != .leave else { return [] }
        let tombstones = companions.compactMap { add($0.tombstone(of: operation), partition, to: &folds, names) }
        return tombstones + [add(operation, partition, to: &folds, names)].compactMap { $0 }
    }

    private func add(
        _ operation: Operation, _ partition: Int32, to folds: inout Folds, _ names: Names?
    ) -> DocumentKey? {
        guard plan.entries.indices.contains(operation.entry) else { return nil }
        let hash = DocumentKey.hash64(operation.id, operation.entry)
        guard folds.covers(hash), names?.contains(hash) != false else { return nil }
        let key = DocumentKey(
            entry: operation.entry, id: Array(operation.id), routing: operation.routing.map { Array($0) })
        let fold =
            folds.held[key]
            ?? DocumentFold(
                entry: key.entry, id: key.id, routing: key.routing, missing: plan.entries[key.entry].missing)
        let before = folds.held[key] == nil ? 0 : fold.heldBytes
        if plan.format.needsOnePartition { fold.lies(in: partition) }
        fold.add(
            operation.kind, version: operation.version, document: Array(operation.document), using: transform)
        folds.held[key] = fold
        folds.bytes += fold.heldBytes - before
        while folds.bytes > budget, folds.high - folds.low > Self.narrowest { folds.halve() }
        return key
    }

    /// Completes partial updates that wait for what they are merged into.
    package func merge(_ fold: DocumentFold, into document: [UInt8]?, version: Int64) {
        fold.merge(into: document, version: version, using: transform)
    }

    /// The folds of a range of hashes.
    package struct Folds {
        package let low: UInt64
        package private(set) var high: UInt64
        package fileprivate(set) var held: [DocumentKey: DocumentFold] = [:]
        package fileprivate(set) var bytes = 0

        package init(low: UInt64 = 0, high: UInt64 = .max) { (self.low, self.high) = (low, high) }

        /// Whether a document belongs to this pass, whether the log names it or not.
        package func covers(_ key: DocumentKey) -> Bool { covers(key.hash64) }

        fileprivate func covers(_ hash: UInt64) -> Bool { hash >= low && (hash < high || high == .max) }

        fileprivate mutating func halve() {
            high = low + (high - low) / 2
            for (key, fold) in held where key.hash64 >= high {
                bytes -= fold.heldBytes
                held[key] = nil
            }
        }
    }

    /// The hashes of wanted ids.
    package struct Names {
        private var hashes: Set<UInt64> = []

        package init(_ keys: some Sequence<DocumentKey>) { hashes = Set(keys.map(\.hash64)) }

        /// Those from `low` to `high`, which is lowered where they would not fit.
        fileprivate init(_ file: KeyFile, _ low: UInt64, _ high: inout UInt64, _ budget: Int) throws {
            let most = max(1000, budget / 64)
            try file.read(chunk: 10_000) { keys in
                for key in keys {
                    let hash = key.hash64
                    guard hash >= low, hash < high || high == .max else { continue }
                    hashes.insert(hash)
                    while hashes.count > most, high - low > LogFold.narrowest {
                        high = low + (high - low) / 2
                        hashes = hashes.filter { [high] in $0 < high }
                    }
                }
            }
        }

        package var isEmpty: Bool { hashes.isEmpty }

        func contains(_ hash: UInt64) -> Bool { hashes.contains(hash) }
    }
}

/// What the log does not hold any more.
package struct LogLosses: Sendable, Equatable {
    /// In sentences.
    package private(set) var words: [String] = []
    /// Whether every document came by the log, which reaches back to its beginning and has all its records, as far as
    /// is known: then it says of every document whether there is one, and a partial update without a document began
    /// one.
    package private(set) var isWhole = true
    /// Whether retention has taken commands.
    package private(set) var hasForgotten = false

    /// - Parameters:
    ///   - policy: `cleanup.policy` of the topic; nil: it is not known.
    ///   - hasCopy: whether documents come, or came, from an old cluster, too.
    package init(topic: String, starts: [Int32: Int64], policy: String?, hasCopy: Bool) {
        if hasCopy {
            isWhole = false
            words.append(
                "documents came from the old cluster, too: what the log does not name, or names only by partial "
                    + "updates, is not known from it")
        }
        for (partition, start) in starts.sorted(by: { $0.key < $1.key }) where start > 0 {
            (isWhole, hasForgotten) = (false, true)
            words.append(
                "retention has taken the \(start) first offsets of partition \(partition) of topic \(topic): a "
                    + "document that no later command names is not known from the log")
        }
        switch policy {
        case nil:
            words.append(
                "it is not known whether topic \(topic) is compacted: if it is, deletes may be gone from it")
        case let policy? where policy.contains("compact"):
            isWhole = false
            words.append(
                "topic \(topic) is compacted: of each key it holds the newest record, and a delete that is older than "
                    + "its delete.retention.ms is gone")
        default: break
        }
    }
}

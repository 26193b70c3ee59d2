import Failures
import Foundation
import Parity
import Pipeline
import Runtime
import SearchCluster
import Synchronization

/// What the threads of a scan share: which slices are left, and what came of those that were read.
///
/// `@unchecked Sendable` because everything but the counters is touched only under `lock`.
final class ScanBoard: @unchecked Sendable {
    /// What the reading of a slice came to.
    struct Reading {
        var documents = 0
        var uncopied = 0
        /// Documents that another entry takes, or none.
        var others = 0
        var began: Int64 = 0
    }

    struct Part {
        var entry: Int
        var part: SliceReader.Slice
    }

    private let lock = MonotonicCondition()
    private var waiting: [ParitySide: [Part]]
    private var left: Int
    private var record: ScanRecord
    private var changed = false
    private var reasons: [String] = []
    private var givenUp: Set<ParitySide> = []
    private var error: (any Error)?
    private var notices: [String] = []
    private let sourceRead = Atomic<Int>(0)
    private let targetRead = Atomic<Int>(0)
    private let stopped = Atomic<Bool>(false)

    /// Of ignored paths; see ``IgnoredSums``.
    let ignoredColumns: Int

    /// - Parameter parts: the slices to read, by side.
    init(_ record: ScanRecord, _ parts: [ParitySide: [Part]]) {
        ignoredColumns = record.ignored.map(\.columns).max() ?? 0
        self.record = record
        // Taken from the end.
        waiting = parts.mapValues { $0.reversed() }
        left = parts.values.reduce(0) { $0 + $1.count }
    }

    // MARK: Threads

    var isStopped: Bool { stopped.load(ordering: .acquiring) }

    func take(_ side: ParitySide) -> Part? { lock.withLock { waiting[side]?.popLast() } }

    func read(_ side: ParitySide, _ documents: Int) {
        switch side {
        case .source: sourceRead.wrappingAdd(documents, ordering: .relaxed)
        case .target: targetRead.wrappingAdd(documents, ordering: .relaxed)
        }
    }

    func finished(_ number: Int, _ reading: Reading, _ sums: BucketSums, _ ignored: IgnoredSums) {
        lock.withLock {
            record.slices[number].isDone = true
            record.slices[number].documents = reading.documents
            record.slices[number].uncopied = reading.uncopied
            record.slices[number].others = reading.others
            record.slices[number].began = reading.began
            let side = record.slices[number].side
            switch side {
            case .source: record.source.add(sums)
            case .target: record.target.add(sums)
            }
            record.ignored[Int(side.rawValue)].add(ignored)
            changed = true
            left -= 1
            lock.broadcast()
        }
    }

    func unread(_ part: SliceReader.Slice, _ side: ParitySide, _ error: ClusterError) {
        lock.withLock {
            givenUp.insert(side)
            reasons.append("the \(side) could not be read to the end: \(part.spec): \(error)")
            left -= 1
            lock.broadcast()
        }
    }

    /// Whether a slice of the side was given up. The others are not waited for as long: nothing is proved any more, and
    /// the next start reads what is left.
    func hasGivenUp(_ side: ParitySide) -> Bool { lock.withLock { givenUp.contains(side) } }

    func readsAgain(_ spec: SliceSpec, _ side: ParitySide, _ error: ClusterError) {
        lock.withLock { notices.append("\(spec) of the \(side) is read again: \(error)") }
    }

    /// The scan cannot go on.
    func failed(_ error: any Error) {
        lock.withLock { self.error = self.error ?? error }
        stop()
    }

    func stop() {
        stopped.store(true, ordering: .releasing)
        lock.withLock { lock.broadcast() }
    }

    // MARK: The thread that waits

    /// Slices that are not read yet, or not to their end.
    var slicesLeft: Int { lock.withLock { left } }
    var isOver: Bool { slicesLeft == 0 }

    /// Waits until it is over or stopped, at most so long.
    func wait(milliseconds: Int) {
        lock.withLock { _ = lock.wait(milliseconds: milliseconds) { left > 0 && !isStopped } }
    }

    /// Documents that were read in this run.
    var documents: (source: Int, target: Int) {
        (sourceRead.load(ordering: .relaxed), targetRead.load(ordering: .relaxed))
    }

    /// What is to be told since the last time.
    func takeNotices() -> [String] {
        lock.withLock {
            defer { notices = [] }
            return notices
        }
    }

    /// The record, if it has changed since the last time.
    func takeChanged() -> ScanRecord? {
        lock.withLock {
            defer { changed = false }
            return changed ? record : nil
        }
    }

    /// All that came of it. Throws what stopped it.
    func result() throws -> (record: ScanRecord, unread: [String]) {
        try lock.withLock {
            if let error { throw error }
            return (record, reasons)
        }
    }
}

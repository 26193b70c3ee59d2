import Foundation
import LogGuard
import Pipeline
import Runtime
import SearchCluster
import State

/// Writes this process's report every 10 s, on a thread of its own, and takes it away at the end.
///
/// `@unchecked Sendable` because `stopped` is touched only under `condition`.
package final class MemberHeartbeat: @unchecked Sendable {
    private let board: MemberDirectory
    private let pipeline: Pipeline
    private let command: String
    /// nil: this work does not watch the log.
    private let watch: LogMonitor?
    private let member = UUID().uuidString.lowercased()
    private let started = WallClock.now()
    private let condition = MonotonicCondition()
    private var stopped = false
    private var thread: JoinableThread?

    /// Milliseconds between two reports in which nothing else is new than figures.
    private static let every: Int64 = 10_000
    /// Reports of processes that were killed go after so many milliseconds.
    private static let forgottenAfter: Int64 = 3_600_000

    package init(_ command: String, _ pipeline: Pipeline, watch: LogMonitor?, store: StateStore, target: Cluster) {
        self.command = command
        self.watch = watch
        self.pipeline = pipeline
        board = MemberDirectory(store, target: target)
    }

    package func start() {
        thread = JoinableThread("cf-beacon") { [self] in
            sweep()
            while !isStopped {
                let report = report
                try? board.write(report)
                let due = MonotonicClock.milliseconds() + Self.every
                while !isStopped, MonotonicClock.milliseconds() < due, !hasChanged(report) { pause() }
            }
            try? board.remove(member)
        }
    }

    /// Waits for the last request only as long as it may take.
    package func stop() {
        condition.lock()
        stopped = true
        condition.broadcast()
        condition.unlock()
        thread?.join(seconds: 10)
    }

    /// A second, or until the end.
    private func pause() {
        condition.lock()
        condition.wait(milliseconds: 1000) { !stopped }
        condition.unlock()
    }

    /// Whether something has begun or ended since that others want to know at once: partitions, or waiting.
    private func hasChanged(_ told: MemberReport) -> Bool {
        func owned(_ report: MemberReport) -> [Int32] { report.partitions.filter(\.isOwned).map(\.partition) }
        let report = report
        return owned(report) != owned(told) || (report.trouble == nil) != (told.trouble == nil)
            || report.alarms.map(\.name) != told.alarms.map(\.name)
    }

    private var isStopped: Bool {
        condition.lock()
        defer { condition.unlock() }
        return stopped
    }

    private func sweep() {
        for report in (try? board.read()) ?? [] where WallClock.now() - report.updated > Self.forgottenAfter {
            try? board.remove(report.member)
        }
    }

    private var report: MemberReport {
        var report = MemberReport(
            member: member, command: command, host: ProcessInfo.processInfo.hostName,
            pid: Int(ProcessInfo.processInfo.processIdentifier), started: started, updated: WallClock.now())
        let ends = watch?.ends ?? [:]
        // The lanes of a copy are slices of the source.
        if watch != nil {
            report.partitions = pipeline.ledger.partitions().map { PartitionReport($0, end: ends[$0.partition]) }
        }
        report.concurrency = Concurrency(pipeline.sink.load)
        report.alarms = Alarm(pipeline.ledger.alarm).map { [$0] } ?? []
        report.waiting = pipeline.sink.presentTrouble
        report.waitingForLog = watch?.waiting
        return report
    }
}

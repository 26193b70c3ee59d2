import Foundation
import LogGuard
import Pipeline
import Runtime
import SearchCluster
import State

/// Writes this process's report into the state index, on a thread of its own, and takes it away at the end.
///
/// `@unchecked Sendable` because `stopped` is touched only under `condition`.
package final class MemberHeartbeat: @unchecked Sendable {
    private let directory: MemberDirectory
    /// nil: the work writes no documents.
    private let pipeline: Pipeline?
    private let stage: @Sendable () -> StageReport?
    private let seen: (@Sendable ([MemberReport]) -> Void)?
    private let command: String
    /// nil: this work does not watch the log.
    private let watch: LogMonitor?
    private let member: String
    private let fingerprint: String
    private let started = WallClock.now()
    private let condition = MonotonicCondition()
    private var stopped = false
    private var thread: JoinableThread?

    /// - Parameters:
    ///   - command: a process may do several pieces of work at once, each under another command.
    ///   - seen: is told of all members whenever this one has reported; nil: nobody wants to know.
    ///   - stage: how far work in stages is.
    package init(
        _ command: String, _ pipeline: Pipeline?, watch: LogMonitor?, fingerprint: String, store: StateStore,
        target: Cluster, seen: (@Sendable ([MemberReport]) -> Void)? = nil,
        stage: @escaping @Sendable () -> StageReport? = { nil }
    ) {
        self.seen = seen
        (self.command, self.watch, self.pipeline, self.stage) = (command, watch, pipeline, stage)
        self.fingerprint = fingerprint
        member = MemberReport.own(doing: command)
        directory = MemberDirectory(store, target: target)
    }

    package func start() {
        thread = JoinableThread("cf-heartbeat") { [self] in
            var suspects = sweep()
            let due = MonotonicClock.milliseconds() + ReportSchedule.watchedFor
            var schedule = ReportSchedule()
            var isHeard = true
            while !isStopped {
                let report = report
                if !suspects.isEmpty, MonotonicClock.milliseconds() >= due {
                    remove(ReportSchedule.silent((try? directory.read()) ?? [], since: suspects))
                    suspects = []
                }
                if schedule.isDue(report, now: MonotonicClock.milliseconds()) { isHeard = write(report) }
                _ = condition.withLock { condition.wait(milliseconds: 1000) { !stopped } }
            }
            // A target that did not take the last report would not answer now either. The report goes out of date.
            if isHeard { try? directory.remove(member) }
        }
    }

    /// Ends the thread, when its last request has an answer or has waited too long for one.
    package func stop() {
        condition.withLock {
            stopped = true
            condition.broadcast()
        }
        thread?.join(seconds: 10)
    }

    private var isStopped: Bool { condition.withLock { stopped } }

    private func write(_ report: MemberReport) -> Bool {
        guard (try? directory.write(report)) != nil else { return false }
        if let seen, let members = try? directory.read() { seen(members) }
        return true
    }

    /// Takes away the reports of this work's dead processes. Returns those that may be of others.
    private func sweep() -> [MemberReport] {
        let reports = (try? directory.read()) ?? []
        let now = WallClock.now()
        remove(ReportSchedule.forgotten(reports, command: command, now: now) { $0.process?.fate ?? .unknown })
        return ReportSchedule.old(reports, now: now)
    }

    private func remove(_ reports: [MemberReport]) {
        for report in reports { try? directory.remove(report.member) }
    }

    private var report: MemberReport {
        var report = MemberReport(
            member: member, command: command, host: ProcessInfo.processInfo.hostName,
            pid: Int(ProcessInfo.processInfo.processIdentifier), started: started, updated: WallClock.now())
        (report.fingerprint, report.process) = (fingerprint, .own)
        let ends = watch?.ends ?? [:]
        // A copy has slices of the source instead of partitions.
        if watch != nil, let pipeline {
            report.partitions = pipeline.ledger.partitions().map { PartitionReport($0, end: ends[$0.partition]) }
        }
        report.concurrency = pipeline?.sink.load
        report.alarms = pipeline?.ledger.alarms ?? []
        report.waiting = pipeline?.sink.presentTrouble
        report.stage = stage()
        report.waitingForLog = watch?.waiting
        return report
    }
}

import Runtime
import State

/// When a member writes its report. Times are milliseconds of a monotonic clock.
package struct ReportSchedule: Sendable {
    /// Milliseconds between two reports in which only figures are new.
    static let every: Int64 = 10_000
    /// The same of work in stages, which somebody may watch on another process's dashboard.
    static let stagesEvery: Int64 = 3000
    /// A report that is older than so many milliseconds is of a process that was killed.
    static let forgottenAfter: Int64 = 3_600_000

    private var told: (report: MemberReport, at: Int64)?

    package init() {}

    /// Whether to write this report now. Then it counts as told.
    package mutating func isDue(_ report: MemberReport, now: Int64) -> Bool {
        let every = report.stage == nil ? Self.every : Self.stagesEvery
        if let told, now - told.at < every, !Self.hasNews(report, since: told.report) { return false }
        told = (report, now)
        return true
    }

    /// Whether something has begun or ended that others want to know at once: partitions, waiting, alarms, stages.
    private static func hasNews(_ report: MemberReport, since told: MemberReport) -> Bool {
        func owned(_ report: MemberReport) -> [Int32] { report.partitions.filter(\.isOwned).map(\.partition) }
        return owned(report) != owned(told) || (report.trouble == nil) != (told.trouble == nil)
            || report.alarms.map(\.name) != told.alarms.map(\.name) || report.stage?.stage != told.stage?.stage
    }

    /// The reports that seem to be of processes that were killed long ago. The clock of this machine may be wrong, so
    /// that those go that are the same a while later; see ``silent(_:since:)``.
    package static func old(_ reports: [MemberReport], now: Int64) -> [MemberReport] {
        reports.filter { now - $0.updated > forgottenAfter }
    }

    /// How long a report is watched before it is taken away: whoever runs writes several within that time.
    static let watchedFor: Int64 = 3 * every

    /// Those of `earlier` that are still the same.
    package static func silent(_ reports: [MemberReport], since earlier: [MemberReport]) -> [MemberReport] {
        earlier.filter { one in reports.contains { $0.member == one.member && $0.updated == one.updated } }
    }

    /// The reports of dead processes whose work a new one with this command goes on with. `now`: milliseconds since
    /// 1970, as in the reports.
    package static func forgotten(
        _ reports: [MemberReport], command: String, now: Int64, fate: (MemberReport) -> ProcessMark.Fate
    ) -> [MemberReport] {
        reports.filter { report in
            guard report.command == command else { return false }
            switch fate(report) {
            case .runs: return false
            case .isGone: return true
            // Of several followers, each is needed. Other work runs once at a time, so that this is what it was.
            case .unknown: return command != "follow" && report.isStale(now: now)
            }
        }
    }
}

import Commands
import Foundation
import Indexing
import JSONText
import Runtime
import SearchCluster
import Telemetry

/// What a running process last said of itself, in a document of its own in the state index.
package struct MemberReport: Sendable, Equatable {
    /// Unique per process and piece of work.
    package var member: String
    package var command: String
    package var host: String
    package var pid: Int
    /// By its own clock, milliseconds since 1970.
    package var started: Int64
    package var updated: Int64
    package var partitions: [PartitionReport] = []
    package var concurrency: BulkLoad?
    package var alarms: [Alarm] = []
    /// Why the target takes no writes; nil: it does.
    package var waiting: String?
    /// Of the work that it does; nil: an earlier version of Crossfade.
    package var fingerprint: String?
    package var process: ProcessMark?
    /// Why no records come: no broker answers, or a transaction is open; nil: nothing keeps them.
    package var waitingForLog: String?
    /// How far it is, for work in stages: a verification.
    package var stage: StageReport?

    /// Under which this process reports.
    package static let own = UUID().uuidString.lowercased()

    /// Under which this process reports one of several pieces of work: `crossfade run` verifies while it follows.
    package static func own(doing command: String) -> String { command == "verify" ? "\(own)-\(command)" : own }

    /// Whether it is a report of this process.
    package var isOwn: Bool { member == Self.own || member.hasPrefix(Self.own + "-") }

    /// What the process waits for; nil: nothing.
    package var trouble: String? { waiting ?? waitingForLog }

    /// A report is written every 10 s. A process that missed three has ended, hangs, or cannot reach the target.
    package static let staleAfter: Int64 = 35_000

    /// Seconds since the last report.
    package func age(now: Int64) -> Int64 { max(0, now - updated) / 1000 }

    package func isStale(now: Int64) -> Bool { now - updated > Self.staleAfter }

    package var read: Int { OutsideNumber.sum(partitions.lazy.map(\.read)) }
    package var inFlight: Int { OutsideNumber.sum(partitions.lazy.map(\.inFlight)) }
    package var outcomes: [Int] {
        partitions.reduce(into: Array(repeating: 0, count: Outcome.allCases.count)) { sum, part in
            for at in part.outcomes.indices where at < sum.count {
                sum[at] = OutsideNumber.sum([sum[at], part.outcomes[at]])
            }
        }
    }

    package var json: JSONValue {
        var members: JSONObject = [
            "member": .string(member), "command": .string(command), "host": .string(host), "pid": .number(pid),
            "started": .number(started), "updated": .number(updated), "read": .number(read),
            "in_flight": .number(inFlight),
            "outcomes": .object(JSONObject(zip(Outcome.allCases, outcomes).map { ($0.name, .number($1)) })),
            "partitions": .array(partitions.map(\.json)), "concurrency": concurrency?.json ?? .null,
            "alarms": .array(alarms.map(\.json)), "waiting": trouble.map { .string($0) } ?? .null,
            "waiting_for": trouble == nil ? .null : waiting == nil ? "log" : "target",
            "stage": stage?.json ?? .null,
        ]
        members["fingerprint"] = fingerprint.map { .string($0) }
        members["process"] = process?.json
        return .object(members)
    }

    package init(member: String, command: String, host: String, pid: Int, started: Int64, updated: Int64) {
        (self.member, self.command, self.host, self.pid) = (member, command, host, pid)
        (self.started, self.updated) = (started, updated)
    }

    package init?(json: JSONValue) {
        guard let member = json["member"]?.string, let command = json["command"]?.string,
            let host = json["host"]?.string, let pid = json["pid"]?.size, let started = json["started"]?.time,
            let updated = json["updated"]?.time
        else { return nil }
        self.init(
            member: member, command: command, host: host, pid: pid, started: started, updated: updated)
        partitions = (json["partitions"]?.array ?? []).compactMap { PartitionReport(json: $0) }
        concurrency = json["concurrency"].flatMap { BulkLoad(json: $0) }
        stage = json["stage"].flatMap { StageReport(json: $0) }
        alarms = (json["alarms"]?.array ?? []).compactMap { Alarm(json: $0) }
        fingerprint = json["fingerprint"]?.string
        process = json["process"].flatMap { ProcessMark(json: $0) }
        // Earlier versions report only that they wait for the target.
        if json["waiting_for"]?.string == "log" {
            waitingForLog = json["waiting"]?.string
        } else {
            waiting = json["waiting"]?.string
        }
    }
}

/// The members' reports in the state index. They only inform, so a report that cannot be written or read is left out.
package struct MemberDirectory: Sendable {
    private static let prefix = "member-"
    private let writer: TargetWriter
    private let index: String

    package init(_ store: StateStore, target: Cluster) {
        writer = target.writer
        index = store.index
    }

    package func write(_ report: MemberReport) throws(ClusterError) {
        // Stored as text, so that its fields do not become fields of the state index.
        try writer.putProgress(index, Self.prefix + report.member, ["report": .string(report.json.text())])
    }

    package func remove(_ member: String) throws(ClusterError) {
        try writer.deleteProgress(index, Self.prefix + member)
    }

    /// All reports, the newest first.
    package func read() throws(ClusterError) -> [MemberReport] {
        // Without a refresh a report that was just removed would still be found.
        try writer.refresh(index)
        return try writer.documents(index, member: "report").filter { $0.id.hasPrefix(Self.prefix) }.compactMap {
            document in
            document.source["report"]?.string.flatMap { try? JSONValue(parsing: $0) }.flatMap { MemberReport(json: $0) }
        }.sorted { $0.updated > $1.updated }
    }
}

import Commands
import Foundation
import JSONText
import Runtime
import SearchCluster
import Telemetry

/// What a running process last said of itself, in a document of its own in the state index.
public struct MemberReport: Sendable, Equatable {
    /// Unique for each process.
    public var member: String
    public var command: String
    public var host: String
    public var pid: Int
    /// By its own clock, milliseconds since 1970.
    public var started: Int64
    public var updated: Int64
    public var partitions: [Summary.Partition] = []
    public var concurrency: Concurrency?
    public var alarms: [Alarm] = []
    /// What keeps the target from taking writes; nil: nothing.
    public var waiting: String?
    /// What keeps records from coming: no broker answers, or an open transaction; nil: nothing.
    public var waitingForLog: String?

    /// Whatever it waits for.
    public var trouble: String? { waiting ?? waitingForLog }

    /// A report comes every 10 s; who has missed three has ended, or hangs, or cannot reach the target.
    static let staleAfter: Int64 = 35_000

    /// Seconds since it was heard of.
    public func age(now: Int64) -> Int64 { max(0, now - updated) / 1000 }

    public func isStale(now: Int64) -> Bool { now - updated > Self.staleAfter }

    public var read: Int { partitions.reduce(0) { $0 + $1.read } }
    public var inFlight: Int { partitions.reduce(0) { $0 + $1.inFlight } }
    public var outcomes: [Int] {
        partitions.reduce(into: Array(repeating: 0, count: Outcome.allCases.count)) { sum, part in
            for at in part.outcomes.indices where at < sum.count { sum[at] += part.outcomes[at] }
        }
    }

    public var json: JSONValue {
        [
            "member": .string(member), "command": .string(command), "host": .string(host), "pid": .number(pid),
            "started": .number(started), "updated": .number(updated), "read": .number(read),
            "in_flight": .number(inFlight),
            "outcomes": .object(JSONObject(zip(Outcome.allCases, outcomes).map { ($0.name, .number($1)) })),
            "partitions": .array(partitions.map(\.json)), "concurrency": concurrency?.json ?? .null,
            "alarms": .array(alarms.map(\.json)), "waiting": trouble.map { .string($0) } ?? .null,
            "waiting_for": trouble == nil ? .null : waiting == nil ? "log" : "target",
        ]
    }

    init(member: String, command: String, host: String, pid: Int, started: Int64, updated: Int64) {
        (self.member, self.command, self.host, self.pid) = (member, command, host, pid)
        (self.started, self.updated) = (started, updated)
    }

    public init?(json: JSONValue) {
        guard let member = json["member"]?.string, let command = json["command"]?.string,
            let host = json["host"]?.string, let pid = json["pid"]?.int, let started = json["started"]?.int,
            let updated = json["updated"]?.int
        else { return nil }
        self.init(
            member: member, command: command, host: host, pid: Int(clamping: pid), started: started, updated: updated)
        partitions = (json["partitions"]?.array ?? []).compactMap { Summary.Partition(json: $0) }
        concurrency = json["concurrency"].flatMap { Concurrency(json: $0) }
        alarms = (json["alarms"]?.array ?? []).compactMap { Alarm(json: $0) }
        // A member of an earlier version waits for nothing but the target.
        if json["waiting_for"]?.string == "log" {
            waitingForLog = json["waiting"]?.string
        } else {
            waiting = json["waiting"]?.string
        }
    }
}

/// The members' documents. They only inform: what cannot be written or read is left out.
struct MemberBoard: Sendable {
    private static let prefix = "member-"
    private let writer: TargetWriter
    private let index: String

    init(_ store: StateStore, target: Cluster) {
        writer = target.writer
        index = store.index
    }

    func write(_ report: MemberReport) throws(ClusterError) {
        // As text: what it holds must not grow the mapping of the state index.
        try writer.putProgress(index, Self.prefix + report.member, ["report": .string(report.json.text())])
    }

    func remove(_ member: String) throws(ClusterError) { try writer.deleteProgress(index, Self.prefix + member) }

    /// Every report there is, the newest first.
    func read() throws(ClusterError) -> [MemberReport] {
        // Else one that ended a moment ago is still found.
        try writer.refresh(index)
        return try writer.documents(index).filter { $0.id.hasPrefix(Self.prefix) }.compactMap { document in
            document.source["report"]?.string.flatMap { try? JSONValue(parsing: $0) }.flatMap { MemberReport(json: $0) }
        }.sorted { $0.updated > $1.updated }
    }
}

/// Writes this process's report every 10 s, on a thread of its own, and takes it away at the end.
///
/// `@unchecked Sendable` because `stopped` is touched only under `condition`.
final class MemberBeacon: @unchecked Sendable {
    private let board: MemberBoard
    private let pipeline: Pipeline
    private let command: String
    /// nil: this work does not watch the log.
    private let watch: LogWatch?
    private let member = UUID().uuidString.lowercased()
    private let started = WallClock.now()
    private let condition = MonotonicCondition()
    private var stopped = false
    private var thread: JoinableThread?

    /// Milliseconds between two reports in which nothing else is new than figures.
    private static let every: Int64 = 10_000
    /// Reports of processes that were killed go after so many milliseconds.
    private static let forgottenAfter: Int64 = 3_600_000

    init(_ command: String, _ pipeline: Pipeline, watch: LogWatch?, store: StateStore, target: Cluster) {
        self.command = command
        self.watch = watch
        self.pipeline = pipeline
        board = MemberBoard(store, target: target)
    }

    func start() {
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
    func stop() {
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
            report.partitions = pipeline.ledger.partitions().map { Summary.Partition($0, end: ends[$0.partition]) }
        }
        report.concurrency = Concurrency(pipeline.sink.load)
        report.alarms = Alarm(pipeline.ledger.alarm).map { [$0] } ?? []
        report.waiting = pipeline.sink.presentTrouble
        report.waitingForLog = watch?.waiting
        return report
    }
}

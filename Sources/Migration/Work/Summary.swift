import Commands
import Foundation
import JSONText
import Runtime
import Telemetry

/// What a piece of work came to: every record and document read, with its one outcome.
public struct Summary: Sendable {
    /// At any moment `read == outcomes + inFlight`.
    public struct Partition: Sendable, Equatable {
        public var partition: Int32
        /// The first offset read; nil: nothing was.
        public var start: Int64?
        /// The next offset to read.
        public var position: Int64?
        /// Everything before it has its final outcome.
        public var committed: Int64?
        /// Where the log ends, or where the replay is to; nil: it could not be asked.
        public var end: Int64?
        public var read = 0
        public var inFlight = 0
        public var outcomes: [Int] = []
        /// Whether the process still reads it.
        public var isOwned = true
    }

    public var command: String
    public var read: Int
    public var outcomes: [(Outcome, Int)]
    public var seconds: Double
    /// Documents the source returned (copy).
    public var returned: Int?
    /// Documents the source held when the copy began.
    public var expected: Int?
    /// Records without their final outcome when the work ended: they are read again at the next start.
    public var inFlight = 0
    public var partitions: [Partition] = []
    public var concurrency: Concurrency?
    public var alarms: [Alarm] = []
    /// Dead letters by reason.
    public var reasons: [String: Int] = [:]
    /// Whether the log must be replayed before the target is whole.
    public var replayDue = false
    /// Command lines to type next; empty: there is none.
    public var next: [String] = []
    /// Whether everything asked for was done, rather than interrupted.
    public var complete: Bool

    init(_ command: String, counts: OutcomeCounts, seconds: Double, complete: Bool) {
        self.command = command
        read = counts.total
        outcomes = Outcome.allCases.map { ($0, counts[$0]) }
        self.seconds = seconds
        self.complete = complete
    }

    public var json: JSONValue {
        var object: JSONObject = [
            "command": .string(command), "complete": .bool(complete), "read": .number(read),
            "outcomes": .object(JSONObject(outcomes.map { ($0.0.name, .number($0.1)) })),
            "seconds": .number(String(format: "%.3f", seconds)),
            "records_per_second": .number(String(format: "%.0f", Double(read) / max(seconds, 0.001))),
        ]
        if let returned { object["returned"] = .number(returned) }
        if let expected { object["expected"] = .number(expected) }
        if replayDue { object["replay_due"] = true }
        if !partitions.isEmpty {
            object["in_flight"] = .number(inFlight)
            object["partitions"] = .array(partitions.map(\.json))
        }
        if let concurrency { object["concurrency"] = concurrency.json }
        object["alarms"] = .array(alarms.map(\.json))
        if !reasons.isEmpty {
            object["dead_letter_reasons"] = .object(
                JSONObject(reasons.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value)) }))
        }
        object["next"] = .array(next.map { .string($0) })
        return .object(object)
    }

    public var text: String {
        let rate = Int(Double(read) / max(seconds, 0.001))
        var lines = [
            "\(command) \(complete ? "done" : "interrupted"): \(read) read in \(Self.duration(seconds)), \(rate)/s"
        ]
        if let returned, let expected {
            lines.append("  source returned \(returned) documents, of \(expected) counted when the copy began")
        }
        let parts = outcomes.filter { $0.1 > 0 }.map { "\($0.0.name) \($0.1)" }
        lines.append("  outcomes: " + (parts.isEmpty ? "none" : parts.joined(separator: ", ")))
        if !reasons.isEmpty {
            let why = reasons.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            lines.append("  dead letters: " + why.joined(separator: ", "))
        }
        if replayDue { lines.append("  a replay is due: the target index was made again") }
        lines += partitions.map { "  " + $0.text }
        if let concurrency { lines.append("  " + concurrency.text) }
        lines += alarms.map { "  ALARM \($0.name): \($0.text)" }
        lines += next.map { "next: \($0)" }
        return lines.joined(separator: "\n")
    }

    static func duration(_ seconds: Double) -> String {
        if seconds < 60 { return String(format: "%.1f s", seconds) }
        let whole = Int(seconds)
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}

/// Says how far long work is: a line that is rewritten on a terminal, a log line every 10 s elsewhere.
///
/// `@unchecked Sendable` because it is used by the one thread that drives the work.
public final class Progress: @unchecked Sendable {
    private let command: String
    private let logger: Logger
    private let terminal: Bool
    private let begun = MonotonicClock.milliseconds()
    private var next: Int64 = 0
    private var last: (at: Int64, done: Int) = (0, 0)
    /// Whether the last line said that something is waited for, and when it was written.
    private var said: (trouble: Bool, at: Int64) = (false, 0)

    public init(_ command: String, logger: Logger) {
        self.command = command
        self.logger = logger
        terminal = isatty(STDERR_FILENO) == 1
        next = begun + (terminal ? 200 : 10_000)
        last = (begun, 0)
    }

    /// Seconds since the work began.
    var seconds: Double { Double(MonotonicClock.milliseconds() - begun) / 1000 }

    /// `total`: what there is to do, where that is known; `lag`: records behind, for following, as text, which is asked for
    /// only when a line is due; `trouble`: what is waited for. That this begins or ends is said at once.
    func tell(done: Int, total: Int?, lag: @autoclosure () -> String? = nil, trouble: String? = nil) {
        let now = MonotonicClock.milliseconds()
        let hasChanged = (trouble != nil) != said.trouble && now - said.at >= 1000
        guard now >= next || hasChanged else { return }
        next = now + (terminal ? 500 : 10_000)
        said = (trouble != nil, now)
        let rate = Double(done - last.done) / max(Double(now - last.at) / 1000, 0.001)
        last = (now, done)
        var left: String?
        if let total, rate > 0, total >= done { left = Summary.duration(Double(total - done) / rate) }
        if terminal {
            var line = "\(command): \(done)"
            if let total { line += " of \(total)" }
            line += ", \(Int(rate))/s"
            if let lag = lag() { line += ", lag \(lag)" }
            if total != nil { line += ", \(left ?? "-") left" }
            if let trouble { line += ", WAITING: \(trouble)" }
            // A line that is wider than the terminal cannot be drawn over.
            write("\r\u{1B}[K" + line.prefix(max(20, StandardStreams.width(of: STDERR_FILENO) - 1)))
        } else {
            logger.info(
                "progress",
                [
                    "command": command, "done": done, "total": total,
                    "rate": Int(rate), "lag": LoggedLag(text: lag()), "left": left, "waiting": trouble ?? "no",
                ])
        }
    }

    /// Where it is no number it is not known, or not asked for.
    private struct LoggedLag: LogValue {
        let text: String?
        var logText: String { text ?? "-" }
        var logJSON: String { text.flatMap { Int64($0) }.map(String.init) ?? "null" }
    }

    /// Takes the line off the terminal.
    func end() { if terminal { write("\r\u{1B}[K") } }

    private func write(_ text: String) { StandardStreams.write(text, to: 2) }
}

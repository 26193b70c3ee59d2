import Commands
import Foundation
import Indexing
import JSONText
import Pipeline
import Recipe
import Runtime
import State
import Telemetry

/// What a piece of work came to: every record and document read, with its one outcome.
package struct Summary: Sendable {
    package var command: String
    package var read: Int
    package var outcomes: [(Outcome, Int)]
    package var seconds: Double
    /// Documents the source returned (copy).
    package var returned: Int?
    /// Documents the source held when the copy began.
    package var expected: Int?
    /// Records without their final outcome when the work ended: they are read again at the next start.
    package var inFlight = 0
    package var partitions: [PartitionReport] = []
    package var concurrency: BulkLoad?
    package var alarms: [Alarm] = []
    /// Dead letters by reason.
    package var reasons: [String: Int] = [:]
    /// Whether the log must be replayed before the target is whole.
    package var replayDue = false
    /// The refusals that the recipe accepts.
    package var accepted: [Recipe.Acceptance]
    /// Command lines to type next; empty: there is none.
    package var next: [String] = []
    /// Whether everything asked for was done, rather than interrupted.
    package var complete: Bool

    package init(
        _ command: String, counts: OutcomeCounts, seconds: Double, complete: Bool, accepted: [Recipe.Acceptance]
    ) {
        (self.command, self.accepted) = (command, accepted)
        read = counts.total
        outcomes = Outcome.allCases.map { ($0, counts[$0]) }
        (self.seconds, self.complete) = (seconds, complete)
    }

    package static func duration(_ seconds: Double) -> String {
        if seconds < 60 { return String(format: "%.1f s", seconds) }
        let whole = Int(seconds)
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}

/// Says how far long work is: a line that is rewritten on a terminal, a log line every 10 s elsewhere.
///
/// `@unchecked Sendable` because it is used by the one thread that drives the work.
package final class Progress: @unchecked Sendable {
    private let command: String
    private let logger: Logger
    private let terminal: Bool
    private let begun = MonotonicClock.milliseconds()
    private var next: Int64 = 0
    private var last: (at: Int64, done: Int) = (0, 0)
    /// Whether the last line said that something is waited for, and when it was written.
    private var said: (trouble: Bool, at: Int64) = (false, 0)

    package init(_ command: String, logger: Logger) {
        (self.command, self.logger) = (command, logger)
        terminal = isatty(STDERR_FILENO) == 1
        next = begun + (terminal ? 200 : 10_000)
        last = (begun, 0)
    }

    /// Seconds since the work began.
    package var seconds: Double { Double(MonotonicClock.milliseconds() - begun) / 1000 }

    /// `total`: what there is to do, where that is known; `lag`: records behind, for following, as text, which is asked
    /// for only when a line is due; `trouble`: what is waited for. That this begins or ends is said at once.
    package func tell(done: Int, total: Int?, lag: @autoclosure () -> String? = nil, trouble: String? = nil) {
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
        package let text: String?
        package var logText: String { text ?? "-" }
        package var logJSON: String { text.flatMap { Int64($0) }.map(String.init) ?? "null" }
    }

    /// Takes the line off the terminal.
    package func end() { if terminal { write("\r\u{1B}[K") } }

    private func write(_ text: String) { StandardStreams.write(text, to: 2) }
}

import Commands
import Foundation
import Indexing
import JSONText
import Pipeline
import Recipe
import Runtime
import State
import Synchronization
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
    /// The copy, with what became of its documents in all its runs.
    package var copy: MigrationState.Copy?
    /// What a person should know.
    package var notes: [String] = []
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
    /// Whether nothing of what was asked for came to a good end, although nothing failed: every letter died again.
    package var isInVain = false

    package init(
        _ command: String, counts: OutcomeCounts, seconds: Double, complete: Bool, accepted: [Recipe.Acceptance]
    ) {
        (self.command, self.accepted) = (command, accepted)
        read = counts.total
        outcomes = Outcome.allCases.map { ($0, counts[$0]) }
        (self.seconds, self.complete) = (seconds, complete)
    }

    /// For the history: `120 read: indexed 118, stale 2; in 3.0 s`.
    package var words: String {
        let counts = outcomes.filter { $0.1 > 0 }.map { "\($0.0.name) \($0.1)" }.joined(separator: ", ")
        return "\(read) read" + (counts.isEmpty ? "" : ": \(counts)") + "; in \(Self.duration(seconds))"
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
    /// Who shows how far each command is, in place of lines on the terminal and in the log; nil: nobody does.
    /// `command`, and how far it is in words.
    package static let screen = Mutex<(@Sendable (_ command: String, _ line: String) -> Void)?>(nil)

    private let command: String
    private let logger: Logger
    private let terminal: Bool
    private let screen = Progress.screen.withLock { $0 }
    private let begun = MonotonicClock.milliseconds()
    private var next: Int64 = 0
    private var last: (at: Int64, done: Int) = (0, 0)
    private var lastParts = StagedProgress(stage: "", at: 0, done: [])
    /// Whether the last line said that something is waited for, and when it was written.
    private var said: (trouble: Bool, at: Int64) = (false, 0)

    package init(_ command: String, logger: Logger) {
        (self.command, self.logger) = (command, logger)
        terminal = isatty(STDERR_FILENO) == 1
        next = begun + (terminal || screen != nil ? 200 : 10_000)
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
        next = now + (terminal || screen != nil ? 500 : 10_000)
        said = (trouble != nil, now)
        // A number that is put right later may go back. Nothing is undone.
        let rate = max(0, Double(done - last.done)) / max(Double(now - last.at) / 1000, 0.001)
        last = (now, done)
        var left: String?
        if let total, rate > 0, total >= done { left = Summary.duration(Double(total - done) / rate) }
        if terminal || screen != nil {
            var line = "\(done)"
            if let total { line += " of \(total)" }
            line += ", \(Int(rate))/s"
            if let lag = lag() { line += ", lag \(lag)" }
            if total != nil { line += ", \(left ?? "-") left" }
            if let trouble { line += ", WAITING: \(trouble)" }
            show(line)
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
        package var logJSON: String { text.flatMap { OutsideNumber.count(text: $0) }.map(String.init) ?? "null" }
    }

    /// One side of work that reads two.
    package struct Part: Sendable {
        package var name: String
        package var done: Int
        /// What there is to do; nil: that is not known.
        package var total: Int?

        package init(_ name: String, done: Int, total: Int?) {
            (self.name, self.done, self.total) = (name, done, total)
        }
    }

    /// For work in stages that reads several parts at once. The time left is that of the slowest. The same `stage` must
    /// go on with the same parts.
    package func tell(stage: String, _ parts: [Part], trouble: String? = nil) {
        let now = MonotonicClock.milliseconds()
        let hasChanged = (trouble != nil) != said.trouble && now - said.at >= 1000
        guard now >= next || hasChanged else { return }
        next = now + (terminal || screen != nil ? 500 : 10_000)
        said = (trouble != nil, now)
        let line = StagedProgress.line(stage, parts, since: lastParts.stage == stage ? lastParts : nil, now: now)
        lastParts = StagedProgress(stage: stage, at: now, done: parts.map(\.done))
        if terminal || screen != nil {
            show(line + (trouble.map { ", WAITING: \($0)" } ?? ""))
        } else {
            logger.info("progress", ["command": command, "stage": line, "waiting": trouble ?? "no"])
        }
    }

    /// Shows how far it is, in place of what was shown before.
    private func show(_ line: String) {
        if let screen { return screen(command, line) }
        // A line that is wider than the terminal cannot be drawn over.
        let room = max(20, StandardStreams.width(of: STDERR_FILENO) - 1)
        StandardStreams.draw("\r\u{1B}[K\(VisibleText.line("\(command): \(line)").prefix(room))", to: STDERR_FILENO)
    }

    /// Takes the line off the terminal.
    package func end() { if terminal, screen == nil { StandardStreams.draw("\r\u{1B}[K", to: STDERR_FILENO) } }
}

/// What the last line about a stage of work was made of.
package struct StagedProgress: Sendable {
    var stage: String
    /// By the monotonic clock, milliseconds.
    var at: Int64
    /// In the order of the parts.
    var done: [Int]

    /// How far it is, with the rates since then; in the first second there are none.
    func report(_ parts: [Progress.Part], waiting: String?, now: Int64) -> StageReport {
        let seconds = Double(now - at) / 1000
        return StageReport(
            stage: stage,
            parts: parts.enumerated().map { place, part in
                let before = done.indices.contains(place) ? done[place] : 0
                return StageReport.Part(
                    name: part.name, done: part.done, total: part.total,
                    rate: seconds >= 1 ? max(0, Double(part.done - before) / seconds) : nil)
            }, waiting: waiting)
    }

    /// `since`: the last line of the same stage; nil: it has just begun, and no rate is known.
    static func line(_ stage: String, _ parts: [Progress.Part], since: StagedProgress?, now: Int64) -> String {
        let seconds = since.map { max(Double(now - $0.at) / 1000, 0.001) }
        var longest: Double? = 0
        let shown = parts.enumerated().map { place, part in
            var text = "\(part.name) \(part.done)" + (part.total.map { " of \($0)" } ?? "")
            guard let total = part.total, part.done < total else { return text }
            guard let since, let seconds, since.done.indices.contains(place) else {
                longest = nil
                return text
            }
            let rate = max(0, Double(part.done - since.done[place])) / seconds
            text += ", \(Int(rate))/s"
            longest = rate > 0 ? longest.map { max($0, Double(total - part.done) / rate) } : nil
            return text
        }
        let hasTotals = parts.contains { $0.total != nil }
        let left = hasTotals ? ["\(longest.map { Summary.duration($0) } ?? "-") left"] : []
        return ([stage + ": " + shown.joined(separator: "; ")] + left).joined(separator: "; ")
    }
}

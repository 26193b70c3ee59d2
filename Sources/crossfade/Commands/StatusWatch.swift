import Foundation
import JSONText
import Migration
import Recipe
import Runtime
import Synchronization
import Telemetry

/// `status --watch`: shows the status again and again. On a terminal it uses the whole screen and restores it at the
/// end. Elsewhere it prints one status after the other.
final class StatusWatch: Sendable {
    private static let every = 2.0
    /// Seconds. Reading the dead-letter topic may take long, so its figures are reused for this time.
    private static let lettersEvery: TimeInterval = 10

    private struct Seen {
        var status: Status?
        /// Why the last look failed; nil: it succeeded.
        var failure: String?
        var looks = 0
        var isOver = false
    }

    private let recipe: Recipe
    private let output: Output
    private let logger: Logger
    private let seen = Mutex(Seen())
    private let letters = Mutex<(Status.Letters, Date)?>(nil)

    init(_ recipe: Recipe, _ output: Output, _ logger: Logger) {
        (self.recipe, self.output, self.logger) = (recipe, output, logger)
    }

    func run() -> ExitCode {
        if output.format == .text, isatty(STDOUT_FILENO) == 1, isatty(STDIN_FILENO) == 1 { return onScreen() }
        StopSignal.listen()
        while !StopSignal.isAsked {
            do {
                let status = try look()
                output.data(status.json, text: status.text + "\n")
            } catch {
                output.failure("\(error)", code: "failed")
            }
            let due = Date().addingTimeInterval(Self.every)
            while Date() < due, !StopSignal.isAsked { Thread.sleep(forTimeInterval: 0.05) }
        }
        return .interrupted
    }

    private func look() throws -> Status {
        var known = letters.withLock { $0 }
        if let read = known, Date().timeIntervalSince(read.1) >= Self.lettersEvery { known = nil }
        let status = try Status.look(recipe, letters: known?.0, logger: logger)
        if known == nil { letters.withLock { $0 = (status.letters, Date()) } }
        return status.lookingAtReaders(logger: logger)
    }

    // MARK: The screen

    private func onScreen() -> ExitCode {
        Screen.enter()
        defer { Screen.leave() }
        // A look may take long when a server does not answer. This thread must still react to keys.
        let looker = Thread { [self] in
            while !seen.withLock({ $0.isOver }) {
                let found = Result { try look() }
                seen.withLock {
                    $0.looks += 1
                    switch found {
                    case .success(let status): ($0.status, $0.failure) = (status, nil)
                    case .failure(let error): $0.failure = "\(error)"
                    }
                }
                Thread.sleep(forTimeInterval: Self.every)
            }
        }
        looker.start()
        var drawn = -1
        var size = (columns: 0, rows: 0)
        while true {
            let present = StandardStreams.size(of: STDOUT_FILENO)
            let looks = seen.withLock { $0.looks }
            if looks != drawn || present != size {
                (drawn, size) = (looks, present)
                draw(columns: size.columns, rows: size.rows)
            }
            if Screen.key(milliseconds: 100).map({ "qQ\u{3}\u{4}".unicodeScalars.contains($0) }) == true { break }
        }
        seen.withLock { $0.isOver = true }
        return .done
    }

    private func draw(columns: Int, rows: Int) {
        let (status, failure, looks) = seen.withLock { ($0.status, $0.failure, $0.looks) }
        var lines = [Self.header(status)]
        if looks == 0 { lines.append("looking ...") }
        if let failure { lines.append("CANNOT LOOK NOW: \(failure)") }
        if let status { lines += status.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
        StandardStreams.draw(Screen.frame(lines, columns: columns, rows: rows), to: STDOUT_FILENO)
    }

    private static func header(_ status: Status?) -> String {
        guard let status else { return "crossfade status, every \(Int(every)) s, q ends" }
        let time = Date(timeIntervalSince1970: Double(status.now) / 1000)
        return "crossfade status at \(time.formatted(.iso8601)), every \(Int(every)) s, q ends"
    }
}

/// The terminal's alternate screen, without echo and line buffer. The normal screen comes back however a signal ends
/// the process.
enum Screen {
    private static let leaving = "\u{1B}[?25h\u{1B}[?1049l"
    /// The terminal's settings before `enter`. They are written before the signal handlers that read them are
    /// installed.
    nonisolated(unsafe) private static var before = termios()

    static func enter() {
        tcgetattr(STDIN_FILENO, &before)
        let handler: @convention(c) (Int32) -> Void = { _ in
            Screen.leave()
            _exit(ExitCode.interrupted.rawValue)
        }
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, handler) }
        var raw = before
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw)
        StandardStreams.draw("\u{1B}[?1049h\u{1B}[?25l", to: STDOUT_FILENO)
    }

    /// A signal handler calls this too, so it uses only async-signal-safe functions.
    static func leave() {
        tcsetattr(STDIN_FILENO, TCSANOW, &before)
        leaving.utf8.withContiguousStorageIfAvailable { _ = write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }

    /// A key that was pressed within this time; nil: none. The end of the input counts as Ctrl-D.
    static func key(milliseconds: Int32) -> Unicode.Scalar? {
        var ready = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, milliseconds) > 0 else { return nil }
        var byte: UInt8 = 0
        let count = read(STDIN_FILENO, &byte, 1)
        return count == 1 ? Unicode.Scalar(byte) : count == 0 ? "\u{4}" : nil
    }

    /// Draws the lines on the whole screen, cut at its edges. The last line counts the lines that do not fit.
    static func frame(_ lines: [String], columns: Int, rows: Int) -> TerminalDrawing {
        var shown = lines
        if rows > 1, lines.count > rows {
            shown = lines.prefix(rows - 1) + ["... \(lines.count - rows + 1) more lines"]
        }
        let drawn = shown.enumerated().map { place, line -> TerminalDrawing in
            let plain = VisibleText.line(line)
            let cut = plain.count > columns ? plain.prefix(max(1, columns - 1)) + "\u{2026}" : plain
            return place == 0 ? "\(cut)\u{1B}[K" : "\r\n\(cut)\u{1B}[K"
        }
        return "\u{1B}[H\(drawn)\u{1B}[J"
    }
}

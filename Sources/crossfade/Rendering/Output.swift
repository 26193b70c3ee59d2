import Foundation
import JSONText
import Telemetry

/// The only place that writes to the outside: data to standard output, messages to standard error.
struct Output: Sendable {
    enum Format: String, CaseIterable, Sendable { case text, json }

    let format: Format
    /// Whether standard error is a terminal. Only there may progress overwrite its line.
    let isTerminal: Bool

    /// Whether each line on standard error is a JSON object: what is not of the log, too.
    let logsJSON: Bool

    init(format: Format, logsJSON: Bool = false, isTerminal: Bool = isatty(STDERR_FILENO) == 1) {
        (self.format, self.logsJSON, self.isTerminal) = (format, logsJSON, isTerminal)
    }

    /// Prints data in the format that the user asked for: JSON for programs or text for people.
    func data(_ json: @autoclosure () -> JSONValue, text: @autoclosure () -> String) {
        switch format {
        case .json: self.json(json())
        case .text: line(text())
        }
    }

    /// Prints a line of data for people, or several.
    func line(_ text: String) { StandardStreams.write(text + "\n", to: STDOUT_FILENO) }

    /// Prints a JSON value on a line, or on several.
    func json(_ value: JSONValue, pretty: Bool = false) {
        StandardStreams.write(json: value.text(pretty: pretty) + "\n", to: STDOUT_FILENO)
    }

    /// Prints a message that is not data, on one line: what comes from outside cannot begin another one.
    func talk(_ text: String) { talk(.info, text) }

    private func talk(_ level: Logger.Level, _ text: String, code: String? = nil) {
        let line = logsJSON ? Logger.jsonLine(level, text, code: code) : VisibleText.line(text) + "\n"
        StandardStreams.write(line, to: STDERR_FILENO)
    }

    /// Prints a report that is not data.
    func talk(lines text: String) {
        StandardStreams.write(logsJSON ? Logger.jsonLine(.info, text) : text + "\n", to: STDERR_FILENO)
    }

    /// Prints a message in place of the line that says how far the work is.
    func talkOverProgress(_ text: String) {
        guard isTerminal, !logsJSON else { return talk(text) }
        StandardStreams.draw("\r\u{1B}[K\(VisibleText.line(text))\n", to: STDERR_FILENO)
    }

    /// Prints an error: one paragraph that says what happened, to what, and what to do. With `--format json` the
    /// error is printed as data too, so that a program finds it on standard output.
    func failure(_ text: String, code: String, details: [(String, JSONValue)] = []) {
        // Some texts begin with the full name of a command, which already contains the program's name.
        let named = text.hasPrefix("crossfade ") ? String(text.dropFirst("crossfade ".count)) : text
        talk(.error, named.hasPrefix("crossfade: ") ? named : "crossfade: " + named, code: code)
        guard format == .json else { return }
        let error: [(String, JSONValue)] = [("code", .string(code)), ("message", .string(text))] + details
        json(.object(JSONObject([("error", .object(JSONObject(error)))])))
    }
}

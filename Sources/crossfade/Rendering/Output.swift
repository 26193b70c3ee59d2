import Foundation
import JSONText
import Telemetry

/// The only place that writes to the outside: data to standard output, messages to standard error.
struct Output: Sendable {
    enum Format: String, CaseIterable, Sendable { case text, json }

    let format: Format
    /// Whether standard error is a terminal. Only there may progress overwrite its line.
    let isTerminal: Bool

    init(format: Format, isTerminal: Bool = isatty(STDERR_FILENO) == 1) {
        (self.format, self.isTerminal) = (format, isTerminal)
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
    func talk(_ text: String) { StandardStreams.write(VisibleText.line(text) + "\n", to: STDERR_FILENO) }

    /// Prints a report that is not data.
    func talk(lines text: String) { StandardStreams.write(text + "\n", to: STDERR_FILENO) }

    /// Prints a message in place of the line that says how far the work is.
    func talkOverProgress(_ text: String) {
        guard isTerminal else { return talk(text) }
        StandardStreams.draw("\r\u{1B}[K\(VisibleText.line(text))\n", to: STDERR_FILENO)
    }

    /// Prints an error: one paragraph that says what happened, to what, and what to do. With `--format json` the
    /// error is printed as data too, so that a program finds it on standard output.
    func failure(_ text: String, code: String, details: [(String, JSONValue)] = []) {
        // Some texts begin with the full name of a command, which already contains the program's name.
        let named = text.hasPrefix("crossfade ") ? String(text.dropFirst("crossfade ".count)) : text
        talk(named.hasPrefix("crossfade: ") ? named : "crossfade: " + named)
        guard format == .json else { return }
        let error: [(String, JSONValue)] = [("code", .string(code)), ("message", .string(text))] + details
        json(.object(JSONObject([("error", .object(JSONObject(error)))])))
    }
}

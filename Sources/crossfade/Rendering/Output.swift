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
        case .json: line(json().text())
        case .text: line(text())
        }
    }

    /// Prints a line of data unchanged, e.g. a schema.
    func line(_ text: String) { StandardStreams.write(text + "\n", to: STDOUT_FILENO) }

    /// Prints a message that is not data.
    func talk(_ text: String) { StandardStreams.write(text + "\n", to: STDERR_FILENO) }

    /// Prints an error: one paragraph that says what happened, to what, and what to do. With `--format json` the
    /// error is printed as data too, so that a program finds it on standard output.
    func failure(_ text: String, code: String, details: [(String, JSONValue)] = []) {
        // Some texts begin with the full name of a command, which already contains the program's name.
        let named = text.hasPrefix("crossfade ") ? String(text.dropFirst("crossfade ".count)) : text
        talk(named.hasPrefix("crossfade: ") ? named : "crossfade: " + named)
        guard format == .json else { return }
        let error: [(String, JSONValue)] = [("code", .string(code)), ("message", .string(text))] + details
        line(JSONValue.object(JSONObject([("error", .object(JSONObject(error)))])).text())
    }
}

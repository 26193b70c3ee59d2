import Foundation
import JSONText
import Telemetry

/// The one place that writes to the outside: data to standard output, talk to standard error.
struct Output: Sendable {
    enum Format: String, CaseIterable, Sendable { case text, json }

    let format: Format
    /// Whether standard error is a terminal, where progress may draw over its line.
    let isTerminal: Bool

    init(format: Format, isTerminal: Bool = isatty(STDERR_FILENO) == 1) {
        self.format = format
        self.isTerminal = isTerminal
    }

    /// Data: the JSON for programs or the text for people, whichever was asked for.
    func data(_ json: @autoclosure () -> JSONValue, text: @autoclosure () -> String) {
        switch format {
        case .json: line(json().text())
        case .text: line(text())
        }
    }

    /// A line of data as it is, e.g. a schema.
    func line(_ text: String) { StandardStreams.write(text + "\n", to: STDOUT_FILENO) }

    /// Something to know that is not data.
    func talk(_ text: String) { StandardStreams.write(text + "\n", to: STDERR_FILENO) }

    /// What went wrong: one paragraph that says what happened, to what, and what to do. As data too where JSON is
    /// asked for, so that a program finds it where it reads.
    func failure(_ text: String, code: String, details: [(String, JSONValue)] = []) {
        // A text that begins with a command's full name says the program's name itself.
        let named = text.hasPrefix("crossfade ") ? String(text.dropFirst("crossfade ".count)) : text
        talk(named.hasPrefix("crossfade: ") ? named : "crossfade: " + named)
        guard format == .json else { return }
        let error: [(String, JSONValue)] = [("code", .string(code)), ("message", .string(text))] + details
        line(JSONValue.object(JSONObject([("error", .object(JSONObject(error)))])).text())
    }
}

import Foundation
import Synchronization

/// Writes log lines to standard error, as text or JSON: a fixed message with values beside it.
///
/// A line never holds the content of documents or a secret. Each line is one `write`, so that lines of several threads
/// do not mix. In JSON numbers stay numbers, and an unknown value is null.
package final class Logger: Sendable {
    package enum Level: Int, Sendable, Comparable {
        case debug, info, warning, error

        package static func < (one: Level, other: Level) -> Bool { one.rawValue < other.rawValue }

        var name: String {
            switch self {
            case .debug: "debug"
            case .info: "info"
            case .warning: "warning"
            case .error: "error"
            }
        }
    }

    package enum Format: String, Sendable, CaseIterable { case text, json }

    private let format: Format
    private let level: Level
    private let write: @Sendable (String) -> Void

    /// `write` gets whole lines with their line end; nil: they go to standard error.
    package init(format: Format = .text, level: Level = .info, write: (@Sendable (String) -> Void)? = nil) {
        (self.format, self.level) = (format, level)
        self.write = write ?? { line in StandardStreams.write(line, to: 2) }
    }

    package func debug(_ message: StaticString, _ metadata: KeyValuePairs<String, any LogValue> = [:]) {
        log(.debug, message, metadata)
    }

    package func info(_ message: StaticString, _ metadata: KeyValuePairs<String, any LogValue> = [:]) {
        log(.info, message, metadata)
    }

    package func warning(_ message: StaticString, _ metadata: KeyValuePairs<String, any LogValue> = [:]) {
        log(.warning, message, metadata)
    }

    package func error(_ message: StaticString, _ metadata: KeyValuePairs<String, any LogValue> = [:]) {
        log(.error, message, metadata)
    }

    /// A line of JSON, with its end, for a message that is put together where it is printed.
    package static func jsonLine(_ level: Level, _ message: String, code: String? = nil) -> String {
        "{\"time\":\"\(time(Date()))\",\"level\":\"\(level.name)\",\"message\":\(quoted(message))"
            + (code.map { ",\"code\":\(quoted($0))" } ?? "") + "}\n"
    }

    private func log(_ level: Level, _ message: StaticString, _ metadata: KeyValuePairs<String, any LogValue>) {
        guard level >= self.level else { return }
        let time = Self.time(Date())
        switch format {
        case .text:
            var line = "\(time) \(level.name) \(message)"
            for (key, value) in metadata { line += " \(key)=\(Self.plain(value.logText))" }
            write(line + "\n")
        case .json:
            var line = "{\"time\":\"\(time)\",\"level\":\"\(level.name)\",\"message\":\(Self.quoted("\(message)"))"
            for (key, value) in metadata { line += ",\(Self.quoted(key)):\(value.logJSON)" }
            write(line + "}\n")
        }
    }

    /// The time in UTC: `2026-11-28T20:54:21.123Z`.
    static func time(_ date: Date) -> String {
        date.formatted(
            .iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted))
    }

    /// The value as it is, or in quotes when it would be ambiguous.
    private static func plain(_ value: String) -> String {
        let ends: Set<Unicode.Scalar> = [" ", "\"", "="]
        let isBare = !value.unicodeScalars.contains { ends.contains($0) || VisibleText.isHidden($0) }
        return isBare && !value.isEmpty ? value : quoted(value)
    }

    static func quoted(_ value: String) -> String {
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where VisibleText.isHidden(scalar): text += VisibleText.unit(scalar)
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}

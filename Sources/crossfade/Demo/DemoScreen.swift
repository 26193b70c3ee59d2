import Foundation
import Telemetry

/// Prints the demo: headings, sentences, tables with aligned numbers. In colour on a terminal, plain elsewhere.
///
/// It writes to standard output, or to standard error when standard output must hold only the JSON receipt.
struct DemoScreen: Sendable {
    private let descriptor: Int32
    private let hasColour: Bool
    let width: Int

    init(format: Output.Format) {
        descriptor = format == .json ? STDERR_FILENO : STDOUT_FILENO
        let environment = ProcessInfo.processInfo.environment
        let isTerminal = isatty(descriptor) == 1
        hasColour = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        width = isTerminal ? Self.columns(descriptor) : 110
    }

    private static func columns(_ descriptor: Int32) -> Int {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 40 else { return 100 }
        return min(Int(size.ws_col), 130)
    }

    enum Style: String {
        case heading = "1;36"
        case command = "1"
        case quiet = "2"
        case good = "1;32"
        case bad = "1;31"
    }

    func line(_ text: String = "", _ style: Style? = nil) {
        guard hasColour, let style, !text.isEmpty else { return StandardStreams.write(text + "\n", to: descriptor) }
        StandardStreams.draw("\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m\n", to: descriptor)
    }

    func heading(_ text: String) {
        line()
        line(hasColour ? text : "== \(text)", .heading)
    }

    /// Prints sentences, wrapped at spaces.
    func say(_ text: String, indent: String = "", _ style: Style? = nil) {
        var row = ""
        for word in text.split(separator: " ") {
            if !row.isEmpty, indent.count + row.count + word.count + 1 > min(width, 100) {
                line(indent + row, style)
                row = ""
            }
            row += (row.isEmpty ? "" : " ") + word
        }
        line(indent + row, style)
    }

    func command(_ text: String) { line("$ \(text)", .command) }

    /// Prints the output of a command: indented, with long lines cut.
    func quote(_ text: String, atMost lines: Int = 40) {
        let all = text.trimmingCharacters(in: .newlines).split(separator: "\n", omittingEmptySubsequences: false)
        for row in all.prefix(lines) {
            let room = max(20, width - 4)
            line(row.isEmpty ? "" : "    " + (row.count > room ? row.prefix(room - 1) + "…" : row), .quiet)
        }
        if all.count > lines { line("    … \(all.count - lines) lines more", .quiet) }
    }

    /// Prints column titles. Numbers are aligned to the right below them.
    func titles(_ titles: [String]) { line(Self.row(titles), .quiet) }
    func numbers(_ numbers: [Int]) { line(Self.row(numbers.map(Self.grouped))) }

    private static func row(_ cells: [String]) -> String {
        "  " + cells.map { String(repeating: " ", count: max(0, 20 - $0.count)) + $0 }.joined()
    }

    /// Prints names on the left and values beside them. Numbers are aligned to the right.
    func table(_ rows: [(String, String)], numbers: Bool = false) {
        let names = rows.map(\.0.count).max() ?? 0
        let values = numbers ? rows.map(\.1.count).max() ?? 0 : 0
        for (name, value) in rows {
            let gap = String(repeating: " ", count: names - name.count + 3 + max(0, values - value.count))
            line("  " + name + gap + value)
        }
    }

    /// 12345 becomes `12,345`.
    static func grouped(_ number: Int) -> String {
        var digits = String(abs(number))
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (number < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }
}

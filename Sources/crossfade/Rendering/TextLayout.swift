import Foundation

/// Lays out text for people in lines of the terminal's width.
struct TextLayout {
    /// Characters per line.
    let width: Int

    /// The narrowest and the widest line. Words do not fit into narrower lines, and wider lines are hard to read.
    static let limits = 40...120
    /// The width when the terminal's is not known.
    static let usual = 80

    init(width: Int) { self.width = min(max(width, Self.limits.lowerBound), Self.limits.upperBound) }

    /// The layout for standard output. The width is COLUMNS when it is set, else the terminal's, else `usual`.
    static func forOutput() -> TextLayout {
        if let named = ProcessInfo.processInfo.environment["COLUMNS"].flatMap({ Int($0) }), named > 0 {
            return TextLayout(width: named)
        }
        var size = winsize()
        guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return TextLayout(width: usual)
        }
        return TextLayout(width: Int(size.ws_col))
    }

    /// A part of a longer text.
    enum Block: Equatable {
        /// Words that may be broken into lines anywhere.
        case paragraph(String)
        /// Lines that keep their form, such as commands to type.
        case verbatim([String])
    }

    /// The parts of a text. Empty lines separate paragraphs. Lines that begin with four spaces keep their form.
    static func blocks(_ text: String) -> [Block] {
        var blocks: [Block] = []
        var isOpen = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.allSatisfy({ $0 == " " }) {
                isOpen = false
            } else if line.hasPrefix("    ") {
                if isOpen, case .verbatim(let lines)? = blocks.last {
                    blocks[blocks.count - 1] = .verbatim(lines + [String(line.dropFirst(4))])
                } else {
                    blocks.append(.verbatim([String(line.dropFirst(4))]))
                }
                isOpen = true
            } else {
                if isOpen, case .paragraph(let words)? = blocks.last {
                    blocks[blocks.count - 1] = .paragraph(words + " " + line)
                } else {
                    blocks.append(.paragraph(String(line)))
                }
                isOpen = true
            }
        }
        return blocks
    }

    /// The text in lines, with an empty line between the parts.
    func text(_ text: String) -> [String] {
        var lines: [String] = []
        for block in Self.blocks(text) {
            if !lines.isEmpty { lines.append("") }
            switch block {
            case .paragraph(let words): lines += paragraph(words)
            case .verbatim(let verbatim): lines += verbatim.map { "    " + $0 }
            }
        }
        return lines
    }

    /// Words in lines. Every line after the first is indented by `hanging` spaces.
    func paragraph(_ text: String, hanging: Int = 0) -> [String] {
        Self.wrapped(text, first: width, others: width - hanging).enumerated().map { at, line in
            at == 0 ? line : String(repeating: " ", count: hanging) + line
        }
    }

    /// Two columns; the second is aligned and wrapped. When the first is too wide, the second begins on its own line.
    func table(_ rows: [(String, String)]) -> [String] {
        let indent = 2
        let gap = 2
        let most = max(width * 2 / 5, 16)
        let first = rows.map(\.0.count).filter { indent + $0 + gap <= most }.max() ?? most - indent - gap
        let column = indent + first + gap
        var lines: [String] = []
        for (name, doc) in rows {
            let docs = Self.wrapped(doc, first: width - column, others: width - column)
            let names = Self.wrapped(name, first: width - indent, others: width - indent - 4).enumerated().map {
                String(repeating: " ", count: $0 == 0 ? indent : indent + 4) + $1
            }
            let margin = String(repeating: " ", count: column)
            if names.count == 1, names[0].count + gap <= column, let start = docs.first {
                lines.append(names[0] + String(repeating: " ", count: column - names[0].count) + start)
                lines += docs.dropFirst().map { margin + $0 }
            } else {
                lines += names + docs.map { margin + $0 }
            }
        }
        return lines
    }

    /// Breaks at spaces. A word is broken only when it is longer than a line.
    private static func wrapped(_ text: String, first: Int, others: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            var word = word
            var room: Int { max(lines.isEmpty ? first : others, 1) }
            if !line.isEmpty, line.count + 1 + word.count > room {
                lines.append(line)
                line = ""
            }
            while line.isEmpty, word.count > room {
                lines.append(String(word.prefix(room)))
                word = word.dropFirst(lines[lines.count - 1].count)
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        if !line.isEmpty { lines.append(line) }
        return lines
    }
}

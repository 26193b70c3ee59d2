/// Makes visible what a terminal would obey, or what would make a text read otherwise than it is.
///
/// Ids, header names, reasons of servers, hosts and names in documents of others are chosen by others. This is the only
/// list of what is dangerous in them: control characters (C0, DEL, C1), marks that turn the direction of a text, and
/// the line separators of Unicode. Everything that is written to a terminal or a text log goes through
/// ``StandardStreams``, which escapes these, so no writer has to think of it.
package enum VisibleText {
    /// Whether a terminal would obey this character, or a reader would not see it.
    package static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// The text with every hidden character as `\u{1b}`. Line feeds stay: they are the layout of whoever wrote the
    /// text.
    package static func lines(_ text: String) -> String {
        escaped(text) { $0 == "\n" ? nil : "\\u{\(String($0.value, radix: 16))}" }
    }

    /// The same for a JSON text, as `\u001b`. There such characters stand only within strings, so its values stay the
    /// same.
    package static func json(_ text: String) -> String { escaped(text) { $0 == "\n" ? nil : unit($0) } }

    /// The text as one line: line feeds are escaped as well. `limit`: in characters (Unicode scalars); what comes
    /// behind is cut off.
    package static func line(_ text: some StringProtocol, limit: Int = .max) -> String {
        let shown = limit == .max ? String(text) : String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit)))
        return escaped(shown) { "\\u{\(String($0.value, radix: 16))}" }
    }

    /// Lines of a report below each other, one line each whatever they hold.
    package static func joined(_ lines: [String]) -> String {
        lines.map { line($0) }.joined(separator: "\n")
    }

    /// Bytes as one line. What is not UTF-8 becomes U+FFFD.
    package static func line(_ bytes: [UInt8], limit: Int = .max) -> String {
        line(String(decoding: bytes, as: UTF8.self), limit: limit)
    }

    /// A hidden character as JSON writes it: `\u001b`.
    static func unit(_ scalar: Unicode.Scalar) -> String {
        let hex = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
    }

    /// `escape`: what stands for a hidden character; nil: it stays.
    private static func escaped(_ text: String, _ escape: (Unicode.Scalar) -> String?) -> String {
        // Nearly every text is clean, and is not copied.
        guard text.unicodeScalars.contains(where: isHidden) else { return text }
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isHidden(scalar), let instead = escape(scalar) {
                clean.append(contentsOf: instead.unicodeScalars)
            } else {
                clean.append(scalar)
            }
        }
        return String(clean)
    }
}

/// What is drawn on a terminal: colours and moves of the cursor are literals of ours and stay; whatever is interpolated
/// is escaped, unless it is a drawing itself.
package struct TerminalDrawing: ExpressibleByStringInterpolation, Sendable {
    package private(set) var text: String

    package init(stringLiteral literal: String) { text = literal }
    package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

        package mutating func appendLiteral(_ literal: String) { text += literal }
        package mutating func appendInterpolation(_ drawing: TerminalDrawing) { text += drawing.text }
        package mutating func appendInterpolation(_ drawings: [TerminalDrawing]) {
            for drawing in drawings { text += drawing.text }
        }
        package mutating func appendInterpolation(_ text: some StringProtocol) {
            self.text += VisibleText.lines(String(text))
        }
    }
}

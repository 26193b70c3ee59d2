import Telemetry

/// HTML that is put together from literals. Whatever is interpolated is escaped, unless it is HTML itself, so that text
/// from outside cannot become markup. For text and for attributes in double quotes.
struct HTML: ExpressibleByStringInterpolation, Sendable {
    var text: String

    init(stringLiteral literal: String) { text = literal }
    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    struct StringInterpolation: StringInterpolationProtocol {
        var text = ""

        init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ html: HTML) { text += html.text }
        mutating func appendInterpolation(_ parts: [HTML]) { for part in parts { text += part.text } }
        mutating func appendInterpolation(_ number: Int) { text += HTML.grouped(Int64(number)) }
        mutating func appendInterpolation(_ number: Int64) { text += HTML.grouped(number) }
        mutating func appendInterpolation(_ string: String) { text += HTML.escaped(string) }
    }

    /// Control characters become visible, as on a terminal.
    static func escaped(_ string: String) -> String {
        var escaped = ""
        for scalar in VisibleText.line(string).unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// `1,234,567`.
    static func grouped(_ number: Int64) -> String {
        var digits = String(number.magnitude)[...]
        var groups: [Substring] = []
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits = digits.dropLast(3)
        }
        return (number < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }
}

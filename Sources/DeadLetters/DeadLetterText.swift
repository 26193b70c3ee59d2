import Basics
import Foundation
import JSONText
import Runtime

/// Times of letters.
package enum DeadLetterTime {
    /// Milliseconds since 1970 as ISO 8601 in UTC.
    package static func text(_ milliseconds: Int64) -> String {
        // Seconds and milliseconds are formatted apart, because a Double of both would round.
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        let date = Date(timeIntervalSince1970: Double(seconds))
        let text = date.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: false))
        return text + String(format: ".%03lldZ", max(0, rest))
    }

    /// A time (`2026-11-21T10:00:00Z`) or how long ago (`90s`, `30m`, `2h`, `1d`), in milliseconds since 1970; nil when
    /// it is neither.
    package static func parse(_ text: String, now: Int64 = WallClock.now()) -> Int64? {
        let units: [Character: Int64] = ["s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        if let last = text.last, let unit = units[last], let count = OutsideNumber.count(text: text.dropLast()),
            count >= 0
        {
            let (ago, overflow) = count.multipliedReportingOverflow(by: unit)
            return overflow ? nil : now - ago
        }
        return ISOTime.milliseconds(text)
    }
}

/// Bytes of letters as text and as JSON.
package enum DeadLetterText {
    /// The text, or `{"base64": ...}` if the bytes are not UTF-8.
    package static func json(_ bytes: [UInt8]) -> JSONValue {
        if let text = String(validating: bytes, as: UTF8.self) { return .string(text) }
        return ["base64": .string(Data(bytes).base64EncodedString())]
    }

    /// A server's message without the value that it quotes. Only `show` may print a document's content.
    package static func withoutValue(_ detail: String) -> String {
        guard let mark = detail.range(of: "Preview of field's value: ") else { return detail }
        return String(detail[..<mark.lowerBound]).trimmingCharacters(in: .whitespaces)
    }
}

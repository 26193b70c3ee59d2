/// A value beside the message of a log line.
package protocol LogValue {
    /// The value in a text line, without quotes.
    var logText: String { get }
    /// The value in a JSON line.
    var logJSON: String { get }
}

extension String: LogValue {
    package var logText: String { self }
    package var logJSON: String { Logger.quoted(self) }
}

extension LogValue where Self: BinaryInteger {
    package var logText: String { String(self) }
    package var logJSON: String { String(self) }
}

extension Int: LogValue {}
extension Int32: LogValue {}
extension Int64: LogValue {}

extension Bool: LogValue {
    package var logText: String { String(self) }
    package var logJSON: String { String(self) }
}

/// Nil means that the value is not known.
extension Optional: LogValue where Wrapped: LogValue {
    package var logText: String { self?.logText ?? "-" }
    package var logJSON: String { self?.logJSON ?? "null" }
}

extension [Int32]: LogValue {
    package var logText: String { map(String.init).joined(separator: ",") }
    package var logJSON: String { "[" + map(String.init).joined(separator: ",") + "]" }
}

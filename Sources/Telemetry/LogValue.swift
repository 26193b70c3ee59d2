/// A value beside the message of a log line.
public protocol LogValue {
    /// The value in a text line, without quotes.
    var logText: String { get }
    /// The value in a JSON line.
    var logJSON: String { get }
}

extension String: LogValue {
    public var logText: String { self }
    public var logJSON: String { Logger.quoted(self) }
}

extension LogValue where Self: BinaryInteger {
    public var logText: String { String(self) }
    public var logJSON: String { String(self) }
}

extension Int: LogValue {}
extension Int32: LogValue {}
extension Int64: LogValue {}

extension Bool: LogValue {
    public var logText: String { String(self) }
    public var logJSON: String { String(self) }
}

/// Nil means that the value is not known.
extension Optional: LogValue where Wrapped: LogValue {
    public var logText: String { self?.logText ?? "-" }
    public var logJSON: String { self?.logJSON ?? "null" }
}

extension [Int32]: LogValue {
    public var logText: String { map(String.init).joined(separator: ",") }
    public var logJSON: String { "[" + map(String.init).joined(separator: ",") + "]" }
}

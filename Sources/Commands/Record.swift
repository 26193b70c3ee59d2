import JSONText

/// The headers of a record.
public protocol RecordHeaders {
    /// The value of the last header with this name; nil when there is none or its value is null.
    func value(of name: String) -> Bytes?
}

/// A record of the command topic, as the decoder needs it. It is a view: its bytes belong to the reader of the record.
public struct Record {
    public var key: Bytes?
    /// Nil when the value is null, which is not the same as an empty value.
    public var value: Bytes?
    /// Milliseconds since 1970; -1 when unknown.
    public var timestamp: Int64
    public var partition: Int32
    public var offset: Int64
    /// A constant: a variable would be set to nil first, and giving it its value would be a call per record.
    public let headers: (any RecordHeaders)?

    @inlinable public init(
        key: Bytes?, value: Bytes?, timestamp: Int64 = -1, partition: Int32, offset: Int64,
        headers: (any RecordHeaders)? = nil
    ) {
        self.key = key
        self.value = value
        self.timestamp = timestamp
        self.partition = partition
        self.offset = offset
        self.headers = headers
    }
}

/// The reason why a record cannot become an operation. Such a record becomes a dead letter.
public struct Reject: Error, Sendable, Equatable {
    /// The reason as a code that never changes: `not_json`, `schema_not_json`, `bad_utf8`,
    /// `too_deep`, `not_an_object`, `no_document`, `no_operation`, `unknown_operation`, `truncate`, `no_id`,
    /// `bad_key`, `id_too_long`, `no_routing`, `bad_routing`, `bad_version`, `no_entry`, `no_value`,
    /// `unavailable_value`.
    public var reason: String
    /// What is wrong with this record, for a reader.
    public var detail: String

    public init(reason: String, detail: String) {
        self.reason = reason
        self.detail = detail
    }

    /// The reason of an event that empties a whole table.
    public static let truncate = "truncate"
}

/// The result of decoding a record.
public enum Decoded {
    case operation(Operation)
    /// There is nothing to do: an ignored command, a null value without meaning, or a command of no entry.
    case skip
    case reject(Reject)

    /// Nil: there is nothing to do.
    @inline(__always) init(_ operation: Operation?) {
        self = operation.map(Decoded.operation) ?? .skip
    }
}

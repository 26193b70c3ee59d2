import JSONText

/// The headers of a record.
public protocol RecordHeaders {
    /// The value of the last header of that name; nil when there is none, or it has no value.
    func value(of name: String) -> Bytes?
}

/// A record of the command topic, as the decoder needs it. A view: its bytes belong to whoever read the record.
public struct Record {
    public var key: Bytes?
    /// Nil for a tombstone, which is not the same as an empty value.
    public var value: Bytes?
    /// Milliseconds since 1970; -1 when unknown.
    public var timestamp: Int64
    public var partition: Int32
    public var offset: Int64
    public var headers: (any RecordHeaders)?

    public init(
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

/// Why a record cannot become an operation; it goes to the dead letters.
public struct Reject: Error, Sendable, Equatable {
    /// Stable code: `not_json`, `schema_not_json`, `bad_utf8`, `lone_surrogate`, `too_deep`, `not_an_object`, `no_document`,
    /// `no_operation`, `unknown_operation`, `truncate`, `no_id`, `id_too_long`, `no_routing`, `bad_routing`, `bad_version`, `no_entry`.
    public var reason: String
    /// What was wrong with this record, for a human.
    public var detail: String

    public init(reason: String, detail: String) {
        self.reason = reason
        self.detail = detail
    }
}

/// What a record turned out to be.
public enum Decoded {
    case operation(Operation)
    /// Nothing to do: an ignored command, a tombstone that means nothing, a command of no entry.
    case skip
    case reject(Reject)
}

import Commands
import JSONText

/// A record of the command topic that somebody wrote down, to see what becomes of it.
package struct SampleRecord: Sendable, Equatable {
    package var key: [UInt8]?
    /// Nil: a record without value.
    package var value: [UInt8]?
    package var headers: [Header]
    package var partition: Int32
    package var offset: Int64
    /// Milliseconds since 1970; -1 when unknown.
    package var timestamp: Int64

    package struct Header: Sendable, Equatable {
        package var name: String
        package var value: [UInt8]?

        package init(name: String, value: [UInt8]?) {
            (self.name, self.value) = (name, value)
        }
    }

    package init(
        key: [UInt8]? = nil, value: [UInt8]?, headers: [Header] = [], partition: Int32 = 0, offset: Int64 = 0,
        timestamp: Int64 = -1
    ) {
        (self.key, self.value, self.headers, self.partition, self.offset) = (key, value, headers, partition, offset)
        self.timestamp = timestamp
    }

    /// The bytes of a value that is written as JSON or YAML: a text stands for itself, null for none, and all else is
    /// JSON.
    package static func bytes(_ value: JSONValue?) -> [UInt8]? {
        switch value {
        case nil, .null: nil
        case .string(let text): Array(text.utf8)
        case let value?: Array(value.text().utf8)
        }
    }

    /// The bytes that a text in base64 says; nil: it is none.
    package static func bytes(base64 text: String) -> [UInt8]? {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        let body = text.utf8.prefix { $0 != UInt8(ascii: "=") }
        guard text.utf8.count % 4 == 0, text.utf8.count - body.count <= 2,
            text.utf8.dropFirst(body.count).allSatisfy({ $0 == UInt8(ascii: "=") })
        else { return nil }
        for character in body {
            guard let digit = digits.firstIndex(of: character) else { return nil }
            bits = bits << 6 | UInt32(digit)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return bytes
    }

    /// A record that is written as a JSON object: with `key`, `value` and so on, or as `kcat -J` writes it.
    package init(_ object: JSONObject, offset: Int64) {
        self.init(value: Self.bytes(object["value"] ?? object["payload"]), offset: offset)
        key = object["key_base64"]?.string.flatMap { Self.bytes(base64: $0) } ?? Self.bytes(object["key"])
        headers = Self.headers(object["headers"])
        if let partition = object["partition"]?.int.flatMap({ Int32(exactly: $0) }), partition >= 0 {
            self.partition = partition
        }
        if let offset = object["offset"]?.int, offset >= 0 { self.offset = offset }
        if let time = (object["timestamp"] ?? object["ts"])?.int { timestamp = time }
    }

    /// An object, or kcat's list of names and values in turn.
    private static func headers(_ value: JSONValue?) -> [Header] {
        if let object = value?.object { return object.map { Header(name: $0.key, value: bytes($0.value)) } }
        let list = value?.array ?? []
        return stride(from: 0, to: list.count - 1, by: 2).compactMap { index in
            list[index].string.map { Header(name: $0, value: bytes(list[index + 1])) }
        }
    }

    /// Runs `body` with the record as the decoder reads it.
    package func withRecord<Result>(_ body: (Record) -> Result) -> Result {
        let buffer = ByteBuffer(capacity: (key?.count ?? 0) + (value?.count ?? 0) + 64)
        func put(_ bytes: [UInt8]?) -> Range<Int>? {
            guard let bytes else { return nil }
            let start = buffer.count
            bytes.withUnsafeBufferPointer { buffer.append($0) }
            return start..<buffer.count
        }
        // All before any is looked at: the buffer may move.
        let keyRange = put(key)
        let valueRange = put(value)
        let headerRanges = headers.map { ($0.name, put($0.value)) }
        return withExtendedLifetime(buffer) {
            body(
                Record(
                    key: keyRange.map { buffer.slice($0) }, value: valueRange.map { buffer.slice($0) },
                    timestamp: timestamp, partition: partition, offset: offset,
                    headers: SampleHeaders(buffer: buffer, ranges: headerRanges)))
        }
    }
}

private struct SampleHeaders: RecordHeaders {
    package var buffer: ByteBuffer
    package var ranges: [(name: String, range: Range<Int>?)]

    package func value(of name: String) -> Bytes? {
        ranges.last { $0.name == name }?.range.map { buffer.slice($0) }
    }
}

/// A document of the source, as it would be copied.
package struct SampleDocument: Sendable, Equatable {
    package var id: String
    package var type: String?
    package var routing: String?
    /// Its `_version` on the source.
    package var version: Int64?
    /// JSON text.
    package var source: [UInt8]

    package init(
        id: String, type: String? = nil, routing: String? = nil, version: Int64? = nil, source: [UInt8]
    ) {
        (self.id, self.type, self.routing, self.version, self.source) = (id, type, routing, version, source)
    }
}

import CommandLog
import Commands
import JSONText

/// A record of a sample, kept after librdkafka has its own back.
package struct SampledRecord: Sendable {
    package let key: [UInt8]?
    /// Nil: a null value.
    package let value: [UInt8]?
    package let timestamp: Int64
    package let partition: Int32
    package let offset: Int64
    /// Only those headers that the recipe names.
    package let headers: [String: [UInt8]]
    /// Whether the old index holds what this record asked for: it lies in the stretch before the committed offset.
    package let isApplied: Bool

    init(_ message: LogMessage, headers names: [String], isApplied: Bool) {
        key = message.key.map { Array($0) }
        value = message.value.map { Array($0) }
        (timestamp, partition, offset) = (message.timestamp, message.partition, message.offset)
        self.isApplied = isApplied
        var kept: [String: [UInt8]] = [:]
        if !names.isEmpty, let all = message.headers {
            for name in names { if let bytes = all.value(of: name) { kept[name] = Array(bytes) } }
        }
        headers = kept
    }

    /// Gives the record as a decoder takes it. Its bytes are valid inside `body` only.
    package func withRecord<Result>(_ body: (Record) throws -> Result) rethrows -> Result {
        // An array without elements may have no address, and an empty value is not a null one.
        let (keyBytes, valueBytes) = (key ?? [], value ?? [])
        return try keyBytes.withUnsafeBufferPointer { keyView in
            try valueBytes.withUnsafeBufferPointer { valueView in
                try body(
                    Record(
                        key: key == nil ? nil : keyView, value: value == nil ? nil : valueView, timestamp: timestamp,
                        partition: partition, offset: offset,
                        headers: headers.isEmpty ? nil : SampledHeaders(headers)))
            }
        }
    }
}

/// The headers of a kept record. It holds its own copy of their bytes, which lives as long as it does.
private final class SampledHeaders: RecordHeaders {
    private let buffer = ByteBuffer()
    private var places: [String: Range<Int>] = [:]

    init(_ headers: [String: [UInt8]]) {
        for (name, bytes) in headers {
            let start = buffer.count
            bytes.withUnsafeBufferPointer { buffer.append($0) }
            places[name] = start..<buffer.count
        }
    }

    func value(of name: String) -> Bytes? { places[name].map { buffer.slice($0) } }
}

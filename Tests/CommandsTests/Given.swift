import Commands
import JSONText

/// Headers over bytes that live as long as it does.
final class GivenHeaders: RecordHeaders {
    private var values: [String: ByteBuffer] = [:]
    init(_ values: [String: [UInt8]]) {
        for (name, value) in values {
            let buffer = ByteBuffer()
            for byte in value { buffer.append(byte) }
            self.values[name] = buffer
        }
    }
    func value(of name: String) -> Bytes? { values[name]?.bytes }
}

/// A record that owns its bytes.
struct Given: Sendable {
    var key: [UInt8]?
    var value: [UInt8]?
    var timestamp: Int64 = 1_700_000_000_000
    var offset: Int64 = 7
    var headers: [String: [UInt8]] = [:]

    init(
        _ value: String?, key: String? = "k", timestamp: Int64 = 1_700_000_000_000, offset: Int64 = 7,
        headers: [String: String] = [:]
    ) {
        self.value = value.map { Array($0.utf8) }
        self.key = key.map { Array($0.utf8) }
        self.timestamp = timestamp
        self.offset = offset
        self.headers = headers.mapValues { Array($0.utf8) }
    }

    init(bytes: [UInt8]?, key: [UInt8]? = Array("k".utf8)) {
        value = bytes
        self.key = key
    }

    /// What the decoder makes of it: "index 0 id r=routing v9 {...}", "skip" or "reject reason".
    func decoded(_ decoder: CommandDecoder) -> String {
        key.borrowed { key in
            value.borrowed { value in
                let record = Record(
                    key: key, value: value, timestamp: timestamp, partition: 0, offset: offset,
                    headers: headers.isEmpty ? nil : GivenHeaders(headers))
                switch decoder.decode(record) {
                case .skip: return "skip"
                case .reject(let reject): return reject.detail.isEmpty ? "no detail" : "reject \(reject.reason)"
                case .operation(let operation): return Self.text(operation)
                }
            }
        }
    }

    private static func text(_ operation: Operation) -> String {
        var text = "\(operation.kind) \(operation.entry) \(String(repairing: operation.id))"
        if let routing = operation.routing { text += " r=\(String(repairing: routing))" }
        text += " v\(operation.version)"
        return operation.document.count == 0 ? text : text + " \(String(repairing: operation.document))"
    }
}

extension [UInt8]? {
    /// Calls `body` with the bytes; an empty array is an empty value, not an absent one.
    func borrowed<Result>(_ body: (Bytes?) -> Result) -> Result {
        guard let bytes = self else { return body(nil) }
        let buffer = ByteBuffer()
        for byte in bytes { buffer.append(byte) }
        return withExtendedLifetime(buffer) { body(buffer.bytes) }
    }
}

func path(_ text: String) -> JSONPath { JSONPath(names: text.split(separator: ".").map(String.init)) }

func envelope(
    id: CommandFormat.IDSource = .field(path("id")), document: String? = "message", routing: String? = nil,
    missingRoutingIsID: Bool = false, version: CommandFormat.VersionSource = .offset, epoch: Int64 = 0,
    selectors: [CommandFormat.Selector?] = [nil]
) -> CommandFormat {
    CommandFormat(
        shape: .envelope(
            CommandFormat.Envelope(
                id: id, operation: path("command"), index: ["Insert", "Put"], merge: ["Update"], delete: ["Delete"],
                ignore: ["Ping"], document: document.map(path))),
        routing: routing.map(path), missingRoutingIsID: missingRoutingIsID, version: version, epoch: epoch,
        selectors: selectors)
}

import JSONText
import SearchCluster

/// A bulk body written by hand, in the form of the product's own writer.
struct BulkBody {
    var buffer = ByteBuffer()
    var count = 0

    mutating func add(
        _ action: String, id: String, version: Int64? = nil, versionType: String = "external", routing: String? = nil,
        source: JSONValue? = nil, extra: JSONObject = [:]
    ) {
        var line: JSONObject = ["_id": .string(id)]
        if let version {
            line["version"] = .number(version)
            line["version_type"] = .string(versionType)
        }
        if let routing { line["routing"] = .string(routing) }
        for (key, value) in extra { line[key] = value }
        JSONValue.object(JSONObject([(action, .object(line))])).write(into: buffer)
        buffer.append(UInt8(ascii: "\n"))
        if let source {
            source.write(into: buffer)
            buffer.append(UInt8(ascii: "\n"))
        }
        count += 1
    }

    struct Item: Equatable {
        var action: BulkItem.Action
        var status: Int
        var type: String?
    }

    /// Sends the body and returns the items as the scanner reads them.
    func send(_ writer: TargetWriter, _ index: String, type: String? = nil) throws -> [Item] {
        let answer = try writer.transport.perform(
            writer.bulkRequest(writer.bulkPath(index, type: type), body: buffer))
        if let error = ClusterError(answer: answer, from: writer.transport, doing: "bulk") { throw error }
        var items: [Item] = []
        try withExtendedLifetime(answer.body) {
            let bytes = answer.body.bytes
            try BulkResponse.scan(bytes, expected: count, sent: nil) { _, item in
                let type = item.errorType.map { String(repairing: Bytes(rebasing: bytes[$0])) }
                items.append(Item(action: item.action, status: item.status, type: type))
            }
        }
        return items
    }
}

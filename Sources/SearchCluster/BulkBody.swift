import JSONText

/// The lines of the body of a bulk request (NDJSON). The path of the request names the index and the type; see
/// ``TargetWriter/bulkPath(_:type:)``. Every line carries an external version, so the server decides by version alone
/// which write wins, and a request may be sent twice (promise P1 in `docs/architecture.md`).
package enum BulkBody {
    /// Appends the action line of a write. The caller appends the document and a line end. `id` and `routing` are
    /// unescaped UTF-8.
    ///
    /// A document is written only over a lower version. A tombstone is also written over itself. A log that is read a
    /// second time may bring older writes again, and a purge goes by the tombstone's time, so the time must be new.
    package static func appendIndex(
        to body: ByteBuffer, id: Bytes, routing: Bytes?, version: Int64, isTombstone: Bool
    ) {
        append(to: body, id: id, routing: routing, version: version, overItself: isTombstone)
    }

    /// The same for a repair, which is written over what has the same version, too: that is what is wrong.
    package static func appendRepair(to body: ByteBuffer, id: Bytes, routing: Bytes?, version: Int64) {
        append(to: body, id: id, routing: routing, version: version, overItself: true)
    }

    @inline(__always) private static func append(
        to body: ByteBuffer, id: Bytes, routing: Bytes?, version: Int64, overItself: Bool
    ) {
        body.append("{\"index\":{\"_id\":")
        JSONString.escape(id, into: body)
        if let routing {
            body.append(",\"routing\":")
            JSONString.escape(routing, into: body)
        }
        body.append(",\"version\":")
        body.append(decimal: version)
        body.append(overItself ? ",\"version_type\":\"external_gte\"}}\n" : ",\"version_type\":\"external\"}}\n")
    }

    /// Appends the line that deletes a document, if its version is still `version` or lower. `quotedID` and
    /// `quotedRouting` are JSON strings with their quotes, as a ``Hit`` has them.
    package static func appendDelete(to body: ByteBuffer, quotedID: Bytes, quotedRouting: Bytes?, version: Int64) {
        body.append("{\"delete\":{\"_id\":")
        body.append(quotedID)
        if let quotedRouting {
            body.append(",\"routing\":")
            body.append(quotedRouting)
        }
        body.append(",\"version\":")
        body.append(decimal: version)
        body.append(",\"version_type\":\"external_gte\"}}\n")
    }
}

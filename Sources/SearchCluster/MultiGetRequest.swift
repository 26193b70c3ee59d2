import JSONText

/// The body of a `_mget` request. It is built id by id and can be used again.
///
/// `@unchecked Sendable`: it has one owner at a time, as a ``ByteBuffer`` has.
package final class MultiGetRequest: @unchecked Sendable {
    private let body = ByteBuffer(capacity: 4096)
    /// How many documents are asked for.
    package private(set) var count = 0
    /// Where the id of each document stands, a JSON string with its quotes.
    private var ids: [Range<Int>] = []
    /// Whether the brackets at the end of the body are written.
    private var closed = false

    package init() { removeAll() }

    /// Makes the body empty. No request with it may be under way.
    package func removeAll() {
        body.removeAll(keepingAtMost: 1 << 20)
        body.append("{\"docs\":[")
        count = 0
        ids.removeAll(keepingCapacity: true)
        closed = false
    }

    /// Asks for one more document. `id`, `routing` and `type` are unescaped UTF-8. `type` is needed only when the index
    /// has several types.
    package func append(id: Bytes, routing: Bytes?, type: Bytes? = nil) {
        if closed {
            body.count -= 2
            closed = false
        }
        if count > 0 { body.append(UInt8(ascii: ",")) }
        body.append("{\"_id\":")
        let start = body.count
        JSONString.escape(id, into: body)
        ids.append(start..<body.count)
        if let type {
            body.append(",\"_type\":")
            JSONString.escape(type, into: body)
        }
        if let routing {
            body.append(",\"routing\":")
            JSONString.escape(routing, into: body)
        }
        body.append(UInt8(ascii: "}"))
        count += 1
    }

    /// Whether document `number` is asked for by this id, a JSON string with its quotes as a server writes it.
    func asks(_ number: Int, for id: Bytes) -> Bool {
        guard ids.indices.contains(number) else { return false }
        let own = body.slice(ids[number])
        if own.elementsEqual(id) { return true }
        // Servers escape other characters than we do.
        let (one, other) = (ByteBuffer(capacity: own.count), ByteBuffer(capacity: id.count))
        guard (try? JSONString.unescape(own, into: one)) != nil, (try? JSONString.unescape(id, into: other)) != nil
        else { return false }
        return withExtendedLifetime((one, other)) { one.bytes.elementsEqual(other.bytes) }
    }

    func finishedBody() -> ByteBuffer {
        if !closed {
            body.append("]}")
            closed = true
        }
        return body
    }
}

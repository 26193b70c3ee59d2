import JSONText

/// One document of a page. The ranges say where its parts stand in the answer; see ``Page/bytes(_:)``.
package struct Hit: Sendable {
    /// The id as a JSON string, quotes included.
    package var id: Range<Int>
    package var index: Range<Int>?
    /// A JSON string; nil when the server has no types.
    package var type: Range<Int>?
    /// A JSON string.
    package var routing: Range<Int>?
    /// A JSON string; only before 6.0.
    package var parent: Range<Int>?
    package var version: Int64?
    /// The document as JSON text.
    package var source: Range<Int>
}

/// One answer of a scroll. Its deinitializer gives the bytes back to the transport.
///
/// `@unchecked Sendable`: nothing changes after the initializer.
package final class Page: @unchecked Sendable {
    private let body: ByteBuffer
    private let transport: ReadOnlyTransport
    package let hits: [Hit]
    /// The size of all documents together, in bytes.
    package let sourceBytes: Int
    /// How long the server needed, in milliseconds.
    package let tookMilliseconds: Int64

    init(body: ByteBuffer, transport: ReadOnlyTransport, hits: [Hit], sourceBytes: Int, took: Int64) {
        (self.body, self.transport, self.hits, self.sourceBytes) = (body, transport, hits, sourceBytes)
        tookMilliseconds = took
    }

    deinit { transport.recycle(body) }

    /// The bytes are valid as long as the page lives. Swift may free the page after its last use in a function, before
    /// the last use of the bytes, so hold it with `withExtendedLifetime`.
    package func bytes(_ range: Range<Int>) -> Bytes { body.slice(range) }
}

extension ClusterReader {
    /// A page with one document that was read earlier, as a scroll would give it. `source` is its JSON text; the other
    /// values are unescaped. Throws `malformedAnswer` when `source` is not a JSON object.
    package func page(
        ofOne source: Bytes, id: String, index: String, type: String?, routing: String?, parent: String?,
        version: Int64? = nil
    ) throws(ClusterError) -> Page {
        let body = ByteBuffer(capacity: source.count + 256)
        body.append("{\"hits\":{\"hits\":[{")
        let members = [
            ("_id", id), ("_index", index), ("_type", type), ("_routing", routing), ("_parent", parent),
        ]
        for (name, value) in members {
            guard let value else { continue }
            JSONValue.string(name).write(into: body)
            body.append(UInt8(ascii: ":"))
            JSONValue.string(value).write(into: body)
            body.append(UInt8(ascii: ","))
        }
        if let version {
            body.append("\"_version\":")
            body.append(decimal: version)
            body.append(",")
        }
        body.append("\"_source\":")
        body.append(source)
        body.append("}]}}")
        do throws(AnswerProblem) {
            let scan = try PageScan(body.bytes, expectedHits: 1)
            guard scan.hits.count == 1 else { throw AnswerProblem(offset: 0) }
            return Page(body: body, transport: transport, hits: scan.hits, sourceBytes: scan.sourceBytes, took: 0)
        } catch {
            throw ClusterError(.malformedAnswer, "the kept text of document \(id) is not a JSON object", index: index)
        }
    }
}

import JSONText

/// The body of a `_mget`, built id by id; reused.
///
/// `@unchecked Sendable`: one owner at a time, as its ``ByteBuffer``.
public final class MultiGetRequest: @unchecked Sendable {
    private let body = ByteBuffer(capacity: 4096)
    /// Documents asked for.
    public private(set) var count = 0
    /// Whether the brackets that end the body are written.
    private var closed = false

    public init() { removeAll() }

    /// Forgets everything; only when no request with it is under way.
    public func removeAll() {
        body.removeAll(keepingAtMost: 1 << 20)
        body.append("{\"docs\":[")
        count = 0
        closed = false
    }

    /// Asks for a document. `id`, `routing`, `type`: unescaped UTF-8. `type`: only for indices of several types.
    public func append(id: Bytes, routing: Bytes?, type: Bytes? = nil) {
        if closed {
            body.count -= 2
            closed = false
        }
        if count > 0 { body.append(UInt8(ascii: ",")) }
        body.append("{\"_id\":")
        JSONString.escape(id, into: body)
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

    func finishedBody() -> ByteBuffer {
        if !closed {
            body.append("]}")
            closed = true
        }
        return body
    }
}

/// One document of a `_mget`.
public struct GotDocument: Sendable {
    public var found: Bool
    /// 0 when not found.
    public var version: Int64
    /// The document as JSON text; nil when not found or without `_source`.
    public var source: Range<Int>?
    /// JSON string.
    public var routing: Range<Int>?
    /// The error's JSON text, when this document could not be got: an object, on 1.x a string.
    public var error: Range<Int>?
}

/// The answer of a `_mget`, in the request's order. Gives its bytes back to the transport when it goes.
///
/// `@unchecked Sendable`: nothing changes after it is made.
public final class MultiGetAnswer: @unchecked Sendable {
    private let body: ByteBuffer
    private let transport: ReadOnlyTransport
    public let documents: [GotDocument]

    init(body: ByteBuffer, expected: Int, index: String, transport: ReadOnlyTransport) throws(ClusterError) {
        self.body = body
        self.transport = transport
        do throws(AnswerProblem) {
            documents = try MultiGetAnswer.scan(body.bytes, expected: expected)
        } catch {
            throw ClusterError(
                .malformedAnswer,
                "the answer to a get of \(expected) documents breaks at byte \(error.offset) of \(body.count)",
                index: index)
        }
        guard documents.count == expected else {
            throw ClusterError(
                .malformedAnswer, "\(documents.count) documents came for the \(expected) asked for", index: index)
        }
    }

    deinit { transport.recycle(body) }

    /// Valid as long as the answer; see ``Page/bytes(_:)``.
    public func bytes(_ range: Range<Int>) -> Bytes { body.slice(range) }

    static func scan(_ bytes: Bytes, expected: Int) throws(AnswerProblem) -> [GotDocument] {
        var documents: [GotDocument] = []
        documents.reserveCapacity(expected)
        var cursor = try AnswerCursor(bytes)
        var seen = false
        var next = try cursor.firstKey()
        while let key = next {
            if cursor.isKey(key, "docs") {
                seen = true
                var more = try cursor.firstElement()
                while more {
                    documents.append(try document(&cursor))
                    more = try cursor.nextElement()
                }
            } else {
                _ = try cursor.value()
            }
            next = try cursor.nextKey()
        }
        guard seen else { throw AnswerProblem(offset: 0) }
        return documents
    }

    private static func document(_ cursor: inout AnswerCursor) throws(AnswerProblem) -> GotDocument {
        var document = GotDocument(found: false, version: 0)
        var next = try cursor.firstKey()
        while let key = next {
            if cursor.isKey(key, "_source") {
                document.source = try cursor.value()
            } else if cursor.isKey(key, "found") {
                document.found = try cursor.boolean()
            } else if cursor.isKey(key, "_version") {
                document.version = try cursor.integer()
            } else if cursor.isKey(key, "_routing") {
                document.routing = try cursor.optionalString()
            } else if cursor.isKey(key, "error") {
                document.error = try cursor.value()
            } else {
                _ = try cursor.value()
            }
            next = try cursor.nextKey()
        }
        return document
    }
}

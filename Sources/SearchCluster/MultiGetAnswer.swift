import JSONText

/// One document of the answer to a `_mget`.
package struct GotDocument: Sendable {
    package var found: Bool
    /// Where the id stands in the answer, a JSON string with its quotes; nil: there is none.
    package var id: Range<Int>?
    /// 0 when the document was not found.
    package var version: Int64
    /// Where the JSON text of the document stands in the answer; nil when it was not found or has no `_source`.
    package var source: Range<Int>?
    /// Where the routing stands in the answer, a JSON string with its quotes.
    package var routing: Range<Int>?
    /// Where the error stands in the answer when the server could not read this document: an object, on 1.x a string.
    package var error: Range<Int>?
}

/// The answer to a `_mget`, in the order of the request: every document has the id that was asked for there. Its
/// deinitializer gives the bytes back to the transport.
///
/// `@unchecked Sendable`: nothing changes after the initializer.
package final class MultiGetAnswer: @unchecked Sendable {
    private let body: ByteBuffer
    private let transport: ReadOnlyTransport
    package let documents: [GotDocument]

    init(
        body: ByteBuffer, to request: MultiGetRequest, index: String, transport: ReadOnlyTransport
    ) throws(ClusterError) {
        (self.body, self.transport) = (body, transport)
        let expected = request.count
        do throws(AnswerProblem) {
            documents = try MultiGetAnswer.scan(body.bytes, expected: expected)
        } catch {
            throw ClusterError(
                PageScan.isServers(body.bytes) ? .unreadableDocument : .malformedAnswer,
                error.isTooMuch
                    ? "the answer has more documents than the \(expected) that were asked for"
                    : "the answer to a get of \(expected) documents breaks at byte \(error.offset) of \(body.count)",
                index: index)
        }
        guard documents.count == expected else {
            throw ClusterError(
                .unreadableDocument, "the answer has \(documents.count) documents where \(expected) were asked for",
                index: index)
        }
        // What follows a stored text that closes the list is no answer to what was asked; nor is another document.
        for (number, document) in documents.enumerated() where !Self.answers(document, request, number, body) {
            throw ClusterError(
                .unreadableDocument,
                "document \(number + 1) of \(expected) in the answer is another one than was asked for", index: index)
        }
    }

    private static func answers(
        _ document: GotDocument, _ request: MultiGetRequest, _ number: Int, _ body: ByteBuffer
    ) -> Bool {
        guard let id = document.id else { return document.error != nil }
        return request.asks(number, for: body.slice(id))
    }

    deinit { transport.recycle(body) }

    /// The bytes are valid as long as the answer lives; see ``Page/bytes(_:)``.
    package func bytes(_ range: Range<Int>) -> Bytes { body.slice(range) }

    /// Why a document was not given, in the server's words; nil: it was, or it is not there.
    package func refusal(of document: GotDocument) -> String? { document.error.map { transport.quote(bytes($0)) } }

    static func scan(_ bytes: Bytes, expected: Int) throws(AnswerProblem) -> [GotDocument] {
        var documents: [GotDocument] = []
        documents.reserveCapacity(expected)
        var cursor = try AnswerCursor(bytes)
        var seen = false
        var next = try cursor.firstKey()
        while let key = next {
            // Nothing stands behind the documents, unless a stored text has closed their list and goes on.
            guard !seen else { throw AnswerProblem(offset: key.lowerBound) }
            if cursor.isKey(key, "docs") {
                seen = true
                var more = try cursor.firstElement()
                while more {
                    guard documents.count < expected else {
                        throw AnswerProblem(offset: cursor.at, isTooMuch: true)
                    }
                    documents.append(try document(&cursor))
                    more = try cursor.nextElement()
                }
            } else {
                _ = try cursor.value()
            }
            next = try cursor.nextKey()
        }
        guard seen else { throw AnswerProblem(offset: 0) }
        try cursor.end()
        return documents
    }

    private static func document(_ cursor: inout AnswerCursor) throws(AnswerProblem) -> GotDocument {
        var document = GotDocument(found: false, version: 0)
        var next = try cursor.firstKey()
        while let key = next {
            if cursor.isKey(key, "_id"), document.source == nil, document.id == nil {
                document.id = try cursor.string()
            } else if cursor.isKey(key, "_source") {
                guard document.source == nil else { throw AnswerProblem(offset: key.lowerBound) }
                cursor.byteOrderMark()
                document.source = try cursor.value()
            } else if document.source != nil, !cursor.isKey(key, "fields") {
                // It belongs to a stored text that goes on behind its object.
                throw AnswerProblem(offset: key.lowerBound)
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

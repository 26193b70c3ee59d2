import JSONText

/// A document in a page: where its parts lie in ``Page/bytes(_:)``.
public struct Hit: Sendable {
    /// The id as a JSON string, quotes included.
    public var id: Range<Int>
    public var index: Range<Int>?
    /// JSON string; nil where the server has no types.
    public var type: Range<Int>?
    /// JSON string.
    public var routing: Range<Int>?
    /// JSON string; only before 6.0.
    public var parent: Range<Int>?
    public var version: Int64?
    /// The document as JSON text.
    public var source: Range<Int>
}

/// One answer of a scroll. Owns its bytes until it goes, then gives them back to the transport.
///
/// `@unchecked Sendable`: nothing changes after it is made.
public final class Page: @unchecked Sendable {
    private let body: ByteBuffer
    private let transport: ReadOnlyTransport
    public let hits: [Hit]
    /// Of all hits' sources, in bytes.
    public let sourceBytes: Int
    /// What the server took, in milliseconds.
    public let tookMilliseconds: Int64

    init(body: ByteBuffer, transport: ReadOnlyTransport, hits: [Hit], sourceBytes: Int, took: Int64) {
        self.body = body
        self.transport = transport
        self.hits = hits
        self.sourceBytes = sourceBytes
        tookMilliseconds = took
    }

    deinit { transport.recycle(body) }

    /// Valid as long as the page, which Swift may free after its last use in a function, before the bytes' last use:
    /// hold it with `withExtendedLifetime`.
    public func bytes(_ range: Range<Int>) -> Bytes { body.slice(range) }
}

extension SourceReader {
    /// A page of one document that was read before, as a scroll would have given it. `source`: its JSON text; the
    /// others unescaped.
    public func page(
        ofOne source: Bytes, id: String, index: String, type: String?, routing: String?, parent: String?
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
        body.append("\"_source\":")
        body.append(source)
        body.append("}]}}")
        do throws(AnswerProblem) {
            let scan = try PageScan(body.bytes, expectedHits: 1)
            guard scan.hits.count == 1 else { throw AnswerProblem(offset: 0) }
            return Page(body: body, transport: transport, hits: scan.hits, sourceBytes: scan.sourceBytes, took: 0)
        } catch {
            throw ClusterError(.malformedAnswer, "what is kept of document \(id) is not a JSON object", index: index)
        }
    }
}

/// What a search or scroll answers, scanned from its bytes.
struct PageScan {
    var scrollID: Range<Int>?
    var took: Int64 = 0
    var timedOut = false
    var failedShards: Int64 = 0
    var failures: Range<Int>?
    var total: Int64 = -1
    /// False when `total` is only a lower bound.
    var totalIsExact = true
    var hits: [Hit] = []
    var sourceBytes = 0
    /// The id of a document without `_source`.
    var withoutSource: Range<Int>?

    init(_ bytes: Bytes, expectedHits: Int) throws(AnswerProblem) {
        hits.reserveCapacity(expectedHits)
        var cursor = try AnswerCursor(bytes)
        var sawHits = false
        var next = try cursor.firstKey()
        while let key = next {
            if cursor.isKey(key, "hits") {
                try readHits(&cursor)
                sawHits = true
            } else if cursor.isKey(key, "_scroll_id") {
                scrollID = try cursor.string()
            } else if cursor.isKey(key, "took") {
                took = try cursor.integer()
            } else if cursor.isKey(key, "timed_out") {
                timedOut = try cursor.boolean()
            } else if cursor.isKey(key, "_shards") {
                try readShards(&cursor)
            } else {
                _ = try cursor.value()
            }
            next = try cursor.nextKey()
        }
        guard sawHits else { throw AnswerProblem(offset: 0) }
    }

    private mutating func readShards(_ cursor: inout AnswerCursor) throws(AnswerProblem) {
        var next = try cursor.firstKey()
        while let key = next {
            if cursor.isKey(key, "failed") {
                failedShards = try cursor.integer()
            } else if cursor.isKey(key, "failures") {
                failures = try cursor.value()
            } else {
                _ = try cursor.value()
            }
            next = try cursor.nextKey()
        }
    }

    private mutating func readHits(_ cursor: inout AnswerCursor) throws(AnswerProblem) {
        var next = try cursor.firstKey()
        while let key = next {
            if cursor.isKey(key, "total") {
                try readTotal(&cursor)
            } else if cursor.isKey(key, "hits") {
                var more = try cursor.firstElement()
                while more {
                    try readHit(&cursor)
                    more = try cursor.nextElement()
                }
            } else {
                _ = try cursor.value()
            }
            next = try cursor.nextKey()
        }
    }

    private mutating func readTotal(_ cursor: inout AnswerCursor) throws(AnswerProblem) {
        guard try cursor.peek() == UInt8(ascii: "{") else {
            total = try cursor.integer()
            return
        }
        var next = try cursor.firstKey()
        while let key = next {
            if cursor.isKey(key, "value") {
                total = try cursor.integer()
            } else {
                let value = try cursor.value()
                if cursor.isKey(key, "relation") { totalIsExact = cursor.isText(value, "\"eq\"") }
            }
            next = try cursor.nextKey()
        }
    }

    private mutating func readHit(_ cursor: inout AnswerCursor) throws(AnswerProblem) {
        let start = cursor.at
        var id: Range<Int>?
        var source: Range<Int>?
        var hit = Hit(id: 0..<0, source: 0..<0)
        var next = try cursor.firstKey()
        while let key = next {
            if cursor.isKey(key, "_source") {
                source = try cursor.value()
            } else if cursor.isKey(key, "_id") {
                id = try cursor.string()
            } else if cursor.isKey(key, "_version") {
                hit.version = try cursor.integer()
            } else if cursor.isKey(key, "_routing") {
                hit.routing = try cursor.optionalString()
            } else if cursor.isKey(key, "_type") {
                hit.type = try cursor.optionalString()
            } else if cursor.isKey(key, "_index") {
                hit.index = try cursor.string()
            } else if cursor.isKey(key, "_parent") {
                hit.parent = try cursor.optionalString()
            } else if cursor.isKey(key, "fields") {
                try readFields(&cursor, &hit)
            } else {
                _ = try cursor.value()
            }
            next = try cursor.nextKey()
        }
        guard let id else { throw AnswerProblem(offset: start) }
        guard let source, cursor.base[source.lowerBound] == UInt8(ascii: "{") else {
            withoutSource = withoutSource ?? id
            return
        }
        hit.id = id
        hit.source = source
        sourceBytes &+= source.count
        hits.append(hit)
    }

    /// 1.x puts `_routing` and `_parent` here.
    private func readFields(_ cursor: inout AnswerCursor, _ hit: inout Hit) throws(AnswerProblem) {
        var next = try cursor.firstKey()
        while let key = next {
            let isRouting = cursor.isKey(key, "_routing")
            let isParent = cursor.isKey(key, "_parent")
            var range = try cursor.value()
            if isRouting || isParent {
                // Some versions wrap the value in an array.
                if cursor.base[range.lowerBound] == UInt8(ascii: "[") {
                    var inner = cursor
                    inner.at = range.lowerBound
                    guard try inner.firstElement() else { throw AnswerProblem(offset: range.lowerBound) }
                    range = try inner.string()
                }
                if cursor.base[range.lowerBound] == UInt8(ascii: "\"") {
                    if isRouting { hit.routing = range } else { hit.parent = range }
                }
            }
            next = try cursor.nextKey()
        }
    }
}

import JSONText

/// The answer to a search or a scroll, read from its bytes.
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
    /// The id of the first document that has no `_source`.
    var withoutSource: Range<Int>?
    private let needsSources: Bool
    private let expectedHits: Int

    /// - Parameter expectedHits: as many as were asked for. A page with more is not read to its end.
    /// - Parameter needsSources: false for a page of names.
    init(_ bytes: Bytes, expectedHits: Int, needsSources: Bool = true) throws(AnswerProblem) {
        (self.needsSources, self.expectedHits) = (needsSources, expectedHits)
        hits.reserveCapacity(expectedHits)
        var cursor = try AnswerCursor(bytes)
        var sawHits = false
        var next = try cursor.firstKey()
        while let key = next {
            if cursor.isKey(key, "hits"), !sawHits {
                try readHits(&cursor)
                sawHits = true
            } else if cursor.isKey(key, "_scroll_id"), scrollID == nil {
                scrollID = try cursor.string()
            } else if cursor.isKey(key, "took") {
                took = try cursor.integer()
            } else if cursor.isKey(key, "timed_out") {
                timedOut = try cursor.boolean()
            } else if cursor.isKey(key, "_shards") {
                try readShards(&cursor)
            } else {
                // Behind the hits stands nothing else, unless a stored text has closed them and goes on.
                guard !sawHits else { throw AnswerProblem(offset: key.lowerBound) }
                _ = try cursor.value()
            }
            next = try cursor.nextKey()
        }
        guard sawHits else { throw AnswerProblem(offset: 0) }
        try cursor.end()
    }

    /// Whether the text begins as an answer of a server does, and not as the page of a proxy.
    static func isServers(_ bytes: Bytes) -> Bool {
        ["{\"took\"", "{\"_scroll_id\"", "{\"docs\"", "{\"pit_id\""].contains { start in
            bytes.starts(with: start.utf8)
        }
    }

    private mutating func readShards(_ cursor: inout AnswerCursor) throws(AnswerProblem) {
        var (total, successful): (Int64?, Int64?)
        // Of a shard that no node has, servers say neither that it answered nor that it failed.
        defer { if let total, let successful { failedShards = max(failedShards, total &- successful) } }
        var next = try cursor.firstKey()
        while let key = next {
            if cursor.isKey(key, "failed") {
                failedShards = try cursor.integer()
            } else if cursor.isKey(key, "total") {
                total = try cursor.integer()
            } else if cursor.isKey(key, "successful") {
                successful = try cursor.integer()
            } else if cursor.isKey(key, "failures") {
                failures = try cursor.value()
            } else {
                _ = try cursor.value()
            }
            next = try cursor.nextKey()
        }
    }

    private mutating func readHits(_ cursor: inout AnswerCursor) throws(AnswerProblem) {
        var isOver = false
        var next = try cursor.firstKey()
        while let key = next {
            // The list of hits stands last, unless a stored text has closed it and goes on.
            guard !isOver else { throw AnswerProblem(offset: key.lowerBound) }
            if cursor.isKey(key, "total") {
                try readTotal(&cursor)
            } else if cursor.isKey(key, "hits") {
                isOver = true
                var more = try cursor.firstElement()
                while more {
                    guard hits.count < expectedHits else { throw AnswerProblem(offset: cursor.at, isTooMuch: true) }
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
                // A second one comes from a stored text that goes on behind its object.
                guard source == nil else { throw AnswerProblem(offset: key.lowerBound) }
                cursor.byteOrderMark()
                source = try cursor.value()
            } else if source != nil {
                try readBehindSource(&cursor, key, &hit)
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
        guard needsSources else {
            hit.id = id
            return hits.append(hit)
        }
        guard let source, cursor.base[source.lowerBound] == UInt8(ascii: "{") else {
            withoutSource = withoutSource ?? id
            return
        }
        hit.id = id
        hit.source = source
        sourceBytes &+= source.count
        hits.append(hit)
    }

    /// Servers write little behind the text of a document. Anything else belongs to a stored text that goes on behind
    /// its object.
    private func readBehindSource(
        _ cursor: inout AnswerCursor, _ key: Range<Int>, _ hit: inout Hit
    ) throws(AnswerProblem) {
        if cursor.isKey(key, "fields") { return try readFields(&cursor, &hit) }
        guard cursor.isKey(key, "sort") || cursor.isKey(key, "ignored_field_values") else {
            throw AnswerProblem(offset: key.lowerBound)
        }
        _ = try cursor.value()
    }

    /// Reads the `fields` of a hit: 1.x puts `_routing` and `_parent` there.
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

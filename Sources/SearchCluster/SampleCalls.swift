import Commands
import Indexing
import JSONText

/// Small searches, for the rails that look at a sample.
extension ClusterReader {
    /// The documents with one of these ids, on all shards: also those that a get would not find, because their routing
    /// is not known. `types`: of every type. `index`: names with commas between them.
    /// `shown`: a filter, to find only what it shows.
    package func find(
        _ index: String, ids: [String], shown: JSONValue? = nil, atMost size: Int = 10_000
    ) throws(ClusterError) -> [FoundDocument] {
        guard ids.contains(where: { !$0.isEmpty }) else { return [] }
        let named = Self.query(ids: ids)
        let query: JSONValue = shown.map { ["bool": ["must": [named, ["constant_score": ["filter": $0]]]]] } ?? named
        return try found(index, query: query, size: size, isRandom: false)
    }

    /// The documents with one of these ids. No document has an empty one, and servers refuse a query that asks for it.
    package static func query(ids: some Sequence<String>) -> JSONValue {
        ["ids": ["values": .array(ids.filter { !$0.isEmpty }.map { .string($0) })]]
    }

    /// Documents in random order, or in the server's own where it knows none. `query`: only those that it matches.
    package func names(_ index: String, query: JSONValue?, size: Int) throws(ClusterError) -> [FoundDocument] {
        try inRandomOrder { isRandom throws(ClusterError) in
            try found(index, query: query, size: size, isRandom: isRandom)
        }
    }

    private func found(
        _ index: String, query: JSONValue?, size: Int, isRandom: Bool
    ) throws(ClusterError) -> [FoundDocument] {
        var body = sampleBody(query, size: size, isRandom: isRandom)
        if capabilities.namesHitMetadata {
            body["fields"] = ["_routing", "_parent"]
        } else {
            body["_source"] = false
        }
        body["version"] = true
        let answer = try search(index, body: .object(body))
        return (answer["hits"]?["hits"]?.array ?? []).compactMap { foundDocument($0, index) }
    }

    /// A hit of a search; nil: it has no id.
    func foundDocument(_ hit: JSONValue, _ index: String) -> FoundDocument? {
        guard let id = hit["_id"]?.string else { return nil }
        return FoundDocument(
            index: hit["_index"]?.string ?? index, id: id, type: capabilities.typed ? hit["_type"]?.string : nil,
            routing: Self.member("_routing", hit) ?? Self.member("_parent", hit), version: hit["_version"]?.compared)
    }

    /// Whether a document is there now, and not only as a search shows it. A tombstone is none.
    package func isThere(_ document: FoundDocument) throws(ClusterError) -> Bool {
        let call = ReadCall.storedSource(
            index: document.index, type: capabilities.typed ? document.type : nil, id: document.id,
            routing: document.routing)
        do throws(ClusterError) {
            let answer = try transport.bytes(
                call, body: .none, timeoutSeconds: 30, doing: "getting a document of \(document.index)",
                index: document.index)
            defer { transport.recycle(answer.body) }
            return !Tombstone.isOne(answer.body.bytes)
        } catch {
            if error.code == .notFound { return false }
            if error.code == .tooLarge { return true }
            throw error
        }
    }

    /// 1.x has these under `fields`, and some versions in an array.
    private static func member(_ name: String, _ hit: JSONValue) -> String? {
        let value = hit[name] ?? hit["fields"]?[name]
        return value?.string ?? value?[0]?.string
    }

    /// How many bytes a document of the index has on average, by the first few that a search finds; nil: it has none,
    /// or they cannot be read.
    package func averageSize(_ index: String, query: JSONValue?) -> Int? {
        guard let few = try? page(index, query: query, size: 10, isRandom: false), !few.hits.isEmpty else {
            return nil
        }
        return max(1, few.sourceBytes / few.hits.count)
    }

    /// A page of whole documents in random order, as a scroll gives them. Throws `unreadableDocument` when the stored
    /// text of one of them is not JSON.
    package func samplePage(_ index: String, query: JSONValue?, size: Int) throws(ClusterError) -> Page {
        try inRandomOrder { isRandom throws(ClusterError) in
            try page(index, query: query, size: size, isRandom: isRandom)
        }
    }

    private func page(
        _ index: String, query: JSONValue?, size: Int, isRandom: Bool
    ) throws(ClusterError) -> Page {
        var body = sampleBody(query, size: size, isRandom: isRandom)
        body["version"] = true
        if capabilities.namesHitMetadata {
            body["fields"] = ["_source", "_routing", "_parent"]
        } else {
            body["_source"] = true
        }
        let answer = try transport.bytes(
            .search(index: index, parameters: ""), body: RequestPath.body(.object(body)), timeoutSeconds: 30,
            doing: "reading a sample of \(index)", index: index)
        let scan: PageScan
        do throws(AnswerProblem) {
            scan = try PageScan(answer.body.bytes, expectedHits: size)
        } catch {
            throw ClusterError(
                PageScan.isServers(answer.body.bytes) ? .unreadableDocument : .malformedAnswer,
                error.isTooMuch
                    ? "a sample of \(index) has more than the \(size) documents that were asked for (fixed limit "
                        + "page_hits)"
                    : "a sample of \(index) is not whole: it breaks at byte \(error.offset)", index: index)
        }
        try transport.checkWhole(scan, answer, of: index, index: index)
        return Page(
            body: answer.body, transport: transport, hits: scan.hits, sourceBytes: scan.sourceBytes, took: scan.took)
    }

    /// Asks for random order, and again without where the server knows none.
    private func inRandomOrder<Answer>(
        _ ask: (_ isRandom: Bool) throws(ClusterError) -> Answer
    ) throws(ClusterError) -> Answer {
        do throws(ClusterError) {
            return try ask(true)
        } catch {
            guard error.code == .badRequest || error.code == .partialAnswer else { throw error }
            return try ask(false)
        }
    }

    private func sampleBody(_ query: JSONValue?, size: Int, isRandom: Bool) -> JSONObject {
        var body: JSONObject = ["size": .number(size), "timeout": "5s"]
        let all: JSONValue = ["match_all": [:]]
        body["query"] =
            isRandom ? ["function_score": ["query": query ?? all, "random_score": [:]]] : query ?? all
        return body
    }
}

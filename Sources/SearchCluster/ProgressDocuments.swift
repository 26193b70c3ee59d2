import JSONText

// Documents that only inform. They are written without a condition and with short timeouts, so some may be lost.
extension TargetWriter {
    /// Writes the document over whatever is there. Fails after a few seconds.
    package func putProgress(_ index: String, _ id: String, _ source: JSONValue) throws(ClusterError) {
        let request = HTTPRequest(
            .put, documentPath(index, id), body: RequestPath.body(source), timeoutSeconds: 5, connectTimeoutSeconds: 2,
            failsOver: false)
        let doing = "writing document \(id) of \(index)"
        guard try transport.call(request, doing: doing, index: index)["_id"]?.string == id else {
            throw ClusterError.foreignAnswer(doing, "does not name it", index: index)
        }
    }

    /// Deletes the document if it is there. Fails after a few seconds.
    package func deleteProgress(_ index: String, _ id: String) throws(ClusterError) {
        let request = HTTPRequest(
            .delete, documentPath(index, id), timeoutSeconds: 3, connectTimeoutSeconds: 2, failsOver: false)
        try deleteDocument(request, index, id)
    }

    /// One member of each document of a small index, at most 1,000; documents without it come empty. A search finds
    /// them, so they may be about a second old.
    package func documents(
        _ index: String, member: String
    ) throws(ClusterError) -> [(id: String, source: JSONValue)] {
        let body: JSONValue = ["size": 1000, "query": ["match_all": [:]], "_source": [.string(member)]]
        let request = HTTPRequest(
            .post, path(index) + "/_search", body: RequestPath.body(body),
            timeoutSeconds: 10, failsOver: true)
        let doing = "reading index \(index)"
        guard let answer = try transport.callIfPresent(request, doing: doing, index: index) else { return [] }
        guard let hits = answer["hits"]?["hits"]?.array else {
            throw ClusterError.foreignAnswer(doing, "holds no hits", index: index)
        }
        return hits.compactMap { hit in
            guard let id = hit["_id"]?.string, let source = hit["_source"] else { return nil }
            return (id, source)
        }
    }
}

import JSONText

/// The state in which a document must be for a write to happen.
package enum DocumentToken: Sendable, Equatable {
    /// The document must not exist.
    case absent
    /// From 6.7 on, and OpenSearch.
    case sequence(number: Int64, term: Int64)
    /// Before 6.7: the internal version.
    case version(Int64)
}

/// A document with the token that a later compare-and-set needs.
package struct StateDocument: Sendable, Equatable {
    package var source: JSONValue
    package var token: DocumentToken
}

// Crossfade keeps its own state in single documents, and changes them only by compare-and-set.
extension TargetWriter {
    /// Reads a document; nil when there is no such document or index. It sees every write, also before a refresh.
    package func getDocument(_ index: String, _ id: String) throws(ClusterError) -> StateDocument? {
        let doing = "reading document \(id) of \(index)"
        let told = try transport.callIfPresent(
            HTTPRequest(.get, documentPath(index, id)), doing: doing, index: index)
        guard let answer = told else { return nil }
        guard let isFound = answer["found"]?.bool else {
            throw ClusterError.foreignAnswer(doing, "does not say whether it was found", index: index)
        }
        guard isFound else { return nil }
        guard let source = answer["_source"], let token = token(answer) else {
            throw ClusterError(.malformedAnswer, "\(doing) gave no source or no version", index: index)
        }
        return StateDocument(source: source, token: token)
    }

    /// Writes the document and gives its new token. Throws `conflict` when the document is not in the state
    /// `expecting`.
    @discardableResult package func putDocument(
        _ index: String, _ id: String, _ source: JSONValue, expecting: DocumentToken
    ) throws(ClusterError) -> DocumentToken {
        let doing = "writing document \(id) of \(index)"
        let address = documentPath(index, id) + "?" + condition(expecting)
        // Without fail-over: after a lost answer a second attempt would conflict with the first.
        let answer = try transport.call(
            HTTPRequest(.put, address, body: RequestPath.body(source), failsOver: false), doing: doing, index: index)
        guard let token = token(answer) else {
            throw ClusterError(.malformedAnswer, "\(doing) gave no version", index: index)
        }
        return token
    }

    /// Deletes the document; false when it is not there. Throws `conflict` when it is not in the state `expecting`.
    @discardableResult package func deleteDocument(
        _ index: String, _ id: String, expecting: DocumentToken
    ) throws(ClusterError) -> Bool {
        guard expecting != .absent else { return false }
        return try deleteDocument(
            HTTPRequest(.delete, documentPath(index, id) + "?" + condition(expecting)), index, id)
    }

    /// False when it is not there.
    @discardableResult func deleteDocument(
        _ request: HTTPRequest, _ index: String, _ id: String
    ) throws(ClusterError) -> Bool {
        let doing = "deleting document \(id) of \(index)"
        guard let answer = try transport.callIfPresent(request, doing: doing, index: index) else { return false }
        guard answer["_id"]?.string == id else {
            throw ClusterError.foreignAnswer(doing, "does not name it", index: index)
        }
        return true
    }

    func documentPath(_ index: String, _ id: String) -> String {
        "\(path(index))/\(capabilities.documentType)/\(RequestPath.query(id))"
    }

    private func condition(_ expecting: DocumentToken) -> String {
        switch expecting {
        case .absent: "op_type=create"
        case .sequence(let number, let term): "if_seq_no=\(number)&if_primary_term=\(term)"
        case .version(let version): "version=\(version)"
        }
    }

    private func token(_ answer: JSONValue) -> DocumentToken? {
        guard capabilities.sequenceNumbers else { return answer["_version"]?.compared.map { .version($0) } }
        guard let number = answer["_seq_no"]?.compared, let term = answer["_primary_term"]?.compared else { return nil }
        return .sequence(number: number, term: term)
    }
}

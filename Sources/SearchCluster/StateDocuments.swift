import JSONText

/// What a document must still be for a write to happen.
public enum DocumentToken: Sendable, Equatable {
    /// It must not exist.
    case absent
    /// 6.7 and later, OpenSearch.
    case sequence(number: Int64, term: Int64)
    /// Before: the internal version.
    case version(Int64)
}

/// A document read for compare-and-set.
public struct StateDocument: Sendable, Equatable {
    public var source: JSONValue
    public var token: DocumentToken
}

// Single documents under compare-and-set: Crossfade's own state. Not for the hot path.
extension TargetWriter {
    /// The document as it is this moment, refreshed or not; nil when it or its index is not there.
    public func getDocument(_ index: String, _ id: String) throws(ClusterError) -> StateDocument? {
        let doing = "reading document \(id) of \(index)"
        guard
            let answer = try transport.callIfPresent(
                HTTPRequest(.get, documentPath(index, id)), doing: doing, index: index), answer["found"]?.bool == true
        else { return nil }
        guard let source = answer["_source"], let token = token(answer) else {
            throw ClusterError(.malformedAnswer, "\(doing) gave no source or no version", index: index)
        }
        return StateDocument(source: source, token: token)
    }

    /// Writes the document if it still is what `expecting` says, else throws `conflict`. The new token.
    @discardableResult public func putDocument(
        _ index: String, _ id: String, _ source: JSONValue, expecting: DocumentToken
    ) throws(ClusterError) -> DocumentToken {
        let doing = "writing document \(id) of \(index)"
        let address = documentPath(index, id) + "?" + condition(expecting)
        // Without fail-over: a second attempt after a lost answer would meet its own write.
        let answer = try transport.call(
            HTTPRequest(.put, address, body: RequestPath.body(source), failsOver: false), doing: doing, index: index)
        guard let token = token(answer) else {
            throw ClusterError(.malformedAnswer, "\(doing) gave no version", index: index)
        }
        return token
    }

    /// Deletes the document if it still is what `expecting` says, else throws `conflict`; false when it is not there.
    @discardableResult public func deleteDocument(
        _ index: String, _ id: String, expecting: DocumentToken
    ) throws(ClusterError) -> Bool {
        guard expecting != .absent else { return false }
        return try transport.callIfPresent(
            HTTPRequest(.delete, documentPath(index, id) + "?" + condition(expecting)),
            doing: "deleting document \(id) of \(index)", index: index) != nil
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
        guard capabilities.sequenceNumbers else { return answer["_version"]?.int.map { .version($0) } }
        guard let number = answer["_seq_no"]?.int, let term = answer["_primary_term"]?.int else { return nil }
        return .sequence(number: number, term: term)
    }
}

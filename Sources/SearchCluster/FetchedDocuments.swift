import JSONText

/// What a part of a page of names came to when its documents were fetched by id.
package enum FetchedDocuments: Sendable {
    /// The documents, as a scroll gives them.
    case page(Page)
    /// A document whose stored text is not JSON. `text`: as it is stored; nil: it is longer than any answer may be.
    case unreadable(Hit, text: [UInt8]?, why: String)
    /// So many are not there any more.
    case gone(Int)

    /// How many names it is for.
    package var count: Int {
        switch self {
        case .page(let page): page.hits.count
        case .unreadable: 1
        case .gone(let count): count
        }
    }
}

/// Reading documents of which one makes a page unreadable.
extension ClusterReader {
    /// Fetches the documents that a page of names names, and tells of them in parts. A request whose answer cannot be
    /// read, or is too long, is made again in halves, until the one is found.
    package func fetch(
        _ names: Page, of index: String, answerBytes: Int?, told: (FetchedDocuments) -> Void
    ) throws(ClusterError) {
        defer { withExtendedLifetime(names) {} }
        var left = [0..<names.hits.count]
        while let range = left.popLast() {
            guard !range.isEmpty else { continue }
            let answer: MultiGetAnswer
            do throws(ClusterError) {
                answer = try get(names, range, of: index, answerBytes: range.count > 1 ? answerBytes : nil)
            } catch {
                guard error.code == .unreadableDocument || error.code == .tooLarge else { throw error }
                if range.count == 1 {
                    told(try stored(names, names.hits[range.lowerBound], of: index))
                } else {
                    let middle = range.lowerBound + range.count / 2
                    left += [middle..<range.upperBound, range.lowerBound..<middle]
                }
                continue
            }
            try tell(answer, names, range, index, told)
        }
    }

    private func get(
        _ names: Page, _ range: Range<Int>, of index: String, answerBytes: Int?
    ) throws(ClusterError) -> MultiGetAnswer {
        let request = MultiGetRequest()
        let text = ByteBuffer(capacity: 256)
        for hit in names.hits[range] {
            text.removeAll()
            // All are written before any is looked at: the text may move.
            names.unescape(hit.id, into: text)
            let id = text.count
            if let routing = hit.routing ?? hit.parent { names.unescape(routing, into: text) }
            let routing = text.count
            if let type = hit.type, capabilities.typed { names.unescape(type, into: text) }
            request.append(
                id: text.slice(0..<id), routing: routing > id ? text.slice(id..<routing) : nil,
                type: text.count > routing ? text.slice(routing..<text.count) : nil)
        }
        let answer = try transport.bytes(
            .multiGet(index: index, type: nil), body: .buffer(request.finishedBody()), timeoutSeconds: 300,
            answerBytes: answerBytes, doing: "getting documents of \(index)", index: index)
        return try MultiGetAnswer(body: answer.body, to: request, index: index, transport: transport)
    }

    private func tell(
        _ answer: MultiGetAnswer, _ names: Page, _ range: Range<Int>, _ index: String,
        _ told: (FetchedDocuments) -> Void
    ) throws(ClusterError) {
        var found: [(Hit, GotDocument)] = []
        for (hit, document) in zip(names.hits[range], answer.documents) {
            if let refusal = answer.refusal(of: document) {
                throw ClusterError(
                    .partialAnswer, "a document of \(index) could not be got", index: index, underlying: refusal)
            }
            guard document.found else { continue }
            guard document.source != nil else {
                throw ClusterError(
                    .noSource, "document \(names.text(hit.id)) of \(index) has no _source, so it cannot be copied",
                    index: index)
            }
            found.append((hit, document))
        }
        if found.count < range.count { told(.gone(range.count - found.count)) }
        if !found.isEmpty { told(.page(page(names, found, answer))) }
    }

    /// A page of these documents: their names from the one answer, their text from the other.
    private func page(_ names: Page, _ found: [(Hit, GotDocument)], _ answer: MultiGetAnswer) -> Page {
        let body = ByteBuffer(capacity: found.reduce(0) { $0 + ($1.1.source?.count ?? 0) + 256 })
        func copy(_ bytes: Bytes) -> Range<Int> {
            let start = body.count
            body.append(bytes)
            return start..<body.count
        }
        var size = 0
        let hits = found.map { name, document in
            var hit = Hit(id: copy(names.bytes(name.id)), source: 0..<0)
            hit.index = name.index.map { copy(names.bytes($0)) }
            hit.type = name.type.map { copy(names.bytes($0)) }
            hit.routing = name.routing.map { copy(names.bytes($0)) }
            hit.parent = name.parent.map { copy(names.bytes($0)) }
            hit.version = document.version
            if let source = document.source { hit.source = copy(answer.bytes(source)) }
            size += hit.source.count
            return hit
        }
        return withExtendedLifetime((names, answer)) {
            Page(body: body, transport: transport, hits: hits, sourceBytes: size, took: 0)
        }
    }

    /// The stored text of one document, byte by byte.
    private func stored(
        _ names: Page, _ hit: Hit, of index: String
    ) throws(ClusterError) -> FetchedDocuments {
        let call = ReadCall.storedSource(
            index: index, type: capabilities.typed ? hit.type.map(names.text) : nil, id: names.text(hit.id),
            routing: (hit.routing ?? hit.parent).map(names.text))
        do throws(ClusterError) {
            let answer = try transport.bytes(
                call, body: .none, timeoutSeconds: 300, doing: "reading the stored text of a document of \(index)",
                index: index)
            let text = Array(answer.body.bytes)
            transport.recycle(answer.body)
            let type = hit.type.map(names.text)
            // What can be read now was not the cause: the answer before had come to harm on its way.
            if let page = try? page(
                ofOne: text, id: names.text(hit.id), index: index, type: type,
                routing: hit.routing.map(names.text), parent: hit.parent.map(names.text))
            {
                return .page(page)
            }
            return .unreadable(hit, text: text, why: "its stored text is not one JSON object")
        } catch {
            switch error.code {
            case .notFound: return .gone(1)
            case .tooLarge: return .unreadable(hit, text: nil, why: error.message)
            default: throw error
            }
        }
    }
}

extension Page {
    /// The content of a JSON string. What cannot be unescaped is taken as the server wrote it.
    func unescape(_ quoted: Range<Int>, into out: ByteBuffer) {
        if (try? JSONString.unescape(bytes(quoted), into: out)) == nil {
            out.append(Bytes(rebasing: bytes(quoted).dropFirst().dropLast()))
        }
    }

    func text(_ quoted: Range<Int>) -> String {
        let out = ByteBuffer(capacity: quoted.count)
        unescape(quoted, into: out)
        return withExtendedLifetime(out) { String(repairing: out.bytes) }
    }
}

extension ClusterReader {
    private func page(
        ofOne text: [UInt8], id: String, index: String, type: String?, routing: String?, parent: String?
    ) throws(ClusterError) -> Page {
        let source = ByteBuffer(capacity: text.count)
        text.withUnsafeBufferPointer { source.append($0) }
        return try withExtendedLifetime(source) { () throws(ClusterError) in
            try page(ofOne: source.bytes, id: id, index: index, type: type, routing: routing, parent: parent)
        }
    }
}

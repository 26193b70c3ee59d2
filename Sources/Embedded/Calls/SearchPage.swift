import JSONText

/// Writes one page of a search's hits in the version's form.
struct SearchPage {
    let request: SearchRequest
    let result: SearchResult
    let persona: ServerPersona
    var scrollID: String?
    /// The parameter `rest_total_hits_as_int`.
    var asNumber = false

    func answer(from: Int, count: Int, took: Int64, _ filter: FilterPath?) -> NodeAnswer {
        let out = ByteBuffer(capacity: 1 << 14)
        out.append("{")
        if let scrollID {
            out.append("\"_scroll_id\":")
            write(scrollID, out)
            out.append(",")
        }
        out.append("\"took\":")
        out.append(decimal: max(took, 0))
        out.append(",\"timed_out\":false,\"_shards\":{\"total\":")
        out.append(decimal: Int64(result.shards))
        out.append(",\"successful\":")
        out.append(decimal: Int64(result.shards))
        if persona.since(5, 6) { out.append(",\"skipped\":0") }
        out.append(",\"failed\":0},\"hits\":{")
        let start = min(from, result.found.count)
        let hits = result.found[start..<min(start + count, result.found.count)]
        writeTotal(out)
        out.append("\"max_score\":")
        out.append(maximumScore(isEmpty: hits.isEmpty, size: count))
        out.append(",\"hits\":[")
        for (number, hit) in hits.enumerated() {
            if number > 0 { out.append(UInt8(ascii: ",")) }
            write(hit, out)
        }
        out.append("]}}")
        if filter != nil, let whole = try? JSONValue(parsing: out.bytes) { return .json(whole) }
        return NodeAnswer(status: 200, body: .bytes(Array(out.bytes)))
    }

    private var isSorted: Bool { !request.sort.isEmpty }

    private func writeTotal(_ out: ByteBuffer) {
        let count = result.found.count
        guard persona.since(7), !asNumber else {
            out.append("\"total\":")
            out.append(decimal: Int64(count))
            return out.append(",")
        }
        var shown = count
        var isExact = true
        switch request.total {
        case .none: return
        case .exact: break
        case .upTo(let limit):
            isExact = count <= limit
            shown = min(count, limit)
        }
        out.append("\"total\":{\"value\":")
        out.append(decimal: Int64(shown))
        out.append(isExact ? ",\"relation\":\"eq\"}," : ",\"relation\":\"gte\"},")
    }

    private func maximumScore(isEmpty: Bool, size: Int) -> String {
        if request.isScan { return "0.0" }
        if isSorted || result.found.isEmpty { return size == 0 && !isSorted && !persona.since(7) ? "0.0" : "null" }
        if size == 0 { return persona.since(7) ? "null" : "0.0" }
        return "1.0"
    }

    private func write(_ text: String, _ out: ByteBuffer) {
        var text = text
        text.withUTF8 { JSONString.escape($0, into: out) }
    }

    private func write(_ hit: FoundDocument, _ out: ByteBuffer) {
        let document = hit.document
        out.append("{\"_index\":")
        write(hit.index, out)
        if persona.answersWithType, let type = document.type {
            out.append(",\"_type\":")
            write(type, out)
        }
        out.append(",\"_id\":")
        write(document.id, out)
        if request.givesVersion {
            out.append(",\"_version\":")
            out.append(decimal: document.version)
        }
        if request.givesSequence {
            out.append(",\"_seq_no\":")
            out.append(decimal: document.sequence)
            out.append(",\"_primary_term\":1")
        }
        out.append(request.isScan ? ",\"_score\":0.0" : isSorted ? ",\"_score\":null" : ",\"_score\":1.0")
        writeMetadata(document, out, beforeSource: true)
        if request.source.isGiven, !document.source.isEmpty {
            out.append(",\"_source\":")
            let source = request.source.apply(document.source)
            source.withUnsafeBufferPointer { out.append($0) }
        }
        writeMetadata(document, out, beforeSource: false)
        writeSort(hit, out)
        out.append("}")
    }

    /// Routing and parent. 1.x puts them inside `fields`. 2.x puts them beside the other metadata when the request
    /// names them. Later versions always give them.
    private func writeMetadata(_ document: StoredDocument, _ out: ByteBuffer, beforeSource: Bool) {
        let isFirst = !persona.since(2)
        guard beforeSource != isFirst else { return }
        func isGiven(_ name: String) -> Bool {
            persona.since(5) || request.fields?.contains(name) ?? persona.since(2)
        }
        var members: [(String, String)] = []
        if let routing = document.routing, isGiven("_routing") { members.append(("_routing", routing)) }
        if let parent = document.parent, isGiven("_parent") { members.append(("_parent", parent)) }
        guard !members.isEmpty else { return }
        if isFirst { out.append(",\"fields\":{") }
        for (number, member) in members.enumerated() {
            if !isFirst || number > 0 { out.append(",") }
            write(member.0, out)
            out.append(":")
            write(member.1, out)
        }
        if isFirst { out.append("}") }
    }

    private func writeSort(_ hit: FoundDocument, _ out: ByteBuffer) {
        guard isSorted else { return }
        out.append(",\"sort\":[")
        for (number, key) in request.sort.enumerated() {
            if number > 0 { out.append(",") }
            let value = number < hit.sort.count ? hit.sort[number] : .whole(0)
            let type = number < result.sortTypes.count ? result.sortTypes[number] : nil
            value.json(key, type).write(into: out)
        }
        out.append("]")
    }
}

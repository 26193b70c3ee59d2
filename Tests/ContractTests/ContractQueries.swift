import Foundation
import JSONText
import SearchCluster
import Testing

@testable import Embedded

/// Runs the same queries over the same documents on a real server and in the embedded node's matcher. Both must find
/// the same documents, or refuse with the same words.
extension ContractRun {
    private var types: JSONObject {
        let text: JSONValue = can.keywordFields ? ["type": "text"] : ["type": "string"]
        let word = can.keywordMapping
        return [
            "k": word, "t": text, "n": ["type": "long"], "d": ["type": "double"], "b": ["type": "boolean"],
            "at": ["type": "date"], "ip": ["type": "ip"], "o": ["properties": ["k": word, "n": ["type": "long"]]],
            "tags": ["type": "nested", "properties": ["k": word, "v": word]],
        ]
    }

    func answersQueries() throws {
        try writer.createIndex("c-query", body: body(shards: 1, properties: types))
        var bulk = BulkBody()
        var documents: [MatchedDocument] = []
        for line in QueryCases.documents.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 2)
            let id = String(parts[0])
            let routing = parts[1] == "-" ? nil : String(parts[1])
            let source = try JSONValue(parsing: String(parts[2]))
            bulk.add("index", id: id, version: 1, routing: routing, source: source)
            let isTyped = row.version < ServerVersion(row.product == .elasticsearch ? 8 : 2, 0)
            let type = isTyped ? can.documentType : nil
            documents.append(MatchedDocument(id: id, type: type, routing: routing, index: "c-query", source: source))
        }
        #expect(try bulk.send(writer, "c-query").allSatisfy { $0.status == 201 })
        try writer.refresh("c-query")
        for text in QueryCases.queries.split(separator: "\n") {
            // The type name depends on the version.
            let query = text.replacingOccurrences(of: "\"doc\"", with: "\"\(can.documentType)\"")
            let real = try ask(query)
            let ours = try answer(query, documents)
            #expect(ours == real, "\(row.name): \(query)")
        }
        #expect(try writer.deleteIndex("c-query"))
    }

    /// The ids that the real server finds, or its error as one line.
    private func ask(_ query: String) throws -> String {
        let buffer = ByteBuffer()
        buffer.append("{\"size\":100,\"query\":\(query)}")
        let answer = try writer.transport.perform(
            HTTPRequest(.post, "/c-query/_search", body: .buffer(buffer)))
        let tree = try withExtendedLifetime(answer.body) { try JSONValue(parsing: answer.body.bytes) }
        guard answer.status == 200 else { return refusal(tree, status: answer.status) }
        let ids = (tree["hits"]?["hits"]?.array ?? []).compactMap { $0["_id"]?.string }
        return found(ids)
    }

    private func answer(_ query: String, _ documents: [MatchedDocument]) throws -> String {
        let persona = ServerPersona(row.product, row.version)
        let fields = MappedFields(properties: .object(types), persona: persona)
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        do throws(QueryError) {
            let tree = (try? JSONValue(parsing: query)) ?? .null
            let query = try Query(tree, fields: fields, persona: persona, now: now)
            return found(documents.filter { query.matches($0) }.map(\.id))
        } catch {
            return refusal(error.body(persona: persona, index: "c-query"), status: 400)
        }
    }

    private func found(_ ids: [String]) -> String {
        "found " + ids.sorted { (Int($0) ?? 0) < (Int($1) ?? 0) }.joined(separator: " ")
    }

    /// Status, type and reason. Line, column and the query with its defaults are left out: the embedded node does not
    /// give them.
    private func refusal(_ answer: JSONValue, status: Int) -> String {
        if let text = answer["error"]?.string {
            let nested = text.components(separatedBy: "nested: ").dropFirst().first ?? text
            let name = nested.prefix { $0 != "\n" }
            return "\(status) "
                + name.replacingOccurrences(of: "; }]", with: "")
                .trimmingCharacters(in: CharacterSet(charactersIn: " ;"))
        }
        let root = answer["error"]?["root_cause"]?[0]
        var reason = root?["reason"]?.string ?? ""
        if let place = reason.range(of: "[", options: .anchored), let end = reason.firstIndex(of: "]"),
            reason[place.upperBound..<end].allSatisfy({ $0.isNumber || $0 == ":" })
        {
            reason = String(reason[reason.index(end, offsetBy: 2)...])
        }
        for cut in [" with format [", ", parser not found", " found at ["] + (row.version.major < 8 ? [": "] : []) {
            if let range = reason.range(of: cut) { reason = String(reason[..<range.lowerBound]) }
        }
        return "\(status) \(root?["type"]?.string ?? "") \(reason)"
    }
}

private struct MatchedDocument: SearchableDocument {
    var id: String
    var type: String?
    var routing: String?
    var index: String
    var source: JSONValue

    func values(_ path: String) -> [JSONValue] { SourcePaths.values(in: source, at: path) }
    func objects(_ path: String) -> [JSONObject] { SourcePaths.objects(in: source, at: path) }
}

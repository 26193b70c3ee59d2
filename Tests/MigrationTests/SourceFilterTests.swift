import Commands
import JSONText
import Testing

@testable import Planning

@Suite struct SourceFilterTests {
    private func path(_ text: String) throws -> JSONPath { try JSONPath(parsing: text) }

    private func isSame(
        _ filter: String, _ field: String, _ equals: String, document: String? = "message"
    ) throws -> Bool {
        let envelope = CommandFormat.Envelope(
            id: .key, operation: try path("command"), index: ["I"], merge: [], delete: [], ignore: [],
            document: try document.map(path))
        let select = CommandFormat.Selector(field: try path(field), equals: equals)
        return SourceFilter.isSame(
            try JSONValue(parsing: filter), as: select, CommandFormat(shape: .envelope(envelope)))
    }

    @Test(arguments: [
        #"{"term":{"kind":"incident"}}"#, #"{"term":{"kind":{"value":"incident","boost":1.0}}}"#,
        #"{"terms":{"kind":["incident"]}}"#, #"{"bool":{"filter":[{"term":{"kind":"incident"}}],"boost":1}}"#,
        #"{"bool":{"must":{"term":{"kind.keyword":"incident"}}}}"#,
        #"{"constant_score":{"filter":{"term":{"kind":"incident"}}}}"#,
        #"{"and":[{"term":{"kind":"incident","_cache":true}}]}"#,
        #"{"query":{"term":{"kind":"incident"}}}"#,
    ])
    func saysTheSame(_ filter: String) throws {
        #expect(try isSame(filter, "message.kind", "incident"))
        #expect(try !isSame(filter, "message.kind", "note"))
        #expect(try !isSame(filter, "message.sort", "incident"))
        // The field lies outside the document.
        #expect(try !isSame(filter, "kind", "incident"))
    }

    @Test(arguments: [
        #"{"terms":{"kind":["incident","note"]}}"#, #"{"bool":{"must_not":{"term":{"kind":"incident"}}}}"#,
        #"{"bool":{"must":[{"term":{"kind":"incident"}},{"term":{"org":"a"}}]}}"#,
        #"{"bool":{"should":[{"term":{"kind":"incident"}}]}}"#, #"{"prefix":{"kind":"incident"}}"#, "{}",
        #"{"term":{}}"#, #"{"term":{"kind":null}}"#, #"{"term":"kind"}"#, #"{"term":{"kind":{"value":null}}}"#,
    ])
    func saysSomethingElse(_ filter: String) throws {
        #expect(try !isSame(filter, "message.kind", "incident"))
    }

    @Test func numbersAndBooleansAreTheirText() throws {
        #expect(try isSame(#"{"term":{"message.kind":7}}"#, "message.kind", "7", document: nil))
        #expect(try isSame(#"{"term":{"message.kind":true}}"#, "message.kind", "true", document: nil))
    }
}

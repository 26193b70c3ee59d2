import Cutover
import JSONText
import Testing

@Suite struct ReadSettingsTests {
    private func names(_ old: String, _ now: String, _ wanted: String? = nil) throws -> [String] {
        try ReadSettings.findings(
            old: [JSONValue(parsing: old)], now: JSONValue(parsing: now),
            wanted: wanted.map { try JSONValue(parsing: $0) }
        ).map { "\($0.name) \($0.old) \($0.now ?? "-")" }
    }

    @Test(arguments: [
        (#"{"max_result_window":"50000"}"#, "{}", "max_result_window 50000 -"),
        (#"{"max_result_window":"50000"}"#, #"{"max_result_window":"50000"}"#, nil),
        (#"{"max_result_window":"5000"}"#, "{}", nil),
        (#"{"max_terms_count":"100000"}"#, #"{"max_terms_count":"70000"}"#, "max_terms_count 100000 70000"),
        (#"{"highlight":{"max_analyzed_offset":"2000000"}}"#, "{}", "highlight.max_analyzed_offset 2000000 -"),
        (#"{"highlight.max_analyzed_offset":"2000000"}"#, #"{"highlight":{"max_analyzed_offset":"2000000"}}"#, nil),
        (#"{"highlight":{"max_analyzed_offset":"-1"}}"#, "{}", nil),
        (#"{"max_inner_result_window":"many"}"#, "{}", nil),
        (#"{"query":{"default_field":["title","tags"]}}"#, "{}", #"query.default_field ["title","tags"] -"#),
        (#"{"query":{"default_field":"*"}}"#, "{}", nil),
        (#"{"hidden":"true"}"#, "{}", "hidden true -"),
        (#"{"hidden":"true","provided_name":".ds-logs-2026.11.01-000001"}"#, "{}", nil),
        (#"{"search":{"default_pipeline":"hide-drafts"}}"#, "{}", "search.default_pipeline hide-drafts -"),
        (#"{"similarity":{"default":{"type":"classic"}}}"#, "{}", "similarity.default.type classic -"),
        (#"{"similarity":{"default":{"type":"BM25"}}}"#, "{}", nil),
        (#"{"similarity":{"own":{"type":"classic"}}}"#, "{}", nil),
    ]) func compares(_ old: String, _ now: String, _ found: String?) throws {
        let told = try names(#"{"index":\#(old)}"#, #"{"index":\#(now)}"#)
        #expect(told == (found.map { [$0] } ?? []))
    }

    @Test(arguments: [
        #"{"max_terms_count":10}"#, #"{"index":{"max_terms_count":10}}"#, #"{"index.max_terms_count":10}"#,
    ]) func whatTheRecipeNamesWasDecided(_ wanted: String) throws {
        #expect(try names(#"{"index":{"max_terms_count":"100000"}}"#, "{}", wanted).isEmpty)
    }

    @Test func theGreatestOfSeveralOldIndicesCounts() throws {
        let old = try ["70000", "90000"].map { try JSONValue(parsing: #"{"index":{"max_terms_count":"\#($0)"}}"#) }
        let found = ReadSettings.findings(old: old, now: [:], wanted: nil)
        #expect(found.map(\.old) == ["90000"])
    }
}

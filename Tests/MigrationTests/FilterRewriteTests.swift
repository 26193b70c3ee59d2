import JSONText
import Testing
import Transform

@testable import Schema

@Suite struct FilterRewriteTests {
    /// As a cluster maps `tags` by itself, or as a recipe's author would have it.
    private static let source = #"""
        {"properties": {
          "kind": {"type": "keyword"}, "org": {"type": "keyword", "ignore_above": 256}, "text": {"type": "text"},
          "title": {"type": "text", "fields": {"raw": {"type": "keyword"}}}, "count": {"type": "long"},
          "all": {"type": "text"}, "fed": {"type": "keyword", "copy_to": "all"},
          "parts": {"type": "nested", "properties": {"name": {"type": "keyword"}}},
          "tags": {"properties": {
            "host": {"type": "keyword"}, "a:b": {"type": "keyword"}, "port": {"type": "long"},
            "free": {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}},
            "ok": {"type": "boolean"}, "at": {"type": "date"},
            "disk": {"properties": {"name": {"type": "keyword"}}}}}}}
        """#

    private static let target = #"""
        {"properties": {
          "kind": {"type": "keyword"}, "sort": {"type": "keyword"}, "org": {"type": "keyword", "ignore_above": 512},
          "text": {"type": "text"}, "title": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
          "name": {"type": "text", "fields": {"raw": {"type": "keyword"}}}, "count": {"type": "keyword"},
          "all": {"type": "text"}, "fed": {"type": "keyword", "copy_to": "all"},
          "parts": {"type": "nested", "properties": {"name": {"type": "keyword"}}},
          "tags": {"properties": {"keyToValue": {"type": "keyword"}, "value": {"type": "keyword"}}}}}
        """#

    private func path(_ text: String) throws -> JSONPath { try JSONPath(parsing: text) }

    private func flattened(_ change: (inout KeyToValue) -> Void = { _ in }) throws -> TransformStep {
        var options = KeyToValue(field: try path("tags"))
        change(&options)
        return .keyToValue(options)
    }

    private func rewrite(
        _ filter: String, _ steps: [TransformStep]? = nil, target: String = target,
        servers: FilterRewrite.Servers = .init()
    ) throws -> String {
        func mapping(_ text: String) throws -> JSONObject { try JSONValue(parsing: text).object ?? [:] }
        let rewrite = FilterRewrite(
            try steps ?? [flattened()], source: [try mapping(Self.source)], target: try mapping(target),
            servers: servers)
        return try rewrite.rewritten(try JSONValue(parsing: filter)).text()
    }

    /// Why a filter is refused.
    private func refusal(
        _ filter: String, _ steps: [TransformStep]? = nil, target: String = target,
        servers: FilterRewrite.Servers = .init()
    ) throws -> String {
        do {
            return "rewritten: \(try rewrite(filter, steps, target: target, servers: servers))"
        } catch let refusal as FilterRewrite.Refusal {
            return refusal.words
        }
    }

    @Test(arguments: [
        (#"{"term":{"tags.host":"db-1"}}"#, #"{"term":{"tags.keyToValue":"host:db-1"}}"#),
        (#"{"term":{"tags.host":{"value":"db-1","boost":2}}}"#, #"{"term":{"tags.keyToValue":"host:db-1"}}"#),
        (#"{"term":{"tags.a:b":"c:d"}}"#, #"{"term":{"tags.keyToValue":"a\\:b:c:d"}}"#),
        (#"{"terms":{"tags.host":["a","b"]}}"#, #"{"terms":{"tags.keyToValue":["host:a","host:b"]}}"#),
        (#"{"match":{"tags.host":{"query":"db-1"}}}"#, #"{"term":{"tags.keyToValue":"host:db-1"}}"#),
        (#"{"term":{"tags.free.keyword":"db 1"}}"#, #"{"term":{"tags.keyToValue":"free:db 1"}}"#),
        (#"{"term":{"tags.disk.name":"sda"}}"#, #"{"term":{"tags.keyToValue":"disk.name:sda"}}"#),
        (#"{"term":{"tags.ok":true}}"#, #"{"term":{"tags.keyToValue":"ok:true"}}"#),
        (#"{"term":{"tags.ok":false}}"#, #"{"terms":{"tags.keyToValue":["ok:false","ok:"]}}"#),
        (#"{"exists":{"field":"tags.host"}}"#, #"{"prefix":{"tags.keyToValue":"host:"}}"#),
        (#"{"exists":{"field":"tags.free"}}"#, #"{"prefix":{"tags.keyToValue":"free:"}}"#),
        (#"{"exists":{"field":"tags.disk"}}"#, #"{"prefix":{"tags.keyToValue":"disk."}}"#),
        (#"{"prefix":{"tags.host":"db"}}"#, #"{"prefix":{"tags.keyToValue":"host:db"}}"#),
        (#"{"wildcard":{"tags.host":"d?-*"}}"#, #"{"wildcard":{"tags.keyToValue":"host:d?-*"}}"#),
        (#"{"wildcard":{"tags.a:b":"*"}}"#, #"{"wildcard":{"tags.keyToValue":"a\\\\:b:*"}}"#),
        (#"{"range":{"tags.host":{"gte":"b"}}}"#, #"{"range":{"tags.keyToValue":{"gte":"host:b","lt":"host;"}}}"#),
        (#"{"range":{"tags.host":{"lt":"b"}}}"#, #"{"range":{"tags.keyToValue":{"lt":"host:b","gte":"host:"}}}"#),
    ])
    func asksForPairs(_ old: String, _ new: String) throws { #expect(try rewrite(old) == new) }

    /// Fields that keep their form, and clauses around them, come out as they went in.
    @Test(arguments: [
        #"{"match_all":{}}"#, #"{"term":{"kind":"a"}}"#, #"{"term":{"title.raw":"a"}}"#, #"{"match":{"text":"a b"}}"#,
        #"{"bool":{"filter":[{"term":{"kind":"a"}}],"must_not":{"exists":{"field":"org2"}},"boost":1}}"#,
        #"{"constant_score":{"filter":{"prefix":{"kind":"a"}}}}"#, #"{"ids":{"values":["1"]}}"#,
        #"{"bool":{"should":[{"term":{"kind":"a"}},{"regexp":{"kind":"b.*"}}],"minimum_should_match":1}}"#,
        #"{"nested":{"path":"parts","query":{"term":{"parts.name":"a"}}}}"#, #"{"term":{"org":"short"}}"#,
        #"{"geo_distance":{"distance":"1km","place":{"lat":1,"lon":2}}}"#, #"{"match":{"all":"x"}}"#,
    ])
    func staysAsItIs(_ filter: String) throws { #expect(try rewrite(filter) == filter) }

    @Test(arguments: [
        (#"{"term":{"tags.nope":"a"}}"#, "the source does not map it"),
        (#"{"match":{"tags.free":"db 1"}}"#, "words of it are indexed"),
        (#"{"term":{"tags.port":8080}}"#, "it is a number"), (#"{"term":{"tags.at":"2026-01-01"}}"#, "of type date"),
        (#"{"prefix":{"tags.free.keyword":"a"}}"#, "ignore_above"), (#"{"range":{"tags.port":{"gte":1}}}"#, "number"),
        (#"{"exists":{"field":"tags.port"}}"#, "an empty text"), (#"{"exists":{"field":"tags"}}"#, "tags.at"),
        (#"{"regexp":{"tags.host":"a.*"}}"#, "regexp"), (#"{"fuzzy":{"tags.host":"a"}}"#, "fuzzy"),
        (#"{"prefix":{"tags.host":{"value":"a","case_insensitive":true}}}"#, "cannot have"),
        (#"{"terms":{"tags.host":{"index":"i","id":"1","path":"p"}}}"#, "another index"),
        (#"{"query_string":{"query":"tags.host:a"}}"#, "not taken apart"), (#"{"script":{"script":"1"}}"#, "script"),
        (#"{"term":{"count":1}}"#, "another form"), (#"{"prefix":{"org":"a"}}"#, "ignore_above"),
        (#"{"exists":{"field":"tags*"}}"#, "a pattern"), (#"{"term":{"_index":"i"}}"#, "not the same"),
        (#"{"bool":{"must":[{"term":{"kind":"a"}},{"term":{"tags.port":1}}]}}"#, "bool.must[1].term"),
        (#"{"term":{"tags.host":1.50}}"#, "several ways"), ("{}", "rewritten"), (#"{"term":{"a":1},"b":2}"#, "single"),
        (#"{"nested":{"path":"tags","query":{"match_all":{}}}}"#, "nested objects"), ("[]", "single clause"),
        (#"{"geo_distance":{"tags.host":{"lat":1,"lon":2}}}"#, "tags.host"),
    ])
    func refusesWhatItCannotSay(_ filter: String, _ why: String) throws {
        let words = try refusal(filter)
        #expect(words.contains(why), "\(words)")
    }

    @Test func followsRenamedFieldsAndRefusesTheOthers() throws {
        let rename = [TransformStep.rename(from: try path("kind"), to: try path("sort"))]
        #expect(try rewrite(#"{"term":{"kind":"a"}}"#, rename) == #"{"term":{"sort":"a"}}"#)
        let title = [TransformStep.rename(from: try path("title"), to: try path("name"))]
        #expect(try rewrite(#"{"exists":{"field":"title.raw"}}"#, title) == #"{"exists":{"field":"name.raw"}}"#)
        // what stands there already would be found, too
        #expect(
            try refusal(#"{"term":{"kind":"a"}}"#, [.rename(from: try path("kind"), to: try path("text"))])
                .contains("something already"))
        let swap = [
            TransformStep.rename(from: try path("text"), to: try path("old")),
            TransformStep.rename(from: try path("title"), to: try path("text")),
        ]
        #expect(try refusal(#"{"match":{"title":"a"}}"#, swap).hasPrefix("rewritten"))
        #expect(try refusal(#"{"term":{"kind":"a"}}"#, [.remove([try path("kind")])]).contains("removed"))
        #expect(try refusal(#"{"term":{"kind":"a"}}"#, [.keep([try path("org")])]).contains("keep"))
        #expect(try refusal(#"{"term":{"kind":"a"}}"#, [.change(try path("kind"), .lowercase)]).contains("lowercase"))
        #expect(
            try refusal(#"{"term":{"kind":"a"}}"#, [.copy(from: try path("org"), to: try path("kind"))]).contains(
                "copied"))
        #expect(try refusal(#"{"match":{"all":"a"}}"#, [.remove([try path("fed")])]).contains("copy_to"))
    }

    @Test func optionsOfKeyToValueDecide() throws {
        let lower = [try flattened { $0.lowercase = true }]
        #expect(try refusal(#"{"term":{"tags.host":"a"}}"#, lower).contains("lower case"))
        let noEmpty = [try flattened { $0.empty = .drop }]
        #expect(try refusal(#"{"term":{"tags.host":""}}"#, noEmpty).contains("empty"))
        #expect(try refusal(#"{"exists":{"field":"tags.host"}}"#, noEmpty).contains("empty"))
        #expect(
            try rewrite(#"{"exists":{"field":"tags.port"}}"#, noEmpty) == #"{"prefix":{"tags.keyToValue":"port:"}}"#)
        let nulls = [try flattened { $0.null = .keep }]
        #expect(try refusal(#"{"exists":{"field":"tags.host"}}"#, nulls).contains("null"))
        let nested = #"{"properties":{"tags":{"type":"nested","properties":{"keyToValue":{"type":"keyword"}}}}}"#
        #expect(
            try rewrite(#"{"term":{"tags.host":"a"}}"#, [try flattened { $0.nested = true }], target: nested)
                == #"{"nested":{"path":"tags","query":{"term":{"tags.keyToValue":"host:a"}}}}"#)
        let short = #"{"properties":{"tags":{"properties":{"keyToValue":{"type":"keyword","ignore_above":8}}}}}"#
        #expect(try refusal(#"{"term":{"tags.host":"abcd"}}"#, target: short).contains("ignore_above"))
        #expect(try refusal(#"{"term":{"tags.host":"abc"}}"#, target: short).hasPrefix("rewritten"))
    }

    /// The forms of 1.x and 2.x become those that every version knows.
    @Test(arguments: [
        (
            #"{"and":[{"term":{"kind":"a","_cache":true}},{"missing":{"field":"kind"}}]}"#,
            #"{"bool":{"must":[{"term":{"kind":"a"}},{"bool":{"must_not":[{"exists":{"field":"kind"}}]}}]}}"#
        ),
        (
            #"{"or":{"filters":[{"in":{"kind":["a"]}},{"not":{"term":{"kind":"b"}}}]}}"#,
            #"{"bool":{"should":[{"terms":{"kind":["a"]}},{"bool":{"must_not":[{"term":{"kind":"b"}}]}}]}}"#
        ),
        (
            #"{"filtered":{"query":{"match_all":{}},"filter":{"query":{"match":{"text":"a"}}}}}"#,
            #"{"bool":{"must":[{"match_all":{}},{"match":{"text":"a"}}]}}"#
        ),
    ])
    func oldFormsBecomeNewOnes(_ old: String, _ new: String) throws {
        #expect(try rewrite(old.replacing(#","_cache":true"#, with: ""), []) == new)
        #expect(try rewrite(old, []) == new)
    }

    @Test func aShouldThatOldServersAskedForIsStillAskedFor() throws {
        let filter = #"{"bool":{"must":{"term":{"kind":"a"}},"should":[{"term":{"kind":"b"}}]}}"#
        #expect(try rewrite(filter, servers: .init(needsShould: true)).contains(#""minimum_should_match":1"#))
        #expect(try rewrite(filter) == filter)
    }
}

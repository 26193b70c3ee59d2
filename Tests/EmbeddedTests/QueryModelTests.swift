import Foundation
import JSONText
import SearchCluster
import Seeds
import Testing

@testable import Embedded

/// Compares random queries over random documents with a model that knows nothing of field types or compiled
/// predicates.
@Suite struct QueryModelTests {
    private static let persona = ServerPersona(.elasticsearch, ServerVersion(8, 17))
    private static let properties: JSONValue = [
        "k": ["type": "keyword"], "at": ["type": "date"], "t": ["type": "text"], "n": ["type": "long"],
        "tags": ["type": "nested", "properties": ["k": ["type": "keyword"], "v": ["type": "keyword"]]],
    ]

    @Test func agreesWithModel() throws {
        let seed = newSeed("queries against a model")
        var random = Seeded(seed)
        let fields = MappedFields(properties: Self.properties, persona: Self.persona)
        let documents = (0..<60).map { Self.document($0, &random) }
        for _ in 0..<400 {
            let model = Self.query(&random, depth: 3)
            let query = try Query(model.json, fields: fields, persona: Self.persona, now: 0)
            for document in documents {
                let wanted = model.holds(document)
                #expect(query.matches(document) == wanted, "seed \(seed): \(model.json) on \(document.source)")
            }
            // The shortcut must not hide a matching document.
            guard let ids = query.ids else { continue }
            #expect(documents.allSatisfy { !query.matches($0) || ids.contains($0.id) }, "seed \(seed): \(model.json)")
        }
    }

    /// A query string and the equivalent query tree find the same documents.
    @Test func queryStringIsTheSameTree() throws {
        let seed = newSeed("query strings against trees")
        var random = Seeded(seed)
        let fields = MappedFields(properties: Self.properties, persona: Self.persona)
        let documents = (0..<60).map { Self.document($0, &random) }
        for _ in 0..<300 {
            let (text, model) = Self.sentence(&random, depth: 3)
            let query = try Query(
                ["query_string": ["query": .string(text)]], fields: fields, persona: Self.persona, now: 0)
            for document in documents {
                #expect(query.matches(document) == model.holds(document), "seed \(seed): \(text) on \(document.source)")
            }
        }
    }

    /// No query can end the process.
    @Test func survivesAnything() {
        let seed = newSeed("queries of any shape")
        var random = Seeded(seed)
        let fields = MappedFields(properties: Self.properties, persona: Self.persona)
        let signs = Array("ab:*?\\\"()[]{}+-|&!~^/ TO AND OR NOT _exists_:k 9<>=.,\n")
        for _ in 0..<3000 {
            let text = String((0..<random.below(14)).map { _ in random.pick(signs) })
            let version = random.pick([(1, 7), (2, 4), (5, 6), (6, 8), (8, 17)])
            let persona = ServerPersona(.elasticsearch, ServerVersion(version.0, version.1))
            let value: JSONValue = random.chance(50) ? .string(text) : Self.junk(&random, depth: 3)
            let names = [
                "query_string", "simple_query_string", "match", "term", "terms", "range", "bool", "nested", "ids",
                "multi_match", "wildcard", "prefix", "filtered", "and", "not", "constant_score", "exists",
            ]
            let inner = random.pick(["query", "k", "n", "at", "must", "should", "filter", "values", "path", "field"])
            let body: JSONValue = .object(JSONObject([(inner, value)]))
            let query: JSONValue = .object(JSONObject([(random.pick(names), random.chance(90) ? body : value)]))
            do throws(QueryError) {
                let read = try Query(query, fields: fields, persona: persona, now: 0)
                _ = read.matches(ModelDocument(id: "1", source: ["k": "ab", "n": 9, "t": "a b 9"]))
            } catch {
                #expect(!error.reason.isEmpty, "seed \(seed)")
            }
        }
    }

    private static let words = ["a", "b", "ab", "abc", "b c", "C"]

    private static func document(_ number: Int, _ random: inout Seeded) -> ModelDocument {
        var source = JSONObject()
        func some(_ one: (inout Seeded) -> JSONValue) -> JSONValue {
            random.chance(30) ? .array((0..<random.below(3)).map { _ in one(&random) }) : one(&random)
        }
        if random.chance(80) { source["k"] = some { .string($0.pick(words)) } }
        if random.chance(80) {
            source["t"] = some { random in
                .string((0...random.below(3)).map { _ in random.pick(words) }.joined(separator: ", "))
            }
        }
        if random.chance(80) { source["n"] = some { .number($0.below(9) - 4) } }
        if random.chance(50) {
            source["tags"] = some { ["k": .string($0.pick(words)), "v": .string($0.pick(words))] }
        }
        return ModelDocument(id: "\(number)", source: .object(source))
    }

    private static func query(_ random: inout Seeded, depth: Int) -> ModelQuery {
        guard depth > 0, random.chance(60) else { return leaf(&random) }
        if random.chance(20) {
            let path = random.pick(["tags.k", "tags.v"])
            let other = random.pick(["tags.k", "tags.v"])
            return .nested(.bool([.term(path, random.pick(words))], [], [.term(other, random.pick(words))], 0))
        }
        let must = (0..<random.below(3)).map { _ in query(&random, depth: depth - 1) }
        let should = (0..<random.below(4)).map { _ in query(&random, depth: depth - 1) }
        let mustNot = (0..<random.below(2)).map { _ in query(&random, depth: depth - 1) }
        return .bool(must, should, mustNot, random.chance(50) || should.isEmpty ? nil : 1 + random.below(should.count))
    }

    private static func leaf(_ random: inout Seeded) -> ModelQuery {
        switch random.below(7) {
        case 0: .all
        case 1: .term("k", random.pick(words))
        case 2: .number(random.below(9) - 4, random.below(9) - 4)
        case 3: .words(random.pick(words))
        case 4: .prefix(random.pick(["a", "ab", "b", "c"]))
        case 5: .exists(random.pick(["k", "n", "nope"]))
        default: .ids((0..<random.below(4)).map { _ in "\(random.below(60))" })
        }
    }

    private static func sentence(_ random: inout Seeded, depth: Int) -> (String, ModelQuery) {
        guard depth > 0, random.chance(60) else {
            switch random.below(4) {
            case 0:
                let word = random.pick(words)
                return ("k:\"\(word)\"", .term("k", word))
            case 1:
                let low = random.below(9) - 4
                return ("n:[\(low) TO \(low + 2)]", .number(low, low + 2))
            case 2: return ("_exists_:k", .exists("k"))
            default: return ("k:b*", .prefix("b"))
            }
        }
        let one = sentence(&random, depth: depth - 1)
        let other = sentence(&random, depth: depth - 1)
        switch random.below(4) {
        case 0: return ("(\(one.0)) AND (\(other.0))", .bool([one.1, other.1], [], [], 0))
        case 1: return ("(\(one.0)) OR (\(other.0))", .bool([], [one.1, other.1], [], 1))
        case 2: return ("+(\(one.0)) -(\(other.0))", .bool([one.1], [], [other.1], 0))
        default: return ("(\(one.0)) AND NOT (\(other.0))", .bool([one.1], [], [other.1], 0))
        }
    }

    private static func junk(_ random: inout Seeded, depth: Int) -> JSONValue {
        switch random.below(depth > 0 ? 7 : 5) {
        case 0: .null
        case 1: .bool(random.chance(50))
        case 2:
            .number(
                random.pick(["0", "-1", "1e400", "9223372036854775807", "1704164645000", "-9223372036854775808", "0.5"])
            )
        case 3: .string(random.pick(["", "-", "%", "99999999999999999999", "2<", "now-", "now+99999999999y", "||"]))
        case 4: .string("a")
        case 5: .array((0..<random.below(3)).map { _ in junk(&random, depth: depth - 1) })
        default:
            .object(
                JSONObject(
                    (0..<random.below(3)).map { _ in
                        (
                            random.pick([
                                "k", "n", "at", "gte", "lt", "query", "minimum_should_match", "must", "match_all",
                            ]),
                            junk(&random, depth: depth - 1)
                        )
                    }))
        }
    }
}

private struct ModelDocument: SearchableDocument {
    var id: String
    var source: JSONValue
    var type: String? { nil }
    var routing: String? { nil }
    var index: String { "i" }

    func values(_ path: String) -> [JSONValue] { SourcePaths.values(in: source, at: path) }
    func objects(_ path: String) -> [JSONObject] { SourcePaths.objects(in: source, at: path) }

    /// Top-level values, as the model sees them.
    func plain(_ field: String) -> [JSONValue] {
        guard let value = source[field], !value.isNull else { return [] }
        return value.array ?? [value]
    }
}

/// The naive model.
private indirect enum ModelQuery {
    case all
    case term(String, String)
    case number(Int, Int)
    case words(String)
    case prefix(String)
    case exists(String)
    case ids([String])
    case nested(ModelQuery)
    case bool([ModelQuery], [ModelQuery], [ModelQuery], Int?)

    var json: JSONValue {
        switch self {
        case .all: ["match_all": [:]]
        case .term(let field, let word): ["term": .object(JSONObject([(field, .string(word))]))]
        case .number(let low, let high): ["range": ["n": ["gte": .number(low), "lt": .number(high + 1)]]]
        case .words(let text): ["match": ["t": ["query": .string(text), "operator": "and"]]]
        case .prefix(let text): ["prefix": ["k": .string(text)]]
        case .exists(let field): ["exists": ["field": .string(field)]]
        case .ids(let ids): ["ids": ["values": .array(ids.map { .string($0) })]]
        case .nested(let query): ["nested": ["path": "tags", "query": query.json]]
        case .bool(let must, let should, let mustNot, let minimum):
            .object(
                JSONObject([
                    (
                        "bool",
                        .object(
                            JSONObject(
                                [
                                    ("must", .array(must.map(\.json))), ("should", .array(should.map(\.json))),
                                    ("must_not", .array(mustNot.map(\.json))),
                                ] + (minimum.map { [("minimum_should_match", .number($0))] } ?? [])))
                    )
                ]))
        }
    }

    func holds(_ document: ModelDocument) -> Bool {
        switch self {
        case .all: return true
        case .term(let field, let word):
            return document.plain(field.split(separator: ".").last.map(String.init) ?? field).contains(.string(word))
        case .number(let low, let high):
            return document.plain("n").contains { ($0.int ?? 99) >= low && ($0.int ?? -99) <= high }
        case .words(let text):
            let wanted = text.lowercased().split(separator: " ")
            let there = document.plain("t").flatMap { ($0.string ?? "").lowercased().split { ", ".contains($0) } }
            return wanted.allSatisfy { there.contains($0) }
        case .prefix(let text): return document.plain("k").contains { $0.string?.hasPrefix(text) ?? false }
        case .exists(let field): return !document.plain(field).isEmpty
        case .ids(let ids): return ids.contains(document.id)
        case .nested(let query):
            return document.plain("tags").contains { query.holds(ModelDocument(id: "", source: $0)) }
        case .bool(let must, let should, let mustNot, let minimum):
            let needed = minimum ?? (must.isEmpty && !should.isEmpty ? 1 : 0)
            return must.allSatisfy { $0.holds(document) } && !mustNot.contains { $0.holds(document) }
                && should.filter { $0.holds(document) }.count >= needed
        }
    }
}

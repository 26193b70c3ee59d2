import Embedded
import JSONText
import SearchCluster
import Seeds
import Testing
import Transform

@testable import Schema

/// Random filters over random documents: the old filter finds the old document if and only if the rewritten one finds
/// the transformed document. The queries are evaluated by the embedded node, which knows nothing of the rewriting.
@Suite struct FilterRewritePropertyTests {
    private static let persona = ServerPersona(.elasticsearch, ServerVersion(8, 17))
    private static let keys = ["host", "a:b", "a\\b", "c:", "disk.free", "port", "ok", "free"]
    private static let words = ["", "a", "ab", "b", "a:b", ":", "a b", "B", "true", "7", "db-1", "ab;", "\\"]

    private struct Case {
        var steps: [TransformStep]
        var source: JSONObject
        var target: JSONObject
    }

    private static func properties(_ fields: [(String, JSONValue)]) -> JSONValue {
        ["properties": .object(JSONObject(fields))]
    }

    private static func made(_ random: inout Seeded) throws -> Case {
        var options = KeyToValue(field: try JSONPath(parsing: "tags"))
        options.null = random.chance(20) ? .keep : .drop
        options.empty = random.chance(30) ? .drop : .keep
        options.nested = random.chance(30)
        options.lowercase = random.chance(15)
        options.ignoreAbove = random.chance(15) ? 7 : nil
        let limited: JSONValue =
            random.chance(20) ? ["type": "keyword", "ignore_above": 3] : ["type": "keyword"]
        let free: JSONValue = ["type": "text", "fields": ["keyword": limited]]
        let disk = properties([("free", ["type": "keyword"])])
        var tags: [(String, JSONValue)] = [
            ("a:b", ["type": "keyword"]), ("a\\b", ["type": "keyword"]), ("c:", ["type": "keyword"]), ("disk", disk),
            ("host", limited), ("port", ["type": "long"]), ("ok", ["type": "boolean"]), ("free", free),
        ]
        if random.chance(50) { tags.removeAll { ["port", "ok"].contains($0.0) } }
        var rest: [(String, JSONValue)] = [
            ("kind", ["type": "keyword"]), ("text", ["type": "text"]), ("count", ["type": "long"]),
        ]
        let source = properties(rest + [("tags", properties(tags))])
        rest.append(("sort", ["type": "keyword"]))
        let target = properties(rest + [("tags", Transformer.mappingProperties(options))])
        var steps: [TransformStep] = [.keyToValue(options)]
        if random.chance(40) {
            let other: TransformStep =
                switch random.below(4) {
                case 0: .rename(from: try JSONPath(parsing: "kind"), to: try JSONPath(parsing: "sort"))
                case 1: .remove([try JSONPath(parsing: "count")])
                case 2: .change(try JSONPath(parsing: "kind"), .lowercase)
                default: .rename(from: try JSONPath(parsing: "kind"), to: try JSONPath(parsing: "text"))
                }
            steps.insert(other, at: random.below(2))
        }
        return Case(steps: steps, source: source.object ?? [:], target: target.object ?? [:])
    }

    private static func value(of key: String, _ random: inout Seeded) -> JSONValue {
        if random.chance(10) { return .null }
        if random.chance(15) { return .array((0..<random.below(3)).map { _ in value(of: key, &random) }) }
        switch key {
        case "port": return random.chance(80) ? .number(random.below(9)) : random.pick(["7", "7.0"])
        case "ok": return random.chance(70) ? .bool(random.chance(50)) : random.pick(["true", "false", ""])
        case "count": return .number(random.below(9))
        default: return random.chance(90) ? .string(random.pick(words)) : .number(random.below(9))
        }
    }

    private static func document(_ maps: Set<String>, _ random: inout Seeded) -> JSONValue {
        func tags(_ random: inout Seeded) -> JSONValue {
            var map = JSONObject()
            for key in keys where maps.contains(key) && random.chance(50) {
                if key == "disk.free", random.chance(50) {
                    map["disk"] = ["free": value(of: key, &random)]
                } else {
                    map[key] = value(of: key, &random)
                }
            }
            return .object(map)
        }
        var source = JSONObject()
        for field in ["kind", "text", "count"] where random.chance(70) { source[field] = value(of: field, &random) }
        if random.chance(85) {
            source["tags"] = random.chance(15) ? [tags(&random), tags(&random)] : tags(&random)
        }
        return .object(source)
    }

    private static func filter(_ random: inout Seeded, depth: Int) -> JSONValue {
        func of(_ name: String, _ body: JSONValue) -> JSONValue { .object(JSONObject([(name, body)])) }
        func some(_ count: Int, _ random: inout Seeded) -> JSONValue {
            .array((0..<count).map { _ in filter(&random, depth: depth - 1) })
        }
        if depth > 0, random.chance(45) {
            var body = JSONObject()
            for key in ["must", "filter", "should", "must_not"] where random.chance(40) {
                body[key] = some(1 + random.below(2), &random)
            }
            return random.chance(15)
                ? of("constant_score", of("filter", of("bool", .object(body))))
                : of("bool", .object(body))
        }
        let field = random.pick(
            keys.map { "tags." + $0 } + [
                "tags.free.keyword", "kind", "text", "count", "tags.host", "tags.disk", "nope",
            ])
        let word = random.pick(words)
        switch random.below(8) {
        case 0, 1: return of("term", of(field, field.hasSuffix("port") || field == "count" ? 7 : .string(word)))
        case 2: return of("terms", of(field, ["7", field.hasSuffix("ok") ? "true" : "7"]))
        case 3: return of("exists", ["field": .string(random.chance(20) ? "tags" : field)])
        case 4: return of("prefix", of(field, .string(word)))
        case 5: return of("wildcard", of(field, .string(random.pick(["*", "a*", "?", "a?b", "*:*"]))))
        case 6: return of("range", of(field, random.chance(50) ? ["gte": .string(word)] : ["gt": "a", "lt": "b"]))
        default: return of("match", of(field, .string(word)))
        }
    }

    @Test func findsTheSameDocuments() throws {
        let seed = newSeed("rewritten filters")
        var random = Seeded(seed)
        var (compared, found) = (0, 0)
        for _ in 0..<250 {
            let one = try Self.made(&random)
            let old = MappedFields(properties: one.source["properties"] ?? [:], persona: Self.persona)
            let new = MappedFields(properties: one.target["properties"] ?? [:], persona: Self.persona)
            let maps = Set(one.source["properties"]?["tags"]?["properties"]?.object?.keys ?? []).union(["disk.free"])
            let transformer = Transformer(one.steps)
            var documents: [(FilteredDocument, FilteredDocument)] = []
            for _ in 0..<25 {
                let source = Self.document(maps, &random)
                guard let made = try? Self.transformed(source, transformer) else { continue }
                documents.append((FilteredDocument(source: source), FilteredDocument(source: made)))
            }
            let rewrite = FilterRewrite(one.steps, source: [one.source], target: one.target)
            for _ in 0..<40 {
                let filter = Self.filter(&random, depth: 2)
                guard let made = try? rewrite.rewritten(filter),
                    let asked = try? Query(filter, fields: old, persona: Self.persona, now: 0)
                else { continue }
                let answer = try Query(made, fields: new, persona: Self.persona, now: 0)
                for (before, after) in documents {
                    let wanted = asked.matches(before)
                    compared += 1
                    found += wanted ? 1 : 0
                    #expect(
                        answer.matches(after) == wanted,
                        "seed \(seed): \(filter) became \(made): \(before.source) became \(after.source)")
                }
            }
        }
        // A test that compares nothing, or finds nothing, proves nothing.
        #expect(compared > 20_000 && found > 2000 && found < compared - 2000, "\(compared) compared, \(found) found")
    }

    private static func transformed(_ source: JSONValue, _ transformer: Transformer) throws -> JSONValue {
        let out = ByteBuffer()
        try Array(source.text().utf8).withUnsafeBufferPointer { try transformer.apply($0, into: out) }
        return try JSONValue(parsing: String(decoding: out.bytes, as: UTF8.self))
    }
}

private struct FilteredDocument: SearchableDocument {
    var source: JSONValue
    var id: String { "1" }
    var type: String? { nil }
    var routing: String? { nil }
    var index: String { "i" }

    func values(_ path: String) -> [JSONValue] { SourcePaths.values(in: source, at: path) }
    func objects(_ path: String) -> [JSONObject] { SourcePaths.objects(in: source, at: path) }
}

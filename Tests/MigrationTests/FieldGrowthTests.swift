import JSONText
@testable import Planning
@testable import Schema
import Seeds
import Testing

/// How many fields documents add to a mapping. The same numbers are compared with real servers in test_growth.py.
@Suite struct FieldGrowthTests {
    private func growth(_ mapping: String, _ documents: String...) throws -> FieldGrowth {
        var growth = FieldGrowth(mapping: try #require(JSONValue(parsing: mapping).object))
        for document in documents { growth.add(try JSONValue(parsing: document), from: .source) }
        return growth
    }

    private func added(_ mapping: String, _ documents: String...) throws -> Int {
        var growth = FieldGrowth(mapping: try #require(JSONValue(parsing: mapping).object))
        for document in documents { growth.add(try JSONValue(parsing: document), from: .source) }
        return growth.added
    }

    @Test func whatEachKindOfValueAdds() throws {
        #expect(try added("{}", #"{"a":"text"}"#) == 2)
        #expect(try added("{}", #"{"a":1,"b":1.5,"c":true,"d":"2026-11-29"}"#) == 4)
        #expect(try added("{}", #"{"a":null,"b":[],"c":[null]}"#) == 0)
        #expect(try added("{}", #"{"a":{},"b":{"c":"x","d":{"e":1}},"f":[{"g":1},{"h":2}]}"#) == 9)
        #expect(try added("{}", #"{"a":[null,"x"],"b":[[1]]}"#) == 3)
        #expect(try added("{}", #"{"a.b.c":1}"#, #"{"a":{"b":{"c":2}}}"#) == 3, "dots are objects")
        #expect(try added("{}", #"{"a":"2026"}"#, #"{"a":"2026-01"}"#) == 2, "a number is no date")
        #expect(try added(#"{"date_detection":false,"numeric_detection":true}"#, #"{"a":"2026-01-01","b":"7"}"#) == 3)
    }

    @Test func whatIsMappedAddsNothing() throws {
        let mapping = """
            {"properties":{"a":{"type":"text"},"b":{"type":"flattened"},"c":{"type":"object","enabled":false},
            "d":{"properties":{"e":{"type":"long"}}},"f.g":{"type":"long"}},"runtime":{"r":{"type":"long"}}}
            """
        let found = try growth(
            mapping, #"{"a":"x","b":{"x":1},"c":{"y":{"z":1}},"d":{"e":1,"new":1},"f":{"g":1},"r":1}"#)
        #expect(found.added == 1 && found.mapped == 7)
    }

    @Test func dynamicCountsAtEachLevel() throws {
        let mapping = """
            {"dynamic":false,"properties":{"a":{"dynamic":true,"properties":{"b":{"dynamic":"strict"}}},
            "r":{"dynamic":"runtime"}}}
            """
        let found = try growth(mapping, #"{"x":1,"a":{"y":"t","b":{}},"r":{"s":"t"}}"#, #"{"a":{"b":{"z":1}}}"#)
        #expect(found.added == 3 && found.refused == 1 && found.firstRefused == "a.b.z")
    }

    @Test func dynamicTemplates() throws {
        let mapping = """
            {"dynamic_templates":[
            {"labels":{"path_match":"labels.*","match_mapping_type":"string","mapping":{"type":"keyword"}}},
            {"maps":{"match":"*_map","match_mapping_type":"object","mapping":{"type":"flattened"}}},
            {"sub":{"match":["s_*","t_*"],"unmatch":"s_not","mapping":{"type":"text","fields":{"a":{"type":"keyword"},
            "b":{"type":"keyword"}}}}}]}
            """
        #expect(try added(mapping, #"{"labels":{"a":"x","b":1}}"#) == 3)
        #expect(try added(mapping, #"{"a_map":{"b":1,"c":{"d":2}}}"#) == 1)
        #expect(try added(mapping, #"{"s_1":"x","s_not":"x","t_":"y"}"#) == 8)
        let only = #"{"dynamic":"false_allow_templates","dynamic_templates":[{"t":{"match":"t*","mapping":{}}}]}"#
        #expect(try added(only, #"{"t1":1,"x":1}"#) == 1)
    }

    @Test func thePathThatGrows() throws {
        let found = try growth(
            "{}", #"{"title":"x","props":{"u1":{"a":1,"b":2}}}"#, #"{"title":"y","props":{"u2":{"a":1},"u3":{}}}"#)
        #expect(
            found.growing
                == FieldGrowth.Growing(path: ["props"], newNames: 3, examples: ["u1", "u2", "u3"], isMap: true))
        #expect(try growth("{}", #"{"a.k1":1,"a.k2":2}"#).growing?.isMap == false, "there is no such object")
        #expect(try growth("{}", #"{"a":[{"k1":1,"k2":2}]}"#).growing?.isMap == false, "it is an array")
        #expect(try growth("{}", #"{"a":1,"b":2}"#).growing?.path == [])
        #expect(try growth("{}", #"{"a":{"b":{"c":{}}}}"#).deepest == 4)
    }

    /// Any documents, in any order: as many fields as their paths say.
    @Test func theSameAsCountingPaths() throws {
        var random = Seeded(newSeed("fields of documents"))
        for _ in 0..<200 {
            var paths: [String: Int] = [:]
            let documents = (0..<random.below(20)).map { _ in document(&random, "", 0, &paths) }
            for _ in 0..<2 {
                var growth = FieldGrowth(mapping: [:])
                for document in documents.shuffled() {
                    growth.add(document, from: random.below(2) == 0 ? .source : .log)
                }
                #expect(growth.added == paths.values.reduce(0, +))
            }
        }
    }

    /// The type of a field follows from its name, so that the order of documents does not count.
    private func document(
        _ random: inout Seeded, _ path: String, _ depth: Int, _ paths: inout [String: Int]
    ) -> JSONValue {
        var object = JSONObject()
        for _ in 0..<(1 + random.below(4)) {
            let kind = random.below(depth > 3 ? 3 : 5)
            let name = ["s", "n", "e", "o", "l"][kind] + "\(random.below(3))"
            guard object[name] == nil else { continue }
            switch kind {
            case 0: (object[name], paths[path + name]) = ("text", 2)
            case 1: (object[name], paths[path + name]) = (7, 1)
            case 2: object[name] = []
            case 3:
                paths[path + name] = 1
                object[name] = document(&random, path + name + ".", depth + 1, &paths)
            default:
                paths[path + name] = 1
                object[name] = .array(
                    (0...random.below(2)).map { _ in document(&random, path + name + ".", depth + 1, &paths) })
            }
        }
        return .object(object)
    }

    @Test func documentsThatMakeNoSenseDoNotTrap() throws {
        let deep = String(repeating: #"{"a":"#, count: 90) + "1" + String(repeating: "}", count: 90)
        #expect(try growth("{}", deep).deepest == 90)
        #expect(try added("{}", #"{"":1,".":2,"a..b":3,"a.":4}"#, "[1]", "7") == 4)
        #expect(
            try added(#"{"dynamic":7,"properties":[],"dynamic_templates":[7,{},{"a":{"mapping":7}}]}"#, #"{"a":1}"#)
                == 1)
        #expect(!DynamicTemplate.matches("ab", "ab*b") && DynamicTemplate.matches("a.b.c", "a.*.c"))
    }
}

@Suite struct GrowthEstimateTests {
    private func estimate(_ sampled: Int, _ whole: Int, _ once: Int, _ twice: Int) -> (expected: Double, least: Double)
    {
        GrowthEstimate(sampled: sampled, whole: whole, once: once, twice: twice).more
    }

    @Test func numbers() {
        #expect(estimate(200, 200, 50, 0).expected == 0, "the sample is the whole")
        #expect(estimate(200, 1_000_000, 0, 5).expected == 0)
        let own = estimate(200, 20_000, 200, 0)
        #expect(own.expected > 10_000 && own.expected < 20_000 && own.least > 5000 && own.least < own.expected)
        let few = estimate(200, 1_000_000, 20, 20)
        #expect(few.expected < 12 && few.least < 6)
        #expect(estimate(0, 0, -1, -1).expected == 0 && estimate(1, 10, 1, 0).expected == 0)
    }

    /// A vocabulary that ends is not said to grow beyond it; one that does not end is found.
    @Test func sampledVocabularies() {
        var random = Seeded(newSeed("vocabularies"))
        var beyond = 0
        for _ in 0..<100 {
            let (size, each) = (50 + random.below(400), 1 + random.below(8))
            var counts: [Int: Int] = [:]
            for _ in 0..<200 {
                for word in Set((0..<each).map({ _ in min(random.below(size), random.below(size)) })) {
                    counts[word, default: 0] += 1
                }
            }
            let seen = counts.values
            let more = estimate(200, 1_000_000, seen.count { $0 == 1 }, seen.count { $0 == 2 })
            if Double(counts.count) + more.least > Double(size) { beyond += 1 }
        }
        #expect(beyond <= 10, "\(beyond) of 100 lower bounds lie above the truth")
        for each in 1...5 {
            let more = estimate(200, 10_000, 200 * each, 0)
            #expect(more.least > 3000 * Double(each) / 2, "\(each) names of its own in each document")
        }
    }
}

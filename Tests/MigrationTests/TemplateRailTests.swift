import JSONText
import SearchCluster
import Seeds
import Testing

@testable import Planning

/// What the cluster would add to an index by itself.
@Suite struct TemplateRailTests {
    private func capabilities(_ product: ServerInfo.Product = .elasticsearch, _ major: Int = 8) throws -> Capabilities {
        try Capabilities.of(product, ServerVersion(major, product == .elasticsearch && major == 6 ? 8 : 0))
    }

    private func additions(_ body: JSONValue, typed: Bool = false) -> IndexAdditions {
        var found = IndexAdditions()
        found.templates = ["logs"]
        found.take(body, typed: typed)
        return found
    }

    private func judge(
        _ body: JSONValue, alias: String? = "live", major: Int = 8, losesSource: Bool = false
    ) throws -> [String] {
        TemplateRail.judge(
            additions(body, typed: major < 7), "new", aliases: [alias].compactMap { $0 },
            capabilities: try capabilities(.elasticsearch, major),
            losesSource: losesSource
        ).map { "\($0.name) \($0.verdict)" }
    }

    @Test func aliasesAreRefused() throws {
        #expect(try judge(["aliases": ["live": [:]]]) == ["templates refused"])
        let text = TemplateRail.judge(
            additions(["aliases": ["live": [:]]]), "new", aliases: ["live"], capabilities: try capabilities(),
            losesSource: false)[0].detail
        #expect(text.contains("live on it, which readers use"), "\(text)")
    }

    @Test func settingsAndMappingsAreShown() throws {
        #expect(
            try judge(["settings": ["number_of_shards": 3, "index": ["refresh_interval": "5s"]]]) == ["templates ok"])
        #expect(try judge(["settings": ["index.blocks.write": true]]) == ["templates warn"])
        #expect(try judge(["mappings": ["properties": ["a": ["type": "keyword"]]]]) == ["templates warn"])
        #expect(try judge([:]) == ["templates ok"])
    }

    @Test func aSourceThatPartialUpdatesWouldLose() throws {
        let body: JSONValue = ["mappings": ["_source": ["excludes": ["x"]]]]
        #expect(try judge(body, losesSource: true) == ["templates refused"])
        #expect(try judge(body) == ["templates warn"])
    }

    @Test func dataStreamsAndOtherTypes() throws {
        var stream = additions([:])
        stream.isDataStream = true
        let rails = TemplateRail.judge(
            stream, "new", aliases: [], capabilities: try capabilities(), losesSource: false)
        #expect(rails.map(\.name) == ["data_stream"] && rails[0].verdict == .refused)
        let other: JSONValue = ["mappings": ["event": ["properties": [:]]]]
        #expect(try judge(other, major: 6) == ["template_type refused"])
        #expect(try judge(["mappings": ["_default_": ["properties": [:]]]], major: 6) == ["templates warn"])
    }

    @Test func pipelinesAndPolicies() {
        #expect(TemplateRail.pipelines(["index.default_pipeline": "_none"], "new", exists: false) == nil)
        let text = TemplateRail.pipelines(["index.final_pipeline": "p"], "new", exists: true)
        #expect(text?.contains("index.final_pipeline p") == true && text?.contains("PUT /new/_settings") == true)
        func verdict(_ actions: [String]?) -> Rail.Verdict {
            TemplateRail.lifecycle(LifecyclePolicy(name: "p", actions: actions), "new", exists: false).0
        }
        #expect(verdict(["set_priority", "forcemerge"]) == .ok && verdict([]) == .ok && verdict(nil) == .warn)
        #expect(verdict(["set_priority", "rollover"]) == .refused && verdict(["read_only"]) == .refused)
    }

    /// The limit of a template counts where the recipe names none, and its fields count beside the recipe's own.
    @Test func whatTemplatesAddCounts() {
        var look = TemplateLook()
        #expect(look.settingsText == nil && look.mapping(under: ["dynamic": true]) == ["dynamic": true])
        look.additions = additions([
            "mappings": ["dynamic": "strict", "properties": ["a": ["type": "keyword"], "b": ["type": "long"]]]
        ])
        look.settings = ["index.mapping.total_fields.limit": "5000"]
        #expect(look.settingsText == ["index.mapping.total_fields.limit": "5000"])
        let mapping = look.mapping(under: ["dynamic": true, "properties": ["b": ["type": "text"], "c": [:]]])
        #expect(mapping["dynamic"] == true && mapping["properties"]?["b"]?["type"] == "text")
        #expect(mapping["properties"]?.object?.map(\.key) == ["a", "b", "c"])
    }

    // MARK: Names

    @Test(arguments: [
        ("logs", "logs", true), ("logs", "log", false), ("logs", "*", true), ("", "*", true), ("logs", "", false),
        ("logs-1", "logs*", true), ("logs", "logs*", true), ("xlogs", "logs*", false), ("my-logs", "*logs", true),
        ("a-b-c", "a*c", true), ("ac", "a*c", true), ("a", "a*a", false), ("aa", "a*a", true),
        ("a-x-y-b", "a*x*y*b", true), ("a-y-x-b", "a*x*y*b", false), ("aXbXc", "a**c", true), ("*", "a*", false),
    ])
    func patterns(_ name: String, _ pattern: String, _ expected: Bool) {
        #expect(IndexAdditions.matches(name, pattern) == expected, "\(name) \(pattern)")
    }

    /// Against the plain definition: a star stands for any characters.
    @Test func patternsMatchAsDefined() {
        let seed = newSeed("template patterns")
        var random = Seeded(seed)
        func text(_ letters: [Character], _ count: Int) -> String {
            String((0..<count).map { _ in random.pick(letters) })
        }
        func plain(_ name: Substring, _ pattern: Substring) -> Bool {
            guard let first = pattern.first else { return name.isEmpty }
            if first == "*" {
                return plain(name, pattern.dropFirst()) || (!name.isEmpty && plain(name.dropFirst(), pattern))
            }
            return name.first == first && plain(name.dropFirst(), pattern.dropFirst())
        }
        for round in 0..<20_000 {
            let (name, pattern) = (text(["a", "b"], random.below(7)), text(["a", "b", "*"], random.below(6)))
            #expect(
                IndexAdditions.matches(name, pattern) == plain(name[...], pattern[...]),
                "seed \(seed), round \(round): \(name) \(pattern)")
        }
    }
}

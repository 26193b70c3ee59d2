import JSONText
import Testing
import Transform

@testable import Migration

@Suite struct FingerprintTests {
    @Test func orderOfMembersDoesNotMatter() throws {
        let one = try JSONValue(parsing: #"{"a":1,"b":{"c":[1,2],"d":null}}"#)
        let other = try JSONValue(parsing: #"{"b":{"d":null,"c":[1,2]},"a":1}"#)
        #expect(Fingerprint.of(one) == Fingerprint.of(other))
        #expect(Fingerprint.of(one).count == 32)
    }

    @Test func everyValueMatters() throws {
        let one = try JSONValue(parsing: #"{"a":1,"b":[1,2]}"#)
        for text in [#"{"a":1,"b":[2,1]}"#, #"{"a":1.0,"b":[1,2]}"#, #"{"a":"1","b":[1,2]}"#, #"{"b":[1,2]}"#] {
            #expect(Fingerprint.of(one) != Fingerprint.of(try JSONValue(parsing: text)), "\(text)")
        }
    }

    @Test func differencesNameThePlace() throws {
        let old = try JSONValue(parsing: #"{"recipe":{"version":"offset","epoch":0},"topic":{"partitions":6}}"#)
        let new = try JSONValue(parsing: #"{"recipe":{"version":"offset","epoch":1},"topic":{"partitions":7}}"#)
        #expect(
            Fingerprint.differences(old, new) == [
                "recipe.epoch: was 0, is 1", "topic.partitions: was 6, is 7",
            ])
        #expect(Fingerprint.differences(old, old).isEmpty)
    }
}

@Suite struct TargetMappingTests {
    private func entry(_ steps: [TransformStep]) -> Recipe.IndexEntry {
        Recipe.IndexEntry(
            from: "a", to: "b", alias: nil, mapping: nil, settings: nil, transform: steps, merge: .deep,
            missing: .create, id: nil)
    }

    private func flatten(_ path: String) throws -> TransformStep {
        .keyToValue(KeyToValue(field: try JSONPath(parsing: path)))
    }

    @Test(arguments: [
        #"{"properties":{"a":{"type":"long"}}}"#, #"{"_doc":{"properties":{"a":{"type":"long"}}}}"#,
        #"{"mappings":{"doc":{"properties":{"a":{"type":"long"}}}}}"#,
        #"{"mappings":{"properties":{"a":{"type":"long"}}}}"#,
    ])
    func typesAroundAMappingAreTakenOff(text: String) throws {
        let bare = TargetMapping.bare(try JSONValue(parsing: text))
        #expect(bare["properties"]?["a"]?["type"] == "long")
    }

    @Test func flattenedFieldsAndTheTombstoneAreAdded() throws {
        let steps = [try flatten("tags"), try flatten("meta.labels")]
        let mapping = try TargetMapping.complete(
            ["properties": ["title": ["type": "text"]]], entry: entry(steps), routingRequired: true, fromSource: false)
        #expect(mapping["properties"]?["tags"]?["properties"]?["keyToValue"]?["type"] == "keyword")
        #expect(mapping["properties"]?["meta"]?["properties"]?["labels"]?["properties"]?["value"]?["type"] == "keyword")
        #expect(mapping["properties"]?["crossfade_deleted"]?["type"] == "boolean")
        #expect(mapping["_routing"]?["required"] == true)
        #expect(mapping["properties"]?["title"]?["type"] == "text")
    }

    @Test func theSourcesMapIsReplacedAndTheRecipesOwnIsChecked() throws {
        let map: JSONObject = ["properties": ["tags": ["dynamic": false, "properties": ["host": ["type": "keyword"]]]]]
        let step = try flatten("tags")
        let mapping = try TargetMapping.complete(
            map, entry: entry([step]), routingRequired: false, fromSource: true)
        #expect(mapping["properties"]?["tags"]?["properties"]?.object?.count == 2)
        #expect(throws: WorkError.self) {
            try TargetMapping.complete(map, entry: entry([step]), routingRequired: false, fromSource: false)
        }
    }

    @Test func fieldsAreCountedAsTheLimitCountsThem() throws {
        let mapping = try JSONValue(
            parsing: #"{"properties":{"a":{"properties":{"b":{"type":"text","fields":{"raw":{"type":"keyword"}}}}}}}"#)
        #expect(TargetMapping.fieldCount(try #require(mapping.object)) == 3)
        let limits = [
            #"{"index.mapping.total_fields.limit": 50}"#, #"{"index":{"mapping":{"total_fields":{"limit":"50"}}}}"#,
            #"{"settings":{"index":{"mapping.total_fields.limit":50}}}"#,
        ]
        for text in limits { #expect(TargetMapping.limit(try JSONValue(parsing: text)) == 50, "\(text)") }
        #expect(TargetMapping.limit(nil) == 1000)
    }
}

@Suite struct RawRecordTests {
    @Test func whatWentInComesOut() {
        let raw = ByteBuffer()
        let key = Array("k".utf8)
        let name = Array("h".utf8)
        key.withUnsafeBufferPointer { key in
            name.withUnsafeBufferPointer { name in
                RawRecord.begin(raw, timestamp: 42, key: key, value: nil)
                RawRecord.header(raw, name: name, value: nil)
                RawRecord.header(raw, name: name, value: key)
            }
        }
        let view = RawRecord.View(raw.bytes)
        #expect(view.timestamp == 42)
        #expect(view.key.map(Array.init) == key)
        #expect(view.value == nil)
        #expect(view.headers.map(\.name) == ["h", "h"])
        #expect(view.headers[0].value == nil)
        #expect(view.headers[1].value.map(Array.init) == key)
    }

    @Test func cutBytesAreNoTrap() {
        let raw = ByteBuffer()
        RawRecord.begin(raw, timestamp: 1, key: nil, value: nil)
        for end in 0...raw.count { _ = RawRecord.View(raw.slice(0..<end)) }
    }
}

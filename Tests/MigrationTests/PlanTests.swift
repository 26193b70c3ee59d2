@testable import Failures
import JSONText
@testable import Planning
@testable import Recipe
@testable import Schema
import SearchCluster
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

    private func differences(_ old: String, _ new: String) throws -> [String] {
        Fingerprint.differences(try JSONValue(parsing: old), try JSONValue(parsing: new))
    }

    /// One element put in or taken out is that alone, whatever stands before and after it.
    @Test func ofAListOnlyWhatWasPutInOrTakenOut() throws {
        let three = #"{"t":[{"keyToValue":"tags"},{"remove":"a"},{"set":"b"}]}"#
        let two = #"{"t":[{"keyToValue":"tags"},{"set":"b"}]}"#
        #expect(try differences(two, three) == [#"t[1]: was absent, is {"remove":"a"}"#])
        #expect(try differences(three, two) == [#"t[1]: was {"remove":"a"}, is absent"#])
        #expect(try differences(#"{"t":[1,2]}"#, #"{"t":[1,3]}"#) == ["t[1]: was 2, is 3"])
        #expect(try differences(#"{"t":[1]}"#, #"{"t":[2,3]}"#) == ["t[0]: was 1, is 2", "t[1]: was absent, is 3"])
        #expect(try differences(#"{"a":{"b":1}}"#, #"{"a":{"b":1,"c":{"d":2}}}"#) == [#"a.c: was absent, is {"d":2}"#])
    }

    @Test func ofALongValueTheDifferentPart() throws {
        let same = String(repeating: "x", count: 500)
        let found = try differences("{\"s\":\"\(same)one\"}", "{\"s\":\"\(same)two\"}")
        #expect(found == ["s: was ...\(same.prefix(20))one\", is ...\(same.prefix(20))two\""])
        let many = (0..<20).map { "\"k\($0)\":1" }.joined(separator: ",")
        #expect(try differences("{}", "{\(many)}").last == "and 12 more")
    }
}

@Suite struct ApplicationGroupTests {
    private func said(_ groups: [String]?) -> String {
        ApplicationGroup.without("incident-indexer", topic: "t", groups: groups)
    }

    @Test func aMistypedGroupIsNamedWithTheNearest() {
        let nothing = "group incident-indexer (commands.application_group) has committed nothing on topic t"
        #expect(
            said(["other", "incidents-indexer"])
                == nothing + ", and there is no such group; did you mean \"incidents-indexer\"?")
        #expect(said(["zzz"]) == nothing + ", and there is no such group: check the name")
        #expect(
            said(["incident-indexer"])
                == nothing + ", though there is such a group: check the name, or let it commit")
        #expect(said(nil) == nothing + ": check the name")
    }
}

@Suite struct TargetMappingTests {
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
            ["properties": ["title": ["type": "text"]]], index: "to", transform: steps, routingRequired: true,
            fromSource: false,
            tombstoneProperties: try Capabilities.of(.elasticsearch, ServerVersion(8, 17)).tombstoneProperties)
        #expect(mapping["properties"]?["tags"]?["properties"]?["keyToValue"]?["type"] == "keyword")
        #expect(mapping["properties"]?["meta"]?["properties"]?["labels"]?["properties"]?["value"]?["type"] == "keyword")
        #expect(mapping["properties"]?["crossfade_deleted"]?["type"] == "boolean")
        #expect(mapping["properties"]?["crossfade_deleted_at"]?["format"] == "epoch_millis")
        #expect(mapping["_routing"]?["required"] == true)
        #expect(mapping["properties"]?["title"]?["type"] == "text")
    }

    @Test func theSourcesMapIsReplacedAndTheRecipesOwnIsChecked() throws {
        let map: JSONObject = ["properties": ["tags": ["dynamic": false, "properties": ["host": ["type": "keyword"]]]]]
        let step = try flatten("tags")
        let mapping = try TargetMapping.complete(
            map, index: "to", transform: [step], routingRequired: false, fromSource: true,
            tombstoneProperties: try Capabilities.of(.opensearch, ServerVersion(3, 0)).tombstoneProperties)
        #expect(mapping["properties"]?["tags"]?["properties"]?.object?.count == 2)
        #expect(throws: WorkError.self) {
            try TargetMapping.complete(
                map, index: "to", transform: [step], routingRequired: false, fromSource: false,
                tombstoneProperties: try Capabilities.of(.opensearch, ServerVersion(3, 0)).tombstoneProperties)
        }
        #expect(throws: WorkError.self) {
            try TargetMapping.complete(
                ["enabled": false], index: "to", transform: [], routingRequired: false, fromSource: false,
                tombstoneProperties: try Capabilities.of(.opensearch, ServerVersion(3, 0)).tombstoneProperties)
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
